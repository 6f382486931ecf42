"""Exported files: what they give, what their cards say, and what is refused."""

import re
import shutil
import sys

import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from PIL import Image
from scripts import REPOSITORY, load, read_json
from tiny_mpii import write_tiny_mpii

from deephar.checkpoints import save_weights
from deephar.commands import export as command
from deephar.inference import ActionPredictor, ActionStream, PosePredictor, exported
from deephar.inference.crops import crop
from deephar.inference.export import FORMATS, export_part
from deephar.inference.exported import Difference, ExportedModel
from deephar.inference.model_card import read_card
from deephar.networks import build_network, default_settings
from deephar.utils.fs import md5_of, write_json
from deephar.utils.pose import h36m17j, pa16j2d

for module in ("onnx", "tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(module, reason="comes with the extra `export`")
if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow traces what is exported", allow_module_level=True)

SHAPE = {"size": 32, "pyramids": 1, "levels": 2, "growth": 8, "ksize": 3}
CLIPS = {"frames": 4, "actions": 3, "step": 2, "action_pyramids": "1"}
ENDS = ("_lowest", "", "_highest")
SMALL = {"pose_features": 16, "visual_features": 16, "replica": "no"}


def network(name, folder, **settings):
    """Makes a tiny network and saves it as a training does."""
    settings = {**default_settings(name), **SHAPE, "image_div": 4, **settings}
    model = build_network(name, settings)
    set_formula_weights(model)
    save_weights(model, folder / "w.weights.h5")
    write_json(folder / "model.json", settings)
    return model


@pytest.fixture(scope="module")
def poses(tmp_path_factory):
    """A folder with a pose network, cut and exported in all formats; and it."""
    folder = tmp_path_factory.mktemp("poses")
    model = network("mpii_spnet", folder, pyramids=2)
    few = ["--crops", "3", "--calibration-crops", "3", "--block", "1"]
    argv = [str(folder / "w.weights.h5"), "--out", str(folder), *few]
    assert command.main([*argv, "--formats", *FORMATS]) == 0
    return folder, model


@pytest.fixture(scope="module")
def actions(tmp_path_factory):
    """A folder with a network of actions, exported to ONNX."""
    folder = tmp_path_factory.mktemp("actions")
    network("ntu_spnet", folder, **CLIPS, **SMALL)
    Image.new("RGB", (40, 30), (200, 90, 20)).save(folder / "one.png")
    argv = [str(folder / "w.weights.h5"), "--out", str(folder)]
    assert command.main([*argv, "--pictures", str(folder / "one.png")]) == 0
    return folder


@pytest.fixture(scope="module")
def looker(actions):
    """What looks for actions by the network of `actions`, in Keras."""
    return ActionPredictor.load(str(actions / "w.weights.h5"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_gives_what_the_network_gives(poses, form):
    folder, model = poses
    crops = formula_pictures((3, 32, 32, 3))
    file = ExportedModel(folder / f"pose{FORMATS[form].ending}", threads=1)
    (found,) = file.predict_on_batch(crops)
    expected = np.array(model(crops)[0])
    tolerance = {"tflite-float16": 5e-3, "tflite-int8": 0.05}.get(form, 1e-5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    alike = np.abs(found - expected).max() == 0
    assert not alike or form == "saved_model"


def test_an_exported_file_stands_in_for_the_network_of_a_predictor(poses):
    folder, model = poses
    picture = np.asarray(formula_pictures((1, 50, 40, 3))[0] * 127 + 127, np.uint8)
    box = [(5, 5, 30, 45)]
    file = PosePredictor(ExportedModel(folder / "pose.onnx"), pa16j2d)
    (found,) = file.predict(picture, box)
    (expected,) = PosePredictor(model, pa16j2d, block=1).predict(picture, box)
    np.testing.assert_allclose(found.joints, expected.joints, atol=1e-3)


def test_a_card_tells_what_a_file_takes_and_gives_and_how_far_off_it_is(poses):
    folder, _ = poses
    card = read_json(folder / "pose-int8.tflite.json")
    assert card["inputs"][0]["shape"] == [1, 32, 32, 3] and card["block"] == 1
    assert card["outputs"][0] == {
        "name": "joints",
        "shape": [1, 16, 3],
        "dtype": "float32",
        "what": card["outputs"][0]["what"],
    }
    assert card["joints"] == list(pa16j2d.joint_names)
    assert card["md5"] == md5_of(folder / "pose-int8.tflite")
    assert card["weights"]["md5"] == md5_of(folder / "w.weights.h5")
    assert card["calibrated with"] == "3 crops of generated people"
    assert 0 < card["checked"]["errors"]["joints"]["largest"] < 0.05
    assert read_json(folder / "pose.onnx.json")["inputs"][0]["shape"][0] is None
    assert (folder / "pose.onnx").stat().st_size > card["bytes"]


@pytest.mark.parametrize("form", ["saved_model", "onnx", "tflite"])
def test_the_lines_of_a_card_run(poses, form, monkeypatch):
    monkeypatch.chdir(poses[0])
    text = (poses[0] / f"pose{FORMATS[form].ending}.md").read_text("utf-8")
    names = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    assert names["outputs"][0].shape == (1, 16, 3)


def test_the_parts_of_a_network_of_actions_fit_each_other(actions):
    frames, head = (
        ExportedModel(actions / f"{name}.onnx") for name in ("frame_model", "clip_head")
    )
    described = frames.predict_on_batch(formula_pictures((5, 32, 32, 3)))
    assert [x.name for x in head.inputs] == frames.output_names[:-1]
    assert frames.output_names[-1] == "joints" and described[-1].shape == (5, 17, 4)
    clip = [x[None, :4] for x in described[:-1]]
    scores = head.predict_on_batch(clip)[-1]
    assert scores.shape == (1, 3) and scores.sum() == pytest.approx(1, abs=1e-5)
    assert head.card["answer"] == head.output_names[-1] and head.card["step"] == 2
    assert head.card["actions"] == ["action 1", "action 2", "action 3"]
    assert head.card["checked"]["inputs"] == f"1 crops of {actions / 'one.png'}"


def test_a_file_that_is_too_far_off_is_put_aside(poses, tmp_path, monkeypatch, capsys):
    strict = FORMATS["saved_model"]._replace(mean_bound=-1.0)
    monkeypatch.setitem(FORMATS, "saved_model", strict)
    argv = [str(poses[0] / "w.weights.h5"), "--out", str(tmp_path), "--crops", "1"]
    for ending in ("json", "md"):
        (tmp_path / f"pose.saved_model.{ending}").write_text("of an earlier file")
    assert command.main([*argv, "--formats", "saved_model"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pose.saved_model.rejected"]
    told = "the mean error of joints is .*, and saved_model may have -1; it is now pose"
    assert re.search(told, capsys.readouterr().out)
    monkeypatch.setitem(FORMATS, "saved_model", strict._replace(mean_bound=1.0))
    assert command.main([*argv, "--formats", "saved_model"]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"pose.saved_model{one}" for one in ("", ".json", ".md")}


def test_errors_are_counted_in_units_of_the_output():
    found = {"far": Difference(9e-4, 1e-6, 10.0)}
    assert exported.beyond_bound("onnx", found) is None
    found = {"near": Difference(9e-4, 1e-6, 0.5)}
    assert "largest error of near is 0.0009" in exported.beyond_bound("onnx", found)
    found = {"lost": Difference(float("nan"), float("nan"), 1.0)}
    assert "lost" in exported.beyond_bound("tflite-int8", found)


def test_a_file_for_two_at_once_takes_any_number(poses, tmp_path):
    folder, model = poses
    argv = [str(folder / "w.weights.h5"), "--out", str(tmp_path), "--batch", "2"]
    assert command.main([*argv, "--formats", "saved_model", "--crops", "3"]) == 0
    crops = formula_pictures((3, 32, 32, 3))
    file = ExportedModel(tmp_path / "pose.saved_model")
    assert file.input_shape == (2, 32, 32, 3)
    found, expected = file.predict_on_batch(crops)[0], np.array(model(crops)[-1])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_network_of_lifting_is_exported_for_the_frames_that_it_sees(tmp_path):
    argv = ["small_lift", "--out", str(tmp_path), "--crops", "2"]
    assert command.main([*argv, "--formats", "tflite"]) == 0
    file = ExportedModel(tmp_path / "lifting.tflite")
    assert file.input_shape == (1, 27, 17, 2)
    assert file.outputs[0].shape == (1, 1, 17, 3)
    card = read_card(tmp_path / "lifting.tflite")
    assert card["joints"] == card["keypoints"] == h36m17j.joint_names
    assert card["mirror"] == card["keypoints mirrored"] == h36m17j.map_hflip
    with pytest.raises(ValueError, match="--pictures .* lifting sees tracks"):
        command.main([*argv, "--pictures", "a.jpg"])
    with pytest.raises(ValueError, match="--block: .* predicts once"):
        command.main([*argv, "--block", "1"])


def test_calibration_is_of_integers(capsys):
    for given in (["--calibration", "a.jpg"], ["--calibration-crops", "5"]):
        with pytest.raises(SystemExit):
            command.main(["small_pose", "--formats", "onnx", "tflite", *given])
        told = "--calibration and --calibration-crops are of tflite-int8"
        assert told in capsys.readouterr().err


def test_pictures_that_cannot_be_read_are_an_error(poses, tmp_path):
    argv = [str(poses[0] / "w.weights.h5"), "--out", str(tmp_path / "out")]
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(OSError, match="bad.jpg"):
        command.main([*argv, "--pictures", str(tmp_path / "bad.jpg")])
    assert not (tmp_path / "out").exists()


def test_inputs_of_another_shape_are_refused(poses):
    file = ExportedModel(poses[0] / "pose.onnx")
    with pytest.raises(ValueError, match=r"n times .*32, 32, 3.*shapes \[\(2, 16,"):
        file.predict_on_batch(np.zeros((2, 16, 16, 3)))


def test_a_missing_file_card_or_package_is_told(poses, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no such exported file: .*gone.onnx"):
        ExportedModel(tmp_path / "gone.onnx")
    shutil.copy(poses[0] / "pose.onnx", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"model card .*pose\.onnx\.json"):
        ExportedModel(tmp_path / "pose.onnx")
    shutil.copy(poses[0] / "pose.onnx.json", tmp_path)
    (tmp_path / "pose.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match="must be the card of .*Received: a card of"):
        ExportedModel(tmp_path / "pose.onnx")
    card = read_json(tmp_path / "pose.onnx.json")
    with pytest.raises(ValueError, match="pose.onnx: onnxruntime cannot run it"):
        ExportedModel(tmp_path / "pose.onnx", card)
    with pytest.raises(ValueError, match="`calibration` must be .* Received: none"):
        export_part(None, tmp_path / "a.tflite", "tflite-int8")
    with pytest.raises(ValueError, match="batch of 3. Received: 2"):
        export_part(None, tmp_path / "a.tflite", "tflite-int8", 3, [np.zeros((2, 4))])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="needs the package onnxruntime"):
        command.main(["small_pose", "--formats", "onnx"])
    with pytest.raises(
        ValueError, match=r'onnxruntime.*pip install "deephar\[export\]'
    ):
        ExportedModel(poses[0] / "pose.onnx")


def test_the_example_streams_what_the_stream_of_keras_gives(actions, looker):
    example = load("exp/export/stream_actions.py").Stream(actions)
    stream = ActionStream(looker.clip_predictor, looker.step)
    for number, frame in enumerate(formula_pictures((10, 32, 32, 3))):
        seen = looker.clip_predictor.describe_frames(frame[None])
        expected, found = stream.push([1], seen), example.push(frame)
        assert (found is None) == (number < 6) == (not expected)
        if expected:
            np.testing.assert_allclose(found, expected[1][-1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("box", [None, (20.0, 31.0, 95.5, 99.0), (-9, 5, 200, 130)])
def test_the_example_cuts_crops_as_its_card_tells(actions, looker, box):
    pixels = formula_pictures((1, 120, 160, 3))[0] * 127 + 127
    picture = Image.fromarray(pixels.astype(np.uint8)).resize((320, 240))
    found = load("exp/export/stream_actions.py").Stream(actions).crop(picture, box)
    expected, _ = crop(picture, looker.window(picture.size, box), (32, 32))
    assert np.abs(found - expected).mean() < 0.02


def test_the_example_prints_the_action_of_every_window(actions, tmp_path, capsys):
    for number in range(8):
        Image.new("RGB", (40, 30), (30 * number, 0, 0)).save(tmp_path / f"{number}.png")
    load("exp/export/stream_actions.py").main(
        actions, tmp_path / "%d.png", 5, 5, 30, 30
    )
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["7", "8"]
    assert all(line[1].startswith("action ") for line in lines)


def test_files_are_timed_and_scored_beside_the_network(poses, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "exp/benchmark")
    benchmark, people = load("exp/benchmark/exported.py"), tmp_path / "mpii"
    write_tiny_mpii(people, valid=2)
    files = [poses[0] / "pose.onnx", poses[0] / "pose.tflite"]
    flags = ["--rounds", 2, "--repeat", 1, "--data", people, "--plot"]
    argv = [str(x) for x in (*files, *flags, tmp_path / "speed.png")]
    figures = benchmark.measure(benchmark.parse(argv))
    sides = ("keras", "traced", "pose.onnx", "pose.tflite")
    assert all(figures[f"{side}_s"] > 0 for side in sides)
    assert len({figures[f"{side}_pckh"] for side in sides}) == 1
    low, middle, high = (figures[f"pose.onnx_over_keras{x}"] for x in ENDS)
    assert low <= middle <= high and figures["people"] == 2
    with Image.open(tmp_path / "speed.png") as drawn:
        assert drawn.width > 500
    with pytest.raises(ValueError, match="different names"):
        benchmark.measure(benchmark.parse([argv[0], argv[0]]))
    other, card = tmp_path / "pose.tflite", read_json(f"{files[1]}.json")
    shutil.copy(files[1], other)
    stale = {"weights": {**card["weights"], "md5": "of others"}}
    for change, told in (
        (stale, "not of these weights"),
        ({"block": None}, "one part"),
    ):
        write_json(f"{other}.json", {**card, **change})
        with pytest.raises(ValueError, match=told):
            benchmark.measure(benchmark.parse([argv[0], str(other)]))
