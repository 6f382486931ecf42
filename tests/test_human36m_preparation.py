"""Human3.6M: names, and joints and cameras from files of all kinds."""

import codecs
import hashlib
import io
import json
import pathlib
import pickle
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io

from deephar.data import human36m_names as names
from deephar.data.human36m_format import CAMERAS
from deephar.data.human36m_positions import read_cameras, read_positions

LINES_OF_THE_ORIGINAL = (
    "bae03d7fd654ad68bb48f9942cd8c195cfb535f276fca34421576524a2af96c2"
)


def make_joints(frames, seed=0):
    """Joints (frames, 32, 3), mm, with thighs of 450 mm in front of the cameras."""
    joints = np.random.default_rng(seed).uniform(0, 300, (frames, 32, 3))
    joints[:, 2] = joints[:, 1] + [0, 0, -450]
    return joints


def write_npz(path, people):
    np.savez(path, positions_3d=people)
    return path


def write_cameras(path, subjects=(1, 9), cameras=CAMERAS):
    view = {
        "R": np.eye(3).tolist(),
        "T": [[0], [0], [-5]],
        "f": [[1100], [1101]],
        "c": [[500], [501]],
        "k": [[-0.2], [0.2], [0]],
        "p": [[0.001], [0.002]],
    }
    path.write_text(json.dumps({f"S{s}.{c}": view for s in subjects for c in cameras}))
    return path


def test_the_names_are_the_839_of_the_original():
    lines = sorted(
        f"{names.video_name(*key)}:{names.sequence_name(*key)}"
        for key in names.all_sequences()
    )
    assert len(lines) == 839
    text = "\n".join(lines).encode()
    assert hashlib.sha256(text).hexdigest() == LINES_OF_THE_ORIGINAL
    assert lines[0] == "S1/Videos/Directions 1.54138969.mp4:a02_s01_e01_c01"


def test_both_spellings_find_a_take():
    assert names.find_take(1, "TakingPhoto 1") == names.find_take(1, "Photo 1")
    assert names.find_take(11, "Phoning 3") == (6, 1)
    with pytest.raises(ValueError, match="a take of S11. Received: 'Phoning 1'"):
        names.find_take(11, "Phoning 1")
    with pytest.raises(ValueError, match="Received: subject=2, action=3, take=1"):
        names.take_name(2, 3, 1)


def test_npz_joints_are_brought_to_mm(tmp_path):
    joints = make_joints(4)
    people = {"S1": {"Directions 1": joints / 1000}, "S9": {"Photo": joints / 1000}}
    takes = read_positions(write_npz(tmp_path / "a.npz", people))
    assert set(takes) == {(1, 2, 1), (9, 12, 2)}
    np.testing.assert_allclose(takes[1, 2, 1], joints, rtol=1e-12)


def test_17_joints_take_their_rows_of_32(tmp_path):
    joints = make_joints(2)
    rows = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    people = {"S1": {"Directions 1": joints[:, rows] / 1000}}
    found = read_positions(write_npz(tmp_path / "a.npz", people))[1, 2, 1]
    np.testing.assert_allclose(found[:, rows], joints[:, rows], rtol=1e-12)
    np.testing.assert_allclose(found[:, 11], joints[:, 0], rtol=1e-12)
    assert np.isnan(found[:, [4, 5, 9, 10, 16, 20, 21, 22, 23, 24, 28, 29, 30]]).all()


def write_hdf5(path, table):
    with h5py.File(path, "w") as file:
        file["3D_positions"] = table.T


def write_mat73(path, table):
    with h5py.File(path, "w", userblock_size=512) as file:
        file["refs/a"] = table.T
        file["data"] = np.array([[file["refs/a"].ref]], dtype=h5py.ref_dtype)


def write_mat5(path, table):
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = table
    scipy.io.savemat(path, {"data": cell})


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("MyPoses/3D_positions/Directions 1.h5", write_hdf5),
        ("MyPoseFeatures/D3_Positions/Directions 1.cdf.mat", write_mat73),
        ("MyPoseFeatures/D3_Positions/Directions 1.mat", write_mat5),
    ],
)
def test_the_owners_joints_are_read_from_folders(tmp_path, name, write):
    joints = make_joints(3)
    path = tmp_path / "S1" / name
    path.parent.mkdir(parents=True)
    write(path, joints.reshape(3, 96))
    takes = read_positions(tmp_path)
    np.testing.assert_array_equal(takes[1, 2, 1], joints)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match=r"Directions 1\..* must be a whole"):
        read_positions(tmp_path)


def cdf_path(tmp_path):
    path = tmp_path / "S1" / "MyPoseFeatures" / "D3_Positions" / "Directions 1.cdf"
    path.parent.mkdir(parents=True)
    return path


def test_nasa_cdf_without_cdflib_is_named(tmp_path, monkeypatch):
    cdf_path(tmp_path).write_bytes(bytes.fromhex("cdf30001") * 99)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"1\.cdf is a file of NASA's CDF.*install"):
        read_positions(tmp_path)


def test_nasa_cdf_is_read_by_cdflib(tmp_path):
    cdfwrite = pytest.importorskip("cdflib.cdfwrite")
    path, joints = cdf_path(tmp_path), make_joints(3)
    shape = {"Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [3, 96]}
    file = cdfwrite.CDF(str(path), cdf_spec={"rDim_sizes": []})
    file.write_var({"Variable": "Pose", **shape}, var_data=joints.reshape(1, 3, 96))
    file.close()
    np.testing.assert_array_equal(read_positions(tmp_path)[1, 2, 1], joints)
    path.write_bytes(bytes.fromhex("cdf30001") * 99)
    with pytest.raises(ValueError, match=r"1\.cdf must be a whole CDF file"):
        read_positions(tmp_path)


class Python2(pickle._Pickler):
    """Writes texts and the bytes of arrays as Python 2 does."""

    def save_text(self, value):
        value = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)
        self.memoize(value)

    dispatch = {**pickle._Pickler.dispatch, str: save_text, bytes: save_text}


def write_npz_with(path, people, protocol, pickler=pickle._Pickler):
    cell = np.array(people, dtype=object)
    buffer, content = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|O", "fortran_order": False, "shape": ()}
    )
    pickler(content, protocol).dump(cell)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("positions_3d.npy", buffer.getvalue() + content.getvalue())
    return path


@pytest.mark.parametrize(
    ("protocol", "pickler"),
    [*((number, pickle._Pickler) for number in (2, 3, 4, 5)), (2, Python2)],
)
def test_pickles_of_all_ages_are_read(tmp_path, protocol, pickler):
    joints = make_joints(4)
    people = {"S1": {"Directions 1": joints / 1000}}
    path = write_npz_with(tmp_path / "a.npz", people, protocol, pickler)
    np.testing.assert_allclose(read_positions(path)[1, 2, 1], joints, rtol=1e-12)


def test_bytes_of_a_pickle_are_latin1_only(tmp_path):
    class Zipped:
        def __reduce__(self):
            return codecs.encode, ("a", "rot13")

    write_npz_with(tmp_path / "a.npz", {"S1": Zipped()}, 2)
    with pytest.raises(ValueError, match="a text in the encoding 'rot13'"):
        read_positions(tmp_path / "a.npz")


class Evil:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("evil"),)


def test_a_pickle_cannot_run_anything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "a.npz", {"S1": Evil()})
    with pytest.raises(ValueError, match=r"a\.npz must be a whole.*it asks for"):
        read_positions(tmp_path / "a.npz")
    assert not (tmp_path / "evil").exists()
    assert pickle.dumps(Evil())


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"S1": {"Dancing": make_joints(2) / 1000}}, "a take of S1.*'Dancing'"),
        ({"S1": {"Photo 1": make_joints(2)}}, "thigh must be 300 to 600.*4.5e.05 mm"),
        ({"S1": {"Photo 1": make_joints(2)[:, :16]}}, r"\(n, 32, 3\).*\(2, 16, 3\)"),
        ({"S1": {"Photo 1": make_joints(0)}}, "a take must have frames"),
        ({"S1": {"Photo 1": np.full((2, 32, 3), np.nan)}}, "thigh must be known.*of 2"),
        ({"S1": {"Photo 1": [[1], [2, 3]]}}, r"npz, S1, Photo 1"),
        ({"me": {}}, "people S1 ... with dictionaries.*'me'"),
        ([1, 2], "an array of int64, not an object"),
    ],
)
def test_bad_joints_are_named(tmp_path, people, message):
    with pytest.raises(ValueError, match=message):
        read_positions(write_npz(tmp_path / "a.npz", people))


def test_the_real_stills_project_onto_their_2d_joints(shared):
    samples = shared / "samples" / "h36m"
    cameras = read_cameras(samples / "cameras.json")
    labels = json.loads((samples / "h36m_coco.json").read_text())
    rows = zip(labels["images"], labels["annotations"], strict=True)
    errors = []
    for picture, person in rows:
        subject, rest = picture["file_name"][1:].split("_", 1)
        camera = cameras[int(subject), rest.split(".")[1].split("_")[0]]
        world = np.reshape(person["keypoints_3d"], (17, 4))[:, :3] * 1000
        plane = np.reshape(person["keypoints"], (17, 3))[:, :2]
        errors.append(np.abs(camera.project(world)[:, :2] - plane).max())
    assert len(errors) == 4
    assert max(errors) < 1e-4


def test_both_forms_of_camera_files_agree(shared):
    samples = shared / "samples" / "h36m"
    one = read_cameras(samples / "cameras.json")
    other = read_cameras(samples / "camera-parameters.json")
    assert set(one) == set(other) and len(one) == 44
    for key, camera in one.items():
        np.testing.assert_allclose(
            camera.serialize(), other[key].serialize(), atol=1e-9
        )


def test_bad_camera_files_are_named(tmp_path):
    path = write_cameras(tmp_path / "c.json", subjects=[1], cameras=["54138969"])
    content = json.loads(path.read_text())
    del content["S1.54138969"]["k"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"c\.json: camera S1\.54138969: 'k' is lack"):
        read_cameras(path)
    content["S1.54138969"].update(k=[0, 0, 0], R=(2 * np.eye(3)).tolist())
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="S1.54138969: R must be a rotation"):
        read_cameras(path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"c\.json must be a whole JSON file"):
        read_cameras(path)
