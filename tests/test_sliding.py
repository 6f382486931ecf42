"""Windows that slide over a video: which there are, and what is said of each."""

import numpy as np
import pytest
from tiny_videos import CLIP, TinyPredictor, TinyVideos, clip_by_clip

from deephar.evaluation.sliding import slide, sliding_windows


def test_a_window_ends_at_every_frame_that_has_enough_before_it():
    assert sliding_windows(6, 4) == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]
    assert sliding_windows(9, 4, step=2, every=2) == [[0, 2, 4, 6], [2, 4, 6, 8]]
    assert len(sliding_windows(40, 8)) == 33


def test_a_video_too_short_has_one_window_of_all_of_it():
    assert sliding_windows(6, 4, step=2) == [[1, 2, 3, 4]]
    assert sliding_windows(1, 4) == [[0, 0, 0, 0]]
    with pytest.raises(ValueError, match="`every` must be at least 1.*every=0"):
        sliding_windows(6, 4, every=0)


@pytest.mark.parametrize("per_clip", [False, True])
def test_a_window_scores_as_it_does_alone(per_clip):
    videos = TinyVideos([5, 50], [0, 0], per_clip=per_clip)
    windows = sliding_windows(50, CLIP)
    seen = list(slide(TinyPredictor(), videos, 1, windows, {}, batch_size=7))
    assert [one.frames for one in seen] == windows
    for number in (0, 31, 32, 46):
        alone = clip_by_clip(TinyPredictor(), videos, 1, [(1, 0, windows[number])])
        np.testing.assert_allclose(seen[number].scores, alone, rtol=1e-5)


def test_frames_in_one_place_are_described_once():
    predictor = TinyPredictor()
    windows = sliding_windows(20, CLIP)
    list(slide(predictor, TinyVideos([20], [0]), 0, windows, {}))
    assert len(predictor.frames) == 20


def test_poses_come_in_pixels_of_the_picture():
    videos, predictor = TinyVideos([4], [0]), TinyPredictor()
    (seen,) = slide(predictor, videos, 0, [[0, 1, 2, 3]], {})
    crop = videos.crop_frame((0, 2), videos.clip_window(0, 0, [0]))
    pose, sure, _ = predictor.describe_frames(crop[None])
    np.testing.assert_allclose(seen.poses[2], 10 * pose[0])  # a window of 10 px at 0
    np.testing.assert_allclose(seen.confidence[2], sure[0, :, 0])


def test_windows_with_an_unreadable_picture_have_no_scores_and_others_do():
    videos, errors = TinyVideos([8], [0], missing=[(0, 2)]), {}
    seen = list(slide(TinyPredictor(), videos, 0, sliding_windows(8, CLIP), errors))
    assert [one.scores is None for one in seen] == [True, True, True, False, False]
    assert seen[0].poses is None
    assert list(errors) == ["0/2.jpg"]


def test_windows_of_another_length_and_networks_of_other_actions_are_refused():
    with pytest.raises(ValueError, match=r"4 frames each.*windows of \[3\] frames"):
        list(slide(TinyPredictor(), TinyVideos([8], [0]), 0, [[0, 1, 2]], {}))
    with pytest.raises(ValueError, match="must tell 3 actions apart"):
        list(slide(TinyPredictor(2), TinyVideos([8], [0]), 0, [[0, 1, 2, 3]], {}))
