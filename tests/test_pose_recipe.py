"""What trainings of poses share: how a batch is divided, how long an epoch is."""

import argparse

import pytest

from deephar.experiment import MOST_STEPS, epoch_steps, shares


class Frames:
    """A data set of so many training samples."""

    def __init__(self, length):
        self.length = length

    def get_length(self, mode):
        return self.length


@pytest.mark.parametrize(
    ("total", "parts", "sizes"),
    [
        (24, [0.5, 0.5], [12, 12]),
        (10, [1 / 3] * 3, [4, 3, 3]),
        (4, [0.3, 0.7], [1, 3]),
        (24, [1.0], [24]),
    ],
)
def test_a_batch_is_divided_whole_by_the_shares(total, parts, sizes):
    assert shares(total, parts) == sizes


def test_a_share_without_a_sample_is_refused():
    with pytest.raises(ValueError, match="samples of every data set.*Received: 2 sam"):
        shares(2, [1 / 3] * 3)


@pytest.mark.parametrize(
    ("lengths", "sizes", "steps"),
    [
        ([3_000_000, 25_000], [12, 12], 25_000 // 12),
        ([3_000_000], [24], MOST_STEPS),
        ([30_000], [24], 1250),
        ([5], [24], 1),
    ],
)
def test_an_epoch_of_poses_ends_with_the_smallest_data_set(lengths, sizes, steps):
    args, sets = argparse.Namespace(steps_per_epoch=None), [*map(Frames, lengths)]
    assert epoch_steps(args, sets, sizes, MOST_STEPS) == steps
    args.steps_per_epoch = 9000
    assert epoch_steps(args, sets, sizes, MOST_STEPS) == 9000


def test_an_epoch_of_clips_is_once_through_them():
    args = argparse.Namespace(steps_per_epoch=None)
    assert epoch_steps(args, [Frames(40_000)], [8]) == 5000
