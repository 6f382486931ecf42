"""SPNet by its two parts: each frame is looked at once."""

import numpy as np
import pytest
from formula_weights import set_formula_weights
from tiny_merged import formula_clips
from tiny_spnet import FRAMES, SIZE, build, config
from tiny_videos import LABELS, TinyVideos

from deephar.evaluation.action import predict_actions
from deephar.experiment.described import DescribedClips
from deephar.inference import ClipPredictor, PosePredictor
from deephar.models import spnet
from deephar.utils.modes import TEST_MODE, TRAIN_MODE

SETS = {"dim": 3, "num_actions": (3, 4), "action_pyramids": (2,), "pose_replica": True}


@pytest.fixture(scope="module")
def network():
    """A 3D network of two sets of actions, with weights; its configuration."""
    model, cfg = build(**SETS)
    set_formula_weights(model)
    return model, cfg


def outputs(model, clips):
    found = model(clips, training=False)
    return {n: np.array(y) for n, y in zip(model.output_names, found, strict=True)}


def test_the_parts_in_a_row_give_the_actions_of_one_set(network):
    clips, names = formula_clips(3, (FRAMES, *SIZE)), ["act1_a1", "act2_a1"]
    predictor = ClipPredictor(network[0], 5, outputs=names)
    assert (predictor.num_frames, list(predictor.names)) == (FRAMES, names)
    expected = outputs(network[0], clips)
    found = predictor.predict_clips(clips)
    np.testing.assert_allclose(found, [expected[n] for n in names], atol=1e-6)
    folded = ClipPredictor(network[0], fold=True, outputs=names)
    np.testing.assert_allclose(folded.predict_clips(clips), found, atol=1e-5)


def test_one_output_needs_only_the_blocks_before_it(network):
    clips = formula_clips(2, (FRAMES, *SIZE))
    whole = ClipPredictor(network[0], outputs=["act1_a0", "act2_a0"])
    first = ClipPredictor(network[0], outputs=["act1_a0"])
    assert first.described == ("act1_pose", "act1_confidence", "act1_features")
    assert whole.described[:3] == first.described and len(whole.described) == 6
    assert first.frame_model.count_params() < whole.frame_model.count_params()
    found = first.predict_clips(clips)
    np.testing.assert_allclose(found, whole.predict_clips(clips)[:1], atol=1e-6)
    described = first.describe_frames(clips[0])
    assert [x.shape for x in described] == [(4, 5, 3), (4, 5, 1), (4, 5, 24)]


def test_outputs_must_be_of_one_set(network):
    with pytest.raises(ValueError, match=r"one set of actions.* of \[3, 4, 3, 4\] cl"):
        ClipPredictor(network[0])
    with pytest.raises(ValueError, match=r"`outputs` must be some of act1_a0, .*\['m'"):
        ClipPredictor(network[0], outputs=["m"])
    with pytest.raises(ValueError, match=r"`outputs` must be some of .*outputs=\[\]"):
        ClipPredictor(network[0], outputs=[])
    with pytest.raises(ValueError, match="layers frame_model and clip_head. Received"):
        ClipPredictor(build(num_actions=())[0])


class Videos(TinyVideos):
    """Tiny videos whose crops fit the network."""

    def crop_frame(self, source, window, hflip=0):
        small = super().crop_frame(source, window, hflip)
        return np.tile(small, (SIZE[0] // 2, SIZE[1] // 2, 1))


def test_videos_are_seen_as_their_clips_are(network):
    predictor = ClipPredictor(network[0], outputs=["act1_a0", "act2_a0"])
    videos = Videos([10, 3], [2, 0])
    found = predict_actions(predictor, videos, TEST_MODE, subsamples=[2])
    assert (found.names, found.labels) == (("act1_a0", "act2_a0"), LABELS)
    clips = [
        [
            videos.crop_frame((0, f), videos.clip_window(0, TEST_MODE, frames))
            for f in frames
        ]
        for frames in videos.get_clip_index(0, TEST_MODE)
    ]
    alone = predictor.predict_clips(np.array(clips))
    np.testing.assert_allclose(found.scores[:, 0], np.log(alone).sum(axis=1), rtol=1e-4)


def test_described_clips_have_an_array_for_each_input_of_the_head(network):
    predictor = ClipPredictor(network[0], outputs=["act1_a0", "act2_a0"])
    videos = Videos([8], [1])
    data = DescribedClips(predictor, videos, TRAIN_MODE, "action")
    assert data.inputs == predictor.described
    sample = data.get_data(0, TRAIN_MODE)
    assert sorted(sample) == sorted([*data.inputs, "action"])
    assert data.get_shape("act2_features") == (FRAMES, 5, 16)
    frames = videos.get_clip_index(0, TRAIN_MODE)[0]
    window = videos.clip_window(0, TRAIN_MODE, frames)
    clip = np.stack([videos.crop_frame((0, f), window) for f in frames])[None]
    found = predictor.classify(*(sample[name][None] for name in data.inputs))
    np.testing.assert_allclose(found, predictor.predict_clips(clip), atol=1e-3)


# --- poses ---


def test_poses_of_crops_are_those_of_the_picture_model(network):
    model, cfg = network
    pictures = formula_clips(1, (FRAMES, *SIZE))[0]
    predictor = PosePredictor(spnet.picture_model(model, cfg), cfg.poselayout)
    found = predictor.predict_crops(pictures)
    assert found.shape == (len(spnet.predictions(cfg)), FRAMES, 5, 4)
    expected = outputs(model, pictures[None])
    for plan, poses in zip(spnet.predictions(cfg), found, strict=True):
        np.testing.assert_allclose(poses, expected[plan.pose][0], atol=1e-5)
    folded = PosePredictor(spnet.picture_model(model, cfg), cfg.poselayout, fold=True)
    np.testing.assert_allclose(folded.predict_crops(pictures), found, atol=1e-5)


def test_a_network_of_pictures_is_its_own_picture_model():
    model, cfg = build(input_shape=SIZE, num_actions=())
    assert spnet.picture_model(model, cfg) is model
    with pytest.raises(ValueError, match="`full_model` must have the outputs of `cfg`"):
        spnet.picture_model(model, config())
