"""Files of predictions: streamed, valid at every end, of the form of the schema."""

import copy
import importlib
import json

import numpy as np
import pytest
from video_files import full_disk

from deephar.inference import Action, FramePrediction, Person, Pose, Pose3D, schema
from deephar.inference.schema import SCHEMA, validate
from deephar.inference.writing import PredictionWriter, prediction_header
from deephar.utils.pose import pa17j3d

NAMES = tuple(pa17j3d.joint_names)
POSE = Pose(np.full((17, 3), np.nan), np.ones(17), (0, 0, 9, 9), NAMES)
IN_SPACE = Pose3D(np.ones((17, 3)), pa17j3d)
ACTION = Action(("sit", "stand"), {"m": np.array([0.25, 0.75])}, "m", (1, 8))
PEOPLE = (Person(POSE, (1, 2, 3, 4), 0.9, 1, IN_SPACE, ACTION), Person(None))
HEADER = prediction_header(pa17j3d, {"weights": "a.h5"}, labels=["sit", "stand"])


def _frame(number):
    return FramePrediction("a.mp4", number, number / 25, (64, 48), PEOPLE)


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def document(tmp_path):
    with PredictionWriter(tmp_path / "a.json", HEADER) as writer:
        writer.write(_frame(1))
        writer.write(FramePrediction("a.mp4", 2, None, (64, 48), (), "damaged"))
    return _read(tmp_path / "a.json")


def test_a_file_is_of_the_form_of_the_schema(document):
    importlib.import_module("jsonschema").Draft202012Validator.check_schema(SCHEMA)
    validate(document)
    assert (document["format"], document["version"]) == ("deephar-predictions", 1)
    assert (document["weights"], document["network"]) == ("a.h5", None)
    assert document["labels"] == ["sit", "stand"] and document["complete"]
    assert document["layout"]["joint_names"][16] == "spine"
    first, second = document["frames"]
    assert first == json.loads(_frame(1).to_json())
    assert first["people"][0]["pose"]["joints"]["head"]["x"] is None
    assert (second["error"], second["people"]) == ("damaged", [])


def test_a_file_without_frames_is_valid(tmp_path):
    with PredictionWriter(tmp_path / "a.json", HEADER):
        assert not (tmp_path / "a.json").exists()
    validate(_read(tmp_path / "a.json"))


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_ctrl_c_and_errors_leave_what_was_written(tmp_path, end):
    with pytest.raises(end), PredictionWriter(tmp_path / "a.json", HEADER) as writer:
        for number in range(1, 4):
            writer.write(_frame(number))
        raise end("stop")
    found = _read(tmp_path / "a.json")
    validate(found)
    assert len(found["frames"]) == 3 and not found["complete"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("size", range(9_000, 9_030, 3))
def test_a_full_disk_leaves_what_was_written(tmp_path, size):
    with pytest.raises(OSError, match="File too large"), full_disk(size):
        with PredictionWriter(tmp_path / "a.json", HEADER) as writer:
            for number in range(1, 400):
                writer.write(FramePrediction("a.mp4", number, None, (64, 48), ()))
    found = _read(tmp_path / "a.json")
    assert len(found["frames"]) == number - 1 > 10 and not found["complete"]
    assert size - 150 < (tmp_path / "a.json").stat().st_size <= size


def test_a_line_that_is_not_counted_is_written_over(tmp_path):
    with PredictionWriter(tmp_path / "a.json", HEADER) as writer:
        writer.write(_frame(1))
        end = writer._end
        writer.write(_frame(2))
        # As if Ctrl-C had come just behind the file's own write.
        writer._end = end
        writer.write(_frame(3))
        writer.complete = False
    found = _read(tmp_path / "a.json")
    assert [frame["number"] for frame in found["frames"]] == [1, 3]
    assert found["complete"] is False


def test_half_a_line_is_cut_off(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with PredictionWriter(tmp_path / "a.json", HEADER) as writer:
            writer.write(_frame(1))
            writer._file.write(b',\n {"source": "a.')
            raise KeyboardInterrupt
    assert len(_read(tmp_path / "a.json")["frames"]) == 1


def test_every_line_is_on_its_way_to_the_disk_and_none_is_kept(tmp_path):
    with PredictionWriter(tmp_path / "a.json", HEADER) as writer:
        for number in range(1, 40):
            writer.write(_frame(number))
        draft = next(tmp_path.iterdir())
        assert draft.stat().st_size > 38 * len(_frame(1).to_json()) - 2**17
        assert not any(isinstance(x, list | tuple) for x in vars(writer).values())


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        PredictionWriter(tmp_path / "nowhere" / "a.json", HEADER).__enter__()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.pop("units"), r"at \$: 'units' is a required"),
        (lambda d: d.update(version=2), r"at \$\.version: 1 was expected"),
        (lambda d: d["frames"][0].update(number=0), r"\$\.frames\[0\]\.number: 0 is"),
        (lambda d: d["frames"][1].update(size=[64]), r"frames\[1\]\.size: \[64\] is"),
        (
            lambda d: d["frames"][0]["people"][0]["action"].update(frames=[]),
            r"people\[0\]\.action",
        ),
        (
            lambda d: d["frames"][0]["people"][0].update(box=[1]),
            r"people\[0\]\.box: \[1\]",
        ),
        (lambda d: d["frames"][0].update(more=1), r"'more' was unexpected"),
        (
            lambda d: d["frames"][0]["people"][0]["pose"]["joints"]["head"].pop("x"),
            r"frames\[0\]\.people\[0\]\.pose\.joints\.head: 'x' is a required",
        ),
    ],
)
def test_the_place_of_the_first_error_is_named(document, change, place):
    wrong = copy.deepcopy(document)
    change(wrong)
    with pytest.raises(ValueError, match=place):
        validate(wrong)


def test_without_jsonschema_it_is_said_what_is_missing(document, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(schema.importlib, "import_module", absent)
    with pytest.raises(ModuleNotFoundError, match=r"pip install deephar\[test\]"):
        validate(document)
