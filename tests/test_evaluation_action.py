import dataclasses

import numpy as np
import pytest
from evaluation_workers import Workers
from tiny_videos import LABELS, TinyPredictor, TinyVideos, clip_by_clip

from deephar.data.clips import get_clip_frame_index
from deephar.evaluation.action import predict_actions, score_actions
from deephar.utils.modes import TEST_MODE

LENGTHS = (20, 11, 9)
TRUE = (0, 1, 2)


WIDE = {
    (key, step, number, flip): (0, 0, 20.0 + step + number + flip, 20.0)
    for key in range(3)
    for step in (1, 2)
    for number in (0, 2, 3, 4, 5, 6, 7, 8)
    for flip in (0, 1)
}
"""A box of its own for each clip, but none for the second clip of each step."""


@pytest.mark.parametrize("per_clip", [False, True])
@pytest.mark.parametrize("boxes", [None, WIDE])
@pytest.mark.parametrize("steps", [[2], [1, 2]])
def test_many_clips_together_score_as_each_clip_alone(steps, boxes, per_clip):
    videos = TinyVideos(LENGTHS, TRUE, per_clip=per_clip)
    found = predict_actions(
        TinyPredictor(), videos, subsamples=steps, flip=True, boxes=boxes, batch_size=7
    )
    for key in range(len(LENGTHS)):
        clips = [
            (step, number, frames)
            for step in steps
            for number, frames in enumerate(videos.get_clip_index(key, 0, [step]))
        ]
        alone = clip_by_clip(TinyPredictor(), videos, key, clips, 2, boxes)
        np.testing.assert_allclose(found.products[:, key], alone, rtol=1e-5)
        np.testing.assert_allclose(np.exp(found.scores[:, key]), alone, rtol=1e-5)
        assert found.clips[key] == len(clips)


def test_each_picture_is_opened_once_and_each_view_described_once():
    videos, predictor = TinyVideos([20], [0]), TinyPredictor()
    predict_actions(predictor, videos, subsamples=[1, 2], flip=True, batch_size=16)
    assert set(videos.opened.values()) == {1}
    assert len(videos.opened) == 20
    assert len(predictor.frames) == len(set(predictor.frames)) == 2 * 20
    assert predictor.sizes == [16, 16, 8]


def test_clips_with_windows_of_their_own_share_the_decoded_pictures_only():
    videos, predictor = TinyVideos([8], [0], per_clip=True), TinyPredictor()
    predict_actions(predictor, videos, subsamples=[1])
    assert set(videos.opened.values()) == {1}
    assert len(predictor.frames) == 3 * 4


def test_the_single_clip_lies_in_the_middle_and_steps_as_configured():
    videos = TinyVideos([20], [0])
    found = predict_actions(TinyPredictor(), videos)
    assert sorted(frame for _, frame in videos.opened) == [6, 8, 10, 12]
    alone = clip_by_clip(TinyPredictor(), videos, 0, [(2, 0, [6, 8, 10, 12])])
    np.testing.assert_allclose(found.products[:, 0], alone, rtol=1e-6)


def test_batches_go_across_videos_but_not_across_groups(monkeypatch):
    monkeypatch.setattr(TinyVideos, "one_clip", lambda *_: [0, 1, 2, 3])
    predictor = TinyPredictor()
    predict_actions(predictor, TinyVideos([4] * 10, [0] * 10), batch_size=24)
    assert predictor.sizes == [24, 8, 8]


def _bad_set():
    """Four good videos, one unreadable, one in part, one too short; all of class 1.

    A video is given the action that the network tells it, but for the first.
    """
    lengths, missing = (9, 9, 9, 9, 9, 14, 6), [(4, f) for f in range(9)] + [(5, 12)]
    videos = TinyVideos(lengths, [0] * 7, missing)
    found = predict_actions(TinyPredictor(), videos, subsamples=[2], flip=True)
    actions = found.products[-1].argmax(axis=-1)
    actions[6] = found.scores[-1, 6].argmax()
    actions[0] = (actions[0] + 1) % len(LABELS)
    actions[4] = 2
    return dataclasses.replace(found, actions=actions)


def test_unreadable_and_short_videos_are_named_and_never_right_strictly():
    scores = score_actions(_bad_set())
    assert scores["accuracy"] == pytest.approx(3 / 7)
    assert scores["accuracy_shortened"] == pytest.approx(4 / 7)
    assert scores["unreadable"] == ["video4", "video5"]
    assert scores["too_short"] == ["video6"]
    assert sum(row[-1] for row in scores["confusion"]) == 3
    assert sum(map(sum, scores["confusion"])) == scores["videos"] == 7


def test_the_original_takes_what_it_cannot_read_and_what_is_too_short_as_right():
    scores = score_actions(_bad_set())
    assert scores["accuracy_original"] == pytest.approx(6 / 7)
    assert scores["accuracy_best_output"] == max(scores["outputs_original"].values())


def test_the_original_multiplies_those_clips_of_a_video_that_it_can_read():
    videos = TinyVideos([14], [0], missing=[(0, 12)])
    found = predict_actions(TinyPredictor(), videos, subsamples=[2], flip=True)
    first, second, third = videos.get_clip_index(0, 0, [2])
    assert third == [6, 8, 10, 12]
    alone = clip_by_clip(TinyPredictor(), videos, 0, [(2, 0, first), (2, 1, second)], 2)
    np.testing.assert_allclose(found.products[:, 0], alone, rtol=1e-6)


@pytest.mark.parametrize("subsamples", [None, [2], [3, 2]])
def test_a_video_is_too_short_that_has_fewer_frames_than_clip_times_step(subsamples):
    videos = TinyVideos([3, 5, 7, 8], [0] * 4)
    found = predict_actions(TinyPredictor(), videos, subsamples=subsamples)
    assert found.too_short.tolist() == [True, True, True, False]
    right = dataclasses.replace(found, actions=found.scores[-1].argmax(axis=-1))
    scores = score_actions(right)
    assert scores["accuracy"] == 0.25
    assert scores["accuracy_shortened"] == scores["accuracy_original"] == 1
    for key, length in enumerate(videos.lengths[:3]):
        frames = get_clip_frame_index(length, 2, 4)
        alone = clip_by_clip(TinyPredictor(), videos, key, [(2, 0, frames)])
        np.testing.assert_allclose(np.exp(found.scores[:, key]), alone, rtol=1e-6)


def test_an_unreadable_single_clip_is_wrong_in_every_figure():
    videos = TinyVideos([9], [0], missing=[(0, frame) for frame in range(9)])
    found = predict_actions(TinyPredictor(), videos)
    assert list(found.errors) == [f"0/{frame}.jpg" for frame in (1, 3, 5, 7)]
    scores = score_actions(found)
    assert scores["accuracy"] == scores["accuracy_original"] == 0


def test_a_video_whose_annotations_are_gone_is_unreadable(monkeypatch):
    videos, window = TinyVideos([20, 20], [0, 0]), TinyVideos.clip_window

    def clip_window(self, key, *arguments):
        if key == 1:
            raise FileNotFoundError(2, "no such file", "one.npy")
        return window(self, key, *arguments)

    monkeypatch.setattr(TinyVideos, "clip_window", clip_window)
    found = predict_actions(TinyPredictor(), videos, subsamples=[2], flip=True)
    assert found.readable.tolist() == [True, False]
    assert list(found.errors) == ["one.npy"]
    assert found.products[:, 1].tolist() == np.ones((5, 3)).tolist()


def test_scores_that_are_no_numbers_are_wrong_and_named(monkeypatch):
    nan = np.full((5, 1, 3), np.nan)
    monkeypatch.setattr(TinyPredictor, "classify", lambda *_: nan)
    scores = score_actions(predict_actions(TinyPredictor(), TinyVideos([9], [0])))
    assert scores["accuracy"] == 0
    assert scores["not_finite"] == ["video0"]


def test_many_small_numbers_do_not_vanish(monkeypatch):
    tiny = np.broadcast_to(np.float32([0, 1e-30, 2e-30]), (5, 2, 3))

    def classify(self, pose, *_):
        return np.repeat(tiny[:, :1], len(pose), axis=1)

    monkeypatch.setattr(TinyPredictor, "classify", classify)
    found = predict_actions(
        TinyPredictor(), TinyVideos([40], [2]), subsamples=[1], flip=True
    )
    assert score_actions(found)["accuracy"] == 1
    assert score_actions(found)["accuracy_original"] == 0


def test_looks_without_a_box_are_counted():
    videos = TinyVideos([20], [0])
    found = predict_actions(
        TinyPredictor(), videos, subsamples=[1], flip=True, boxes=WIDE
    )
    assert found.unboxed.tolist() == [2]


def test_boxes_by_clip_are_refused_for_the_clip_in_the_middle():
    with pytest.raises(ValueError, match=r"not of the one in the middle.*96 boxes"):
        predict_actions(TinyPredictor(), TinyVideos([20], [0]), boxes=WIDE)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_workers_that_share_get_what_one_gets(count):
    videos = TinyVideos([9, 6] * 10, [0, 1] * 10, missing=[(3, 1), (16, 0)])

    def evaluate(**sharing):
        return predict_actions(
            TinyPredictor(), videos, subsamples=[2], batch_size=6, **sharing
        )

    one = evaluate()
    for whole in Workers(evaluate, count).whole:
        for name in ("scores", "products", "seen", "readable", "too_short", "clips"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(one, name))
        assert score_actions(whole) == score_actions(one)


def test_progress_counts_the_videos_that_are_done():
    done = []
    predict_actions(
        TinyPredictor(), TinyVideos([9] * 11, [0] * 11), progress=done.append
    )
    assert done == [8, 11]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": []}, "tiny: no videos to evaluate in the part 'test'"),
        ({"topology": "frames"}, "clips of 4 frames.*topology='frames'"),
        ({"clip_size": 5}, "clips of 4 frames.*clip_size=5"),
        ({"action_labels": ("a", "b")}, "tell 2 actions apart.*shape"),
    ],
)
def test_data_that_do_not_fit_the_network_are_refused(change, message):
    videos = TinyVideos([9], [0])
    vars(videos).update(change)
    with pytest.raises(ValueError, match=message):
        predict_actions(TinyPredictor(), videos, TEST_MODE)


@pytest.mark.parametrize("steps", [[], [0], [1, -1]])
def test_steps_must_be_positive(steps):
    with pytest.raises(ValueError, match="steps of at least 1"):
        predict_actions(TinyPredictor(), TinyVideos([9], [0]), subsamples=steps)


def test_sharing_needs_a_way_to_gather():
    with pytest.raises(ValueError, match="`share` needs `gather`"):
        predict_actions(TinyPredictor(), TinyVideos([9], [0]), share=(0, 2))
