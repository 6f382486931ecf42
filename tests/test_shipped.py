"""Small weights that come with the package, and files whose kernels have 16 bits."""

import json

import h5py
import numpy as np
import pytest
from weight_files import build

from deephar.checkpoints import load_weights, save_weights
from deephar.data.synthetic import make_sample
from deephar.inference import ActionPredictor, PosePredictor
from deephar.inference.eye import lifting_networks
from deephar.models.lifting import receptive_field, settings
from deephar.networks import SHIPPED, weights_settings
from deephar.networks.shipped import SMALL_LIFT, shipped_path
from deephar.utils.pose import pa16j2d


@pytest.fixture(scope="module")
def short_file(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("short") / "short.weights.h5"
    save_weights(tiny_model, path, short_kernels=True)
    return path


def test_kernels_are_rounded_to_16_bits_and_nothing_else_is(tiny_model, short_file):
    model = build()
    load_weights(model, short_file)
    for ours, theirs in zip(model.weights, tiny_model.weights, strict=True):
        value = theirs.numpy()
        if value.ndim > 1:
            value = value.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(ours.numpy(), value)


def test_a_file_of_16_bits_is_a_good_deal_smaller(tiny_file3, short_file):
    assert short_file.stat().st_size < 0.75 * tiny_file3.stat().st_size


def test_a_file_of_16_bits_keeps_the_forms_of_weightless_layers(tiny_file3, short_file):
    with h5py.File(tiny_file3) as whole, h5py.File(short_file) as short:
        assert dict(short.attrs) == dict(whole.attrs)


def test_values_beyond_16_bits_are_refused(tmp_path):
    model = build()
    kernel = next(v for v in model.weights if len(v.shape) > 1)
    kernel.assign(np.full(kernel.shape, 1e5, np.float32))
    with pytest.raises(ValueError, match="beyond float16, up to 100000"):
        save_weights(model, tmp_path / "w.weights.h5", short_kernels=True)
    assert not list(tmp_path.iterdir())


def test_16_bits_are_for_the_form_of_keras_3(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="is for files .weights.h5"):
        save_weights(tiny_model, tmp_path / "w.h5", short_kernels=True)


def test_a_name_is_a_path_unless_a_file_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr("deephar.networks.shipped._CHECKOUT", tmp_path / "weights")
    place = tmp_path / "weights" / "small_pose" / "small_pose.weights.h5"
    place.parent.mkdir(parents=True)
    place.touch()
    assert shipped_path("small_pose") == str(place)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small_pose").touch()
    assert shipped_path("small_pose") == "small_pose"
    assert shipped_path("other.h5") == "other.h5"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Has no checkout: the package lies in lib, an environment is env."""

    def data(name, scheme="env"):
        assert name == "data"
        return str(tmp_path / ("env" if scheme == "env" else "user"))

    monkeypatch.setattr("deephar.networks.shipped._CHECKOUT", tmp_path / "lib/weights")
    monkeypatch.setattr("deephar.networks.shipped._BESIDE", tmp_path / "lib")
    monkeypatch.setattr("sysconfig.get_path", data)
    return tmp_path


@pytest.mark.parametrize("place", ["lib", "env", "user"])
def test_weights_are_found_wherever_pip_puts_them(installed, place):
    assert not SMALL_LIFT.is_here()
    path = installed / place / "share/deephar/weights/small_lift/small_lift.bin"
    path.parent.mkdir(parents=True)
    path.touch()
    assert SMALL_LIFT.is_here() and shipped_path("small_lift") == str(path)


def test_weights_that_are_not_there_name_all_places(installed):
    places = r"lib.weights.*lib.share.*env.share.*user.share"
    with pytest.raises(FileNotFoundError, match=f"small_lift: .*at none of .*{places}"):
        shipped_path("small_lift")


@pytest.mark.parametrize("name", ["small_pose", "small_action"])
def test_shipped_weights_are_small_and_say_where_they_come_from(name):
    path, known = weights_settings(name, ["mpii", "penn", "mpii_spnet", "penn_spnet"])
    assert path.endswith(f"{name}.weights.h5")
    assert SHIPPED[name].path.stat().st_size < 10e6
    receipt = json.loads((SHIPPED[name].path.parent / "receipt.json").read_text())
    assert receipt["learned_from"] == "generated people only"
    assert receipt["size"] == known["size"] and receipt["commands"]


def test_the_small_pose_network_finds_the_joints_of_generated_people():
    samples = [make_sample(9, number) for number in range(8)]
    pictures = [sample.picture for sample in samples]
    boxes = [sample.labels.bbox for sample in samples]
    found = PosePredictor.load().predict_batch(pictures, [[box] for box in boxes])
    truth = [one.labels.mpii_pose()[pa16j2d.map_from_mpii] for one in samples]
    near = [
        np.linalg.norm(pose.joints - joints, axis=-1) / max(box[2:] - box[:2])
        for (pose,), joints, box in zip(found, truth, boxes, strict=True)
    ]
    assert np.mean(np.ravel(near)[np.isfinite(np.ravel(near))] < 0.1) > 0.7


def test_the_small_action_network_tells_penn_action_s_classes():
    predictor = ActionPredictor.load()
    assert (len(predictor.labels), predictor.step) == (15, 3)


def test_the_small_lifting_network_sees_27_frames():
    (model,), keypoints = lifting_networks("small_lift")
    assert (keypoints, receptive_field(settings(model)["filter_widths"])) == (
        "h36m",
        27,
    )
