"""info: versions, devices, weights at hand; and what weights are of."""

import json

import jsonschema
import pytest
from weight_files import write_tiny_network

import deephar
from deephar import checkpoints
from deephar.commands import info
from deephar.networks import SHIPPED
from deephar.utils.machine import PRECISIONS, cores


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights of a small pose network, their model.json and a receipt."""
    folder = tmp_path_factory.mktemp("info")
    write_tiny_network(folder, "mpii", size=32, blocks=1, context=0, ksize=3)
    (folder / "receipt.json").write_text('{"command": "python train.py"}')
    return folder


def described(capsys, weights, status=0):
    assert info.main([str(weights), "--json"]) == status
    return json.loads(capsys.readouterr().out)[0]


def test_the_machine_and_the_weights_at_hand_are_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEEPHAR_WEIGHTS", str(tmp_path))
    (tmp_path / checkpoints.KNOWN["mpii"].file).write_bytes(b"cut short")
    (tmp_path / checkpoints.KNOWN["penn_spnet"].file).write_bytes(b"anything")
    assert info.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["deephar"], found["precision"]) == (deephar.__version__, "float32")
    assert found["backend"].startswith("tensorflow 2.")
    assert "cpu:0" in found["devices"] and found["cores"] == cores()
    assert found["fastest precision"] in PRECISIONS
    assert found["packages"]["numpy"].count(".") == 2
    states = {name: text.split(": ")[0] for name, text in found["weights"].items()}
    assert states.keys() == {*checkpoints.KNOWN, *SHIPPED}
    assert (states["mpii"], states["penn_spnet"]) == ("another md5", "here")
    assert states["ntu_merge"] == "absent"
    assert info.main([]) == 0
    text = capsys.readouterr().out
    assert "weights folder" in text and "  mpii" in text and "89.1" in text


def test_a_file_is_described_with_its_network_and_whether_it_fits(folder, capsys):
    found = described(capsys, folder / "w.weights.h5")
    assert found["told by"] == str(folder / "model.json")
    assert (found["network"], found["settings"]["blocks"]) == ("mpii", 1)
    assert len(found["joints"]) == 16 and found["axes"] == "xy"
    assert found["fits"] is True and found["parameters"] == found["values"]
    assert found["md5"] == checkpoints.md5_of(folder / "w.weights.h5")
    assert found["receipt"] == {"command": "python train.py"}


def test_a_file_of_another_network_is_told_with_status_1(folder, tmp_path, capsys):
    (tmp_path / "w.weights.h5").write_bytes((folder / "w.weights.h5").read_bytes())
    found = described(capsys, tmp_path / "w.weights.h5")
    assert found["told by"].startswith("nothing tells") and "fits" not in found
    settings = json.loads((folder / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(settings | {"ksize": 5}))
    found = described(capsys, tmp_path / "w.weights.h5", status=1)
    assert found["fits"] is False and "w.weights.h5: " in found["error"]


def test_the_actions_of_a_published_name_are_told_and_nothing_is_fetched(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("DEEPHAR_WEIGHTS", str(tmp_path))
    found = described(capsys, "penn_merge")
    assert found["network"] == "penn" and len(found["actions"]) == 15
    assert found["fetch"].endswith("/v0.3/weights_AR_merge_ep074_26-10-17.h5")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_lifting_tells_its_network_itself(golden, capsys):
    found = described(capsys, golden / "lifting_semi.bin")
    assert (found["network"], found["layout"]) == ("lifting", "PyTorch")
    assert found["about"] == "temporal lifting, 9 frames for a pose" and found["fits"]
    assert found["holds"] == ["model_pos", "model_traj"]
    assert info.main([str(golden / "lifting_semi.bin")]) == 0
    lines = [" ".join(one.split()) for one in capsys.readouterr().out.splitlines()]
    assert {"told by the file itself", "filter_widths 3, 3", "fits yes"} <= {*lines}


def test_what_is_no_weights_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: is neither a file nor the n"):
        info.main(["nowhere"])
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h5"):
        info.main([str(tmp_path / "nowhere.h5")])
    (tmp_path / "a.h5").write_text("text")
    with pytest.raises(OSError, match=r"a\.h5"):
        info.main([str(tmp_path / "a.h5")])


def test_the_schema_is_one(capsys):
    assert info.main(["--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(SystemExit, match="2"):
        info.main(["--schema", "small_pose"])
    assert "--schema is not of WEIGHTS" in capsys.readouterr().err
