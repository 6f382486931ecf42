"""Which frames of a video make a clip."""

import numpy as np
import pytest

from deephar.data import PennAction, get_clip_frame_index
from deephar.data.clips import get_clip_frame_index as of_clips
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE


def rows(golden, name):
    for size, step, frames, failed, *index in np.load(golden / "clip_index.npz")[name]:
        assert not failed
        yield (int(size), int(step), int(frames)), [i for i in index if i >= 0]


def test_the_middle_clip_is_the_originals(golden):
    for arguments, theirs in rows(golden, "fixed"):
        assert get_clip_frame_index(*arguments) == theirs
    assert of_clips is get_clip_frame_index


def test_random_clips_have_the_originals_steps_and_lie_in_the_video(golden):
    rng = np.random.default_rng(0)
    for arguments, theirs in rows(golden, "random_seed7"):
        drawn = [get_clip_frame_index(*arguments, True, rng) for _ in range(40)]
        assert all(0 <= i[0] <= i[-1] < arguments[0] for i in drawn)
        if arguments[0] >= arguments[2]:
            assert {tuple(np.diff(i)) for i in drawn} == {tuple(np.diff(theirs))}


def test_every_start_is_drawn_and_a_generator_fixes_it():
    starts = {get_clip_frame_index(9, 2, 4, True)[0] for _ in range(200)}
    assert starts == {0, 1, 2}
    one, two = (
        get_clip_frame_index(99, 2, 4, True, np.random.default_rng(3)) for _ in range(2)
    )
    assert one == two


def test_a_short_video_repeats_frames_and_a_long_step_is_shortened():
    assert get_clip_frame_index(3, 1, 8) == [0, 0, 0, 1, 1, 1, 2, 2]
    assert get_clip_frame_index(9, 6, 4) == [1, 3, 5, 7]
    assert get_clip_frame_index(1, 4, 3) == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 4), "`sequence_size` must be an integer of at least 1.*=0"),
        ((9, 1.5, 4), "`subsample` must be an integer.*=1.5"),
        ((9, 1, -2), "`num_frames` must be.*=-2"),
    ],
)
def test_counts_below_one_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_clip_frame_index(*arguments)


def penn(clip_folders, **options):
    from deephar.config import DataConfig

    return PennAction(clip_folders["penn"], DataConfig(), **options)


def test_every_video_has_at_least_one_clip(clip_folders):
    data = penn(clip_folders, clip_size=8)
    assert data.num_frames(1, TEST_MODE) == 9
    assert data.get_clip_index(1, TEST_MODE) == []
    assert data.clips(1, TEST_MODE) == [list(range(8))]
    long = data.get_clip_index(0, TEST_MODE, [1, 3])
    assert data.clips(0, TEST_MODE, [1, 3]) == long
    assert [clip[0] for clip in long] == [0, 4, 8, 12, 16, 0]
    assert data.get_clip_index(1, TEST_MODE, [1]) == [list(range(8))]


def test_frames_are_the_videos_one_after_the_other(clip_folders):
    data = penn(clip_folders, topology="frames")
    lengths = [data.get_length(m) for m in (TEST_MODE, TRAIN_MODE, VALID_MODE)]
    assert lengths == [33, 20, 0]
    names = [data.video_name(key, TEST_MODE) for key in (0, 23, 24, 32)]
    assert names == ["0001", "0001", "0002", "0002"]
    sample = data.get_data(24, TEST_MODE)
    assert (sample["seq_idx"], sample["frame_list"]) == (1, 0)
    assert (data.action(23, TEST_MODE), data.action(24, TEST_MODE)) == (3, 0)
    assert (data.clip_length(), data.clip_shape()) == (None, ())


def test_clips_of_frames_are_refused(clip_folders):
    data = penn(clip_folders, topology="frames")
    for call in (
        lambda: data.get_clip_index(0, TEST_MODE),
        lambda: data.get_data(0, TEST_MODE, frame_list=[1]),
    ):
        with pytest.raises(ValueError, match="needs topology='sequences'.*'frames'"):
            call()


def test_wrong_options_are_named(clip_folders):
    with pytest.raises(ValueError, match="`topology` must be one of.*'sequence'"):
        penn(clip_folders, topology="sequence")
    with pytest.raises(ValueError, match="`clip_size` must be an integer.*clip_size=0"):
        penn(clip_folders, clip_size=0)
    with pytest.raises(ValueError, match=r"`subsamples` must be.*\[2, 0\]"):
        penn(clip_folders).get_clip_index(0, TEST_MODE, [2, 0])
