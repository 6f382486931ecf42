"""datasets/MPII/convert.py: three forms of lists become one annotations.mat."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
import scipy.io

from deephar.config import mpii_sp_dataconf
from deephar.data.mpii import MpiiSinglePerson, load_mpii_mat_annotation
from deephar.utils.modes import TRAIN_MODE, VALID_MODE

SCRIPT = pathlib.Path(__file__).parents[1] / "datasets" / "MPII" / "convert.py"
spec = importlib.util.spec_from_file_location("convert_mpii", SCRIPT)
convert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(convert)

POSE = np.arange(32, dtype=float).reshape(16, 2) + 10


def point(joint, **more):
    x, y = POSE[joint]
    return {"x": x, "y": y, "id": joint, **more}


def rect(points, scale=2.0, **more):
    box = {"x1": 10, "y1": 20, "x2": 13, "y2": 24}
    objpos = {"x": 30, "y": 40}
    return {**box, "annopoints": {"point": points}, "scale": scale, "objpos": objpos}


def struct_array(*items):
    """MATLAB struct array (1, n) of dictionaries with the same keys."""
    array = np.empty((1, len(items)), dtype=[(key, object) for key in items[0]])
    for i, item in enumerate(items):
        array[0, i] = tuple(item.values())
    return array


def write_release(path):
    """The owners' RELEASE struct, with the variants that occur in their file."""
    empty = np.zeros((0, 0))
    seen = [point(i, is_visible=int(i != 2)) for i in range(16)]
    seen[8] = point(8, is_visible=empty)
    seen[10] = point(10, is_visible="0")
    annorects = [
        struct_array(rect(struct_array(*seen))),
        struct_array(rect(struct_array(*seen[:3])), rect(struct_array(point(4)))),
        empty,
        struct_array({"x1": 1, "y1": 2, "x2": 3, "y2": 4}),
        struct_array({**rect(empty), "annopoints": empty}),
        struct_array(rect(struct_array(*seen), scale=empty)),
        struct_array(rect(struct_array(point(5, is_visible="")))),
        struct_array(rect(struct_array(*seen))),
    ]
    annolist = struct_array(
        *(
            {"image": {"name": f"{i}.jpg"}, "annorect": annorect, "vididx": empty}
            for i, annorect in enumerate(annorects)
        )
    )
    img_train = np.array([[1, 1, 1, 1, 1, 1, 1, 0]], dtype=np.uint8)
    release = {"annolist": annolist, "img_train": img_train, "version": "12"}
    scipy.io.savemat(path, {"RELEASE": release})
    return path


def write_json(path, people):
    rows = [
        {
            "image": name,
            "center": center,
            "scale": scale,
            "joints": POSE.tolist(),
            "joints_vis": [1] * 15 + [0],
        }
        for name, center, scale in people
    ]
    path.write_text(json.dumps(rows))
    return path


def write_h5(path, people):
    with h5py.File(path, "w") as file:
        scale = np.array([person[2] for person in people])
        center = np.array([person[1] for person in people], dtype=float)
        part = np.repeat(POSE[None], len(people), axis=0)
        part[:, 15] = 0
        file["imgname"] = np.array([person[0].encode() for person in people])
        file["scale"] = scale * 1.25
        file["center"] = center + np.stack([0 * scale, 15 * scale], axis=-1)
        file["part"], file["normalize"] = part, 25 * scale
    return path


def read_back(folder):
    """Picture, head, objpos, scale and pose of everybody: ([train], [valid])."""
    rectidxs, images, annorect = load_mpii_mat_annotation(folder / "annotations.mat")
    parts = []
    for mode in (TRAIN_MODE, VALID_MODE):
        people = []
        columns = zip(rectidxs[mode], images[mode], annorect[mode], strict=True)
        for numbers, name, rects in columns:
            people += [(name[0], rects[n - 1, 0][0, 0]) for n in numbers[:, 0]]
        parts.append(people)
    return parts


def run(tmp_path, *arguments):
    out = tmp_path / "out"
    status = convert.main([*map(str, arguments), "--out", str(out)])
    return status, out


def test_release_keeps_people_with_joints_box_centre_and_scale(tmp_path, capsys):
    status, out = run(tmp_path, write_release(tmp_path / "release.mat"))
    train, valid = read_back(out)
    assert (status, len(valid)) == (0, 0)
    assert [name for name, _ in train] == ["0.jpg", "1.jpg", "1.jpg", "6.jpg"]
    person = train[0][1]
    assert person["head"].tolist() == [[10, 20, 13, 24]]
    assert person["objpos"].tolist() == [[30, 40]]
    assert person["scale"].item() == 2
    assert np.array_equal(person["pose"], POSE.T)
    assert np.flatnonzero(person["visible"][0] == 0).tolist() == [2, 10]
    assert "visible" not in train[2][1].dtype.names
    text = capsys.readouterr().out
    assert "left out: 2 people without joints" in text
    assert "left out: 1 people without head box, centre or scale" in text
    reason = "test pictures, since RELEASE.single_person is absent"
    assert f"left out: 1 {reason}" in text


def test_release_leaves_unlabelled_joints_open(tmp_path):
    _, out = run(tmp_path, write_release(tmp_path / "release.mat"))
    train, _ = read_back(out)
    known = [np.flatnonzero(~np.isnan(p["pose"][0])).tolist() for _, p in train]
    assert known[1:] == [[0, 1, 2], [4], [5]]
    assert train[2][1]["pose"][:, 4].tolist() == POSE[4].tolist()


def test_release_names_a_joint_number_out_of_range(tmp_path):
    wrong = struct_array(rect({"x": 1, "y": 2, "id": 16}))
    annolist = {"image": {"name": "a.jpg"}, "annorect": wrong}
    release = {"annolist": annolist, "img_train": 1}
    scipy.io.savemat(tmp_path / "r.mat", {"RELEASE": release})
    with pytest.raises(ValueError, match=r"r\.mat: picture 1.*0 to 15.*id=16"):
        convert.read_people(tmp_path / "r.mat", convert.Notes())


def test_hourglass_and_json_lists_agree(tmp_path):
    people = [("a.jpg", [50, 60], 1.5), ("b.jpg", [70, 80], 2.5)]
    h5 = write_h5(tmp_path / "v.h5", people)
    js = write_json(tmp_path / "v.json", people)
    status, out = run(tmp_path, "--train", h5, "--valid", js)
    train, valid = read_back(out)
    assert status == 0
    assert [name for name, _ in train] == [name for name, _ in valid]
    for (_, ours), (_, theirs) in zip(train, valid, strict=True):
        for key in ("head", "objpos", "scale", "pose"):
            np.testing.assert_allclose(ours[key], theirs[key], atol=1e-12)
        assert np.isnan(ours["pose"][:, 15]).all()


def test_head_box_has_the_head_size_and_lies_on_the_head():
    pose = np.full((16, 2), np.nan)
    assert convert.head_box(30, pose, np.array([5.0, 6.0])).mean() == 5.5
    pose[8:10] = [[40, 70], [44, 50]]
    box = convert.head_box(30, pose, np.array([5.0, 6.0]))
    assert 0.6 * np.hypot(*(box[2:] - box[:2])) == pytest.approx(30)
    assert (box[:2] + box[2:]).tolist() == pytest.approx([84, 120])


def test_validation_list_takes_its_people_and_their_pictures(tmp_path, capsys):
    people = [("a.jpg", [50, 60], 1), ("a.jpg", [90, 60], 1), ("b.jpg", [9, 9], 1)]
    js = write_json(tmp_path / "all.json", people)
    listed = write_h5(tmp_path / "v.h5", [*people[:1], ("c.jpg", [5, 5], 1)])
    _, out = run(tmp_path, js, "--valid-list", listed)
    train, valid = read_back(out)
    assert [name for name, _ in train] == ["b.jpg"]
    assert [p["objpos"].tolist() for _, p in valid] == [[[50, 60]]]
    text = capsys.readouterr().out
    assert "left out: 1 people beside a validation person" in text
    assert "left out: 1 people of the validation list that no source has" in text


def test_validation_fraction_splits_by_picture_and_repeats(tmp_path):
    people = [(f"{i % 10}.jpg", [i, i], 1) for i in range(30)]
    js = write_json(tmp_path / "all.json", people)
    names = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        _, out = run(tmp_path / folder, js, "--valid-fraction", 0.3, "--seed", 4)
        train, valid = ({name for name, _ in part} for part in read_back(out))
        assert (len(train), len(valid), train & valid) == (7, 3, set())
        names.append(valid)
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"must end in \.mat, \.h5, \.hdf5, \.json.*a\.txt"),
        ("a.json", b'[{"image"', r"a\.json must be a whole JSON file"),
        ("a.json", b'[{"image": "x.jpg"}]', r"a\.json: person 0 has no 'joints'"),
        ("a.json", b"{}", r"a\.json must hold a list. Received: dict"),
        ("a.json", b'["x.jpg"]', r"a\.json: person 0 must be a dict.*'x\.jpg'"),
        ("a.json", b"[{}]", r"a\.json: person 0 has no 'joints'"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", r"a\.h5 must be a whole HDF5 file"),
        ("a.mat", b"no mat file" * 30, r"a\.mat must be a whole MATLAB file"),
    ],
)
def test_a_bad_list_is_named(tmp_path, capsys, name, content, message):
    (tmp_path / name).write_bytes(content)
    status, out = run(tmp_path, tmp_path / name)
    assert status == 1
    assert not (out / "annotations.mat").exists()
    with pytest.raises(ValueError, match=message):
        convert.read_people(tmp_path / name, convert.Notes())


def test_a_person_with_15_joints_is_named(tmp_path):
    js = write_json(tmp_path / "a.json", [("x.jpg", [1, 2], 1)])
    rows = json.loads(js.read_text())
    rows[0]["joints"].pop(), rows[0]["joints_vis"].pop()
    js.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=r"a\.json: person 0.*\(16, 2\).*\(15, 2\)"):
        convert.read_people(js, convert.Notes())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("joints", "many", "could not convert"),
        ("joints_vis", 1, "index"),
        ("scale", None, "NoneType"),
        ("center", [1], r"`objpos` of x\.jpg must have the shape \(2,\)"),
        ("image", 5, "`picture` must be a file name"),
    ],
)
def test_a_wrong_value_is_named_with_its_person(tmp_path, key, value, message):
    js = write_json(tmp_path / "a.json", [("x.jpg", [1, 2], 1)])
    rows = json.loads(js.read_text())
    js.write_text(json.dumps([rows[0], {**rows[0], key: value}]))
    with pytest.raises(ValueError, match=rf"a\.json: person 1: .*{message}"):
        convert.read_people(js, convert.Notes())


@pytest.mark.parametrize("name", ["../stolen.jpg", "/tmp/stolen.jpg", "a/../../b.jpg"])
@pytest.mark.parametrize("write", [write_json, write_h5])
def test_a_picture_outside_the_folder_is_refused(tmp_path, capsys, write, name):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "stolen.jpg").write_text("secret")
    source = write(tmp_path / f"a.{write.__name__[6:]}", [(name, [1, 2], 1)])
    before = sorted(tmp_path.rglob("*"))
    status, _ = run(tmp_path, source, "--copy-images", tmp_path / "pictures")
    assert status == 1
    assert "`picture` must lie below images/" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_split_without_lists_to_split_is_refused(tmp_path, capsys):
    js = str(write_json(tmp_path / "a.json", [("x.jpg", [1, 2], 1)]))
    for split in (["--valid-fraction", "0.5"], ["--valid-list", js]):
        with pytest.raises(SystemExit, match="2"):
            run(tmp_path, "--train", js, *split)
        assert "named without an option" in capsys.readouterr().err
    assert run(tmp_path, "--train", js, "--valid-fraction", 0)[0] == 0


def test_lists_without_people_leave_the_old_file(tmp_path, capsys):
    js = write_json(tmp_path / "a.json", [("x.jpg", [1, 2], 1)])
    _, out = run(tmp_path, js)
    before = (out / "annotations.mat").read_bytes()
    empty = write_json(tmp_path / "empty.json", [])
    assert run(tmp_path, empty)[0] == 1
    assert "the lists have nobody to use. Wrote nothing" in capsys.readouterr().err
    assert run(tmp_path, js, "--only-with-picture")[0] == 1
    error = capsys.readouterr().err
    assert f"nobody to use with a picture in {out / 'images'}" in error
    assert (out / "annotations.mat").read_bytes() == before


def test_people_with_an_empty_head_box_are_left_out(tmp_path):
    flat = {**rect(struct_array(point(1))), "x2": 10}
    annolist = {"image": {"name": "a.jpg"}, "annorect": struct_array(flat)}
    release = {"annolist": annolist, "img_train": 1}
    scipy.io.savemat(tmp_path / "r.mat", {"RELEASE": release})
    notes = convert.Notes()
    assert convert.read_people(tmp_path / "r.mat", notes) == []
    assert notes == {"people without head box, centre or scale": 1}


def test_a_missing_list_is_named(tmp_path, capsys):
    assert run(tmp_path, tmp_path / "absent.h5")[0] == 1
    assert f"no such file: {tmp_path / 'absent.h5'}" in capsys.readouterr().err


def test_the_script_runs_from_any_directory(tmp_path, shared):
    samples = shared / "samples" / "mpii"
    lists = ["--train", samples / "test_mpii.json", "--valid", samples / "valid.h5"]
    command = [sys.executable, SCRIPT, *lists, "--out", tmp_path / "mpii"]
    command += ["--copy-images", samples, "--only-with-picture"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    data = MpiiSinglePerson(tmp_path / "mpii", mpii_sp_dataconf)
    assert [data.get_length(mode) for mode in (0, 1, 2)] == [0, 5, 5]
    train, valid = read_back(tmp_path / "mpii")
    for (name, ours), (other, theirs) in zip(train, valid, strict=True):
        assert name == other
        assert ours["scale"].item() == pytest.approx(theirs["scale"].item(), rel=1e-6)
        np.testing.assert_allclose(ours["objpos"], theirs["objpos"], atol=1e-9)
        known = ~np.isnan(theirs["pose"])
        assert np.array_equal(known, ~np.isnan(ours["pose"]))
        difference = np.abs(ours["pose"] - theirs["pose"])[known]
        assert known.sum() >= 24 and difference.max() < 1
