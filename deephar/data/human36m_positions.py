"""Joints and cameras of Human3.6M from the files that are in use.

Joints (`read_positions`) come from one of

    data_3d_h36m.npz        VideoPose3D's form: positions_3d, a dictionary of people and
                            takes; arrays (n, 32, 3) or (n, 17, 3) in the world, m
    a folder of the owners' D3_Positions, S1/MyPoseFeatures/D3_Positions/Directions 1.X:
        .cdf                as the owners give them, NASA's CDF; needs cdflib
        .cdf.mat, .mat      brought to MATLAB's form, version 5 to 7.3
    a folder of S1/MyPoses/3D_positions/Directions 1.h5, as 3d-pose-baseline gives them

the last three with arrays of 96 columns, x, y, z joint by joint, in the world, mm.

Cameras (`read_cameras`) come from a JSON file in one of two forms:

    {"intrinsics": {CAMERA: {calibration_matrix, distortion (k1, k2, p1, p2, k3)}},
     "extrinsics": {"S1": {CAMERA: {R, t}}}}        x = R world + t, mm
    {"S1.CAMERA": {R, T, f, c, k, p}}               world = R x + T, m

Both call the tangential distortion (p1, p2) as OpenCV does; `Camera` takes (p2, p1).
With that the four real frames that were tried agree with their 2D joints within 0.0001
px, as it stands in the files within 0.2 px.
"""

import functools
import importlib
import importlib.util
import json
import os
import pathlib
from collections.abc import Collection, Iterator

import h5py
import numpy as np

from deephar.data.human36m_format import JOINT_NAMES
from deephar.data.human36m_names import SUBJECTS, find_take, take_name
from deephar.data.lifting_skeletons import KEPT_JOINTS
from deephar.data.matfile import read_mat
from deephar.data.records import shaped
from deephar.utils.camera import Camera
from deephar.utils.npz import restricted_npz_object

FOLDERS = ("MyPoseFeatures/D3_Positions", "MyPoses/3D_positions")
ENDINGS = (".cdf.mat", ".mat", ".cdf", ".h5")
THIGH = (300.0, 600.0)
"""So long must a right thigh be, mm: tells metres from millimetres."""

_SPINE = 11
"""Joint that the recordings have 0.1 mm from the pelvis."""

_MM_PER_M = 1000.0
_HDF5_HEAD = b"\x89HDF"

Takes = dict[tuple[int, int, int], np.ndarray]


def read_positions(
    path: str | os.PathLike,
    subjects: Collection[int] = SUBJECTS,
    bad: dict[tuple[int, str], str] | None = None,
) -> Takes:
    """Reads the joints of all takes.

    Of 17 joints the other 15 are NaN, but the spine, which the recordings have at the
    pelvis.

    Args:
        path: The file or folder.
        subjects: People to read; the takes of the others are passed over.
        bad: Where to put the takes that are bad, {(subject, name): what is wrong};
            None to raise an error for the first.

    Returns:
        {(subject, action, take): array (n, 32, 3), mm}.

    Raises:
        FileNotFoundError: if there is no such file or folder, or it holds no takes.
        ValueError: naming file and take, if it is damaged or laid out otherwise, a take
            is not known or the joints are not in the unit above.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        sources = _read_folder(path)
    elif path.is_file():
        sources = _read_npz(path)
    else:
        raise FileNotFoundError(f"no such file or folder: {path}")
    takes: Takes = {}
    passed_over = set(SUBJECTS) - set(subjects)
    for source, subject, name, read in sources:
        if subject in passed_over:
            continue
        try:
            take = subject, *find_take(subject, name)
            name = take_name(*take)
            takes[take] = _joints_32(source, read())
        except (OSError, ValueError) as error:
            text = str(error)
            text = text if source in text else f"{source}: {text}"
            if bad is None:
                raise ValueError(text) from error
            bad[subject, name] = text
    if not takes and not bad:
        raise FileNotFoundError(f"no takes in {path}: {' or '.join(FOLDERS)}")
    return takes


def _joints_32(owner, positions):
    joints = positions.shape[1] if positions.ndim == 3 else None
    if joints == len(KEPT_JOINTS):
        shape = (None, len(KEPT_JOINTS), 3)
    else:
        shape = (None, len(JOINT_NAMES), 3)
    positions = shaped(owner, "positions", positions, shape, np.float64)
    if joints == len(KEPT_JOINTS):
        all_joints = np.full((len(positions), len(JOINT_NAMES), 3), np.nan)
        all_joints[:, KEPT_JOINTS] = positions
        all_joints[:, _SPINE] = positions[:, 0]
        positions = all_joints
    if len(positions) < 1:
        raise ValueError("a take must have frames. Received: 0 frames")
    thighs = np.linalg.norm(positions[:, 1] - positions[:, 2], axis=-1)
    thighs = thighs[np.isfinite(thighs)]
    if not len(thighs):
        raise ValueError(
            f"the right thigh must be known in some frame. Received: hip or knee is "
            f"NaN in all of {len(positions)}"
        )
    thigh = float(np.median(thighs))
    if not THIGH[0] < thigh < THIGH[1]:
        raise ValueError(
            f"the right thigh must be {THIGH[0]:.0f} to {THIGH[1]:.0f} mm long. "
            f"Received: {thigh:.4g} mm"
        )
    return positions


def _read_npz(path: pathlib.Path) -> Iterator[tuple]:
    people = restricted_npz_object(path, "positions_3d")
    if not isinstance(people, dict):
        raise ValueError(f"{path}: positions_3d must be a dictionary of people")
    for person, takes in people.items():
        number = str(person).removeprefix("S")
        if not number.isdigit() or not isinstance(takes, dict):
            raise ValueError(
                f"{path}: positions_3d must have people S1 ... with dictionaries of "
                f"takes. Received: {person!r}"
            )
        for name, positions in takes.items():
            owner = f"{path}, {person}, {name}"
            read = functools.partial(_in_mm, owner, positions)
            yield owner, int(number), str(name), read


def _in_mm(owner, positions):
    array = np.asarray(positions)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"`positions` of {owner} must be one array of numbers")
    return array.astype(np.float64) * _MM_PER_M


def _read_folder(path: pathlib.Path) -> Iterator[tuple]:
    for subject in SUBJECTS:
        for folder in FOLDERS:
            for file in sorted((path / f"S{subject}" / folder).glob("*")):
                ending = next((e for e in ENDINGS if file.name.endswith(e)), None)
                if ending is not None and not file.name.startswith("."):
                    name = file.name.removesuffix(ending)
                    yield str(file), subject, name, functools.partial(_read_take, file)


def _read_take(file: pathlib.Path) -> np.ndarray:
    """Returns (n, 32, 3) of a file of one take."""
    with open(file, "rb") as content:
        head = content.read(len(_HDF5_HEAD))
        content.seek(512)
        in_hdf5 = _HDF5_HEAD in (head, content.read(len(_HDF5_HEAD)))
    if in_hdf5:
        table = _read_hdf5(file)
    elif file.suffix == ".mat":
        data = read_mat(file, ("data",))["data"]
        table = data.item() if data.dtype == object and data.size == 1 else data
    elif file.suffix == ".cdf":
        table = _read_cdf(file)
    else:
        raise ValueError(f"{file} must be a whole HDF5 file")
    table = shaped(str(file), "the joints", table, (None, 96), np.float64)
    return table.reshape(len(table), len(JOINT_NAMES), 3)


def _read_hdf5(file):
    try:
        with h5py.File(file) as content:
            name = "3D_positions" if "3D_positions" in content else "data"
            values = content[name]
            if values.dtype == h5py.ref_dtype:
                values = content[values[0, 0]]
            return values[()].T
    except (KeyError, OSError) as error:
        raise ValueError(
            f"{file} must be a whole HDF5 file with 3D_positions or data. {error}"
        ) from error


def _read_cdf(file):
    if importlib.util.find_spec("cdflib") is None:
        raise ValueError(
            f"{file} is a file of NASA's CDF, which h5py cannot read: install cdflib "
            "(pip install 'deephar[human36m]'), or give data_3d_h36m.npz or .cdf.mat"
        )
    cdflib = importlib.import_module("cdflib")
    try:
        return np.asarray(cdflib.CDF(file).varget("Pose")).reshape(-1, 96)
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"{file} must be a whole CDF file with the variable Pose. {error}"
        ) from error


def read_cameras(path: str | os.PathLike) -> dict[tuple[int, str], Camera]:
    """Reads the cameras.

    Returns:
        {(subject, owners' name of the camera): Camera, world in mm}.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the camera, if it is laid out otherwise.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of cameras: {path}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be a whole JSON file. {error}") from error
    cameras, place = {}, ""
    try:
        if "extrinsics" in content:
            for person, views in content["extrinsics"].items():
                for name, view in views.items():
                    place = f"camera {name} of {person}: "
                    camera = _camera_of_matrices(content["intrinsics"][name], view)
                    cameras[int(person.removeprefix("S")), name] = camera
        else:
            for key, view in content.items():
                place = f"camera {key}: "
                person, name = key.split(".")
                cameras[int(person.removeprefix("S")), name] = _camera_of_lists(view)
    except KeyError as error:
        raise ValueError(f"{path}: {place}{error} is lacking") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {place}{error}") from error
    return cameras


def _camera_of_matrices(lens, view):
    matrix = shaped(
        "it", "calibration_matrix", lens["calibration_matrix"], (3, 3), float
    )
    k1, k2, p1, p2, k3 = lens["distortion"]
    rotation = shaped("it", "R", view["R"], (3, 3), float)
    place = -rotation.T @ np.reshape(np.asarray(view["t"], dtype=float), (3, 1))
    focal, centre = [matrix[0, 0], matrix[1, 1]], [matrix[0, 2], matrix[1, 2]]
    return _checked(Camera(rotation, place, focal, centre, [p2, p1], [k1, k2, k3]))


def _camera_of_lists(view):
    rotation = shaped("it", "R", view["R"], (3, 3), float).T
    place = np.asarray(view["T"], dtype=float) * _MM_PER_M
    p1, p2 = np.ravel(view["p"])
    return _checked(
        Camera(rotation, place, view["f"], view["c"], [p2, p1], np.ravel(view["k"]))
    )


def _checked(camera):
    error = np.abs(camera.R @ camera.R.T - np.eye(3)).max()
    if not (np.isfinite(camera.serialize()).all() and error < 1e-4):
        raise ValueError("R must be a rotation and all values finite")
    return camera
