"""Clips that are described once, and the figures of single frames."""

import logging

import numpy as np
import pytest
from tiny_videos import CLIP, LABELS, TinyPredictor, TinyVideos

from deephar.evaluation.frames import predict_frames, score_frames
from deephar.experiment.described import DescribedClips
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import INVALID, pa16j2d


def described(videos, **options):
    return DescribedClips(TinyPredictor(), videos, TRAIN_MODE, "action", **options)


def test_every_clip_and_its_mirror_image_is_described_as_the_network_does():
    videos, predictor = TinyVideos([10, 3], [2, 0]), TinyPredictor()
    data = described(videos, batch_size=3)
    clips = videos.get_clip_index(0, TRAIN_MODE)
    assert data.get_length(TRAIN_MODE) == 2 * (len(clips) + 1)
    for number, frames in enumerate(clips):
        for mirrored in (0, 1):
            window = videos.clip_window(0, TRAIN_MODE, frames)
            crops = [videos.crop_frame((0, f), window, mirrored) for f in frames]
            found = predictor.describe_frames(np.stack(crops))
            sample = data.get_data(2 * number + mirrored, TRAIN_MODE)
            for name, values in zip(("pose", "confidence"), found, strict=False):
                np.testing.assert_allclose(sample[name], values, atol=1e-6)
            np.testing.assert_allclose(sample["features"], found[2], atol=1e-3)
            assert sample["action"].tolist() == [0, 0, 1]
    assert data.get_data(2 * len(clips), TRAIN_MODE)["action"].tolist() == [1, 0, 0]
    assert data.get_shape("features") == (CLIP, 2, 3)
    assert data.get_shape("action") == (len(LABELS),)


def test_clips_that_cannot_be_read_are_left_out_and_reported(caplog):
    videos = TinyVideos([8, 8], [0, 1], missing=[(1, 0)])
    with caplog.at_level(logging.WARNING):
        data = described(videos)
    assert "1 pictures cannot be read" in caplog.text
    whole = described(TinyVideos([8, 8], [0, 1]))
    assert data.get_length(TRAIN_MODE) == whole.get_length(TRAIN_MODE) - 2
    with pytest.raises(OSError, match="no such file"):
        described(videos, strict=True)
    with pytest.raises(OSError, match="tiny: not one clip could be described"):
        described(TinyVideos([8], [0], missing=[(0, i) for i in range(8)]))


def test_described_clips_are_of_one_part():
    with pytest.raises(ValueError, match=r"part 'train'.* Received: mode='test'"):
        described(TinyVideos([8], [0])).get_length(TEST_MODE)


class Frames:
    """Frames whose joints lie on a grid; one cannot be read."""

    dataset_path = "grid"
    truth = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(16, 2) / 4

    def __init__(self, count=10, missing=None):
        self.count, self.missing, self.keys = count, missing, []

    def get_length(self, mode):
        return self.count

    def get_shape(self, dictkey):
        return {"frame": (2, 2, 3), "pose": (16, 3)}[dictkey]

    def get_blank_data(self, key, mode, rng=None):
        pose = np.concatenate([self.truth, np.ones((16, 1))], axis=-1)
        pose[0, :2] = INVALID
        return {"frame": np.full((2, 2, 3), key / 100), "pose": pose}

    def get_data(self, key, mode):
        self.keys.append(key)
        if key == self.missing:
            raise FileNotFoundError(2, "no such file", f"{key}.jpg")
        return self.get_blank_data(key, mode)


def near(error):
    """A predictor of one block that is off by so much in x."""

    def predict(frames):
        pose = np.concatenate([Frames.truth, np.ones((16, 1))], axis=-1)
        pose[:, 0] += error
        return np.repeat(pose[None, None], len(frames), axis=1)

    return predict


def test_frames_are_scored_by_the_torso_and_by_the_crop():
    torso = np.linalg.norm(Frames.truth[5] - Frames.truth[10])
    scores = score_frames(predict_frames(near(0.19 * torso), Frames()), pa16j2d)
    assert scores["pck_torso"] == 1
    assert scores["mean_distance"] == pytest.approx(0.19 * torso)
    scores = score_frames(predict_frames(near(0.21 * torso), Frames()), pa16j2d)
    assert (scores["pck_torso"], scores["frames"]) == (0, 10)


def test_a_frame_that_cannot_be_read_is_wrong():
    found = predict_frames(near(0), Frames(missing=4), batch_size=3)
    scores = score_frames(found, pa16j2d)
    assert scores["pck_torso"] == pytest.approx(0.9)
    assert (scores["unreadable"], scores["mean_distance"]) == (1, 0)


def test_some_frames_are_spread_evenly():
    frames = Frames(100)
    predict_frames(near(0), frames, count=4, workers=1)
    assert sorted(frames.keys) == [0, 25, 50, 75]


def test_workers_share_the_frames():
    def gather(arrays):
        parts.append(arrays)
        if len(parts) < 2:
            return {name: np.repeat(a[:1], 10, axis=0) for name, a in arrays.items()}
        return {n: np.concatenate([p[n] for p in parts]) for n in arrays}

    parts = []
    for index in (0, 1):
        found = predict_frames(
            near(0.01), Frames(), batch_size=3, share=(index, 2), gather=gather
        )
    assert found.poses.shape == (1, 10, 16, 2)
    assert [len(part["truth"]) for part in parts] == [6, 4]
