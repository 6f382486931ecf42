"""Human3.6M's own file names and the names aXX_sXX_eXX_cXX of its sequences.

The owners call a take by its action and perhaps a number, `Directions 1`, which differ
from person to person. The names of the original are in alphabetical order of the
actions, two takes each: as a rule the first is `ACTION 1` and the second `ACTION`.
Source: datasets/Human3.6M/vid2jpeg.txt of https://github.com/dluvizon/deephar, with
whose 839 lines this table agrees.
"""

from collections.abc import Iterator

from deephar.data.human36m_format import (
    ACTIONS,
    CAMERAS,
    TRAIN_SUBJECTS,
    VALID_SUBJECTS,
)

SUBJECTS = (*TRAIN_SUBJECTS, *VALID_SUBJECTS)
"""The people whose joints are public."""
TRAIN_STEP, VALID_STEP = 5, 64
"""Of the training and of the validation people the original takes every so many frames,
from the first."""

_SPELLING = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
"""S1's names of two actions; data_3d_h36m.npz of VideoPose3D has the others' for S1."""

_USUAL = {"SittingDown": ("", "1")}
_OTHERWISE = ("1", "")
_EXCEPTIONS = {
    (1, "Eating"): ("2", ""),
    (1, "Sitting"): ("1", "2"),
    (1, "SittingDown"): ("2", ""),
    (5, "Directions"): ("1", "2"),
    (5, "Discussion"): ("2", "3"),
    (5, "Greeting"): ("1", "2"),
    (5, "Photo"): ("", "2"),
    (5, "Waiting"): ("1", "2"),
    (6, "Eating"): ("1", "2"),
    (6, "Posing"): ("2", ""),
    (6, "Sitting"): ("1", "2"),
    (6, "SittingDown"): ("1", ""),
    (6, "Photo"): ("", "1"),
    (6, "Waiting"): ("3", ""),
    (7, "Phoning"): ("2", ""),
    (7, "Photo"): ("", "1"),
    (7, "Waiting"): ("1", "2"),
    (7, "Walking"): ("1", "2"),
    (8, "WalkTogether"): ("1", "2"),
    (9, "Discussion"): ("1", "2"),
    (11, "Discussion"): ("1", "2"),
    (11, "Greeting"): ("2", ""),
    (11, "Phoning"): ("3", "2"),
    (11, "Smoking"): ("2", ""),
}
_DAMAGED = (11, 2, 2, "54138969")
"""The owners' video S11/Videos/Directions.54138969.mp4 is not whole."""


def take_name(subject: int, action: int, take: int) -> str:
    """Returns the owners' name of a take, `Directions 1`, in the common spelling.

    Args:
        subject: Number of the person, one of `SUBJECTS`.
        action: Number of the action, 2 to 16.
        take: 1 or 2.

    Raises:
        ValueError: if there is no such take.
    """
    if subject not in SUBJECTS or action not in ACTIONS or take not in (1, 2):
        raise ValueError(
            f"`subject` must be one of {SUBJECTS}, `action` 2 to 16 and `take` 1 or 2. "
            f"Received: subject={subject}, action={action}, take={take}"
        )
    name = ACTIONS[action]
    usual = _USUAL.get(name, _OTHERWISE)
    number = _EXCEPTIONS.get((subject, name), usual)[take - 1]
    return f"{name} {number}".rstrip()


def video_name(subject: int, action: int, take: int, camera: str) -> str:
    """Returns the owners' name of a video, `S1/Videos/Directions 1.54138969.mp4`."""
    name = take_name(subject, action, take)
    if subject == 1:
        for owners, common in _SPELLING.items():
            name = name.replace(common, owners)
    return f"S{subject}/Videos/{name}.{camera}.mp4"


def find_take(subject: int, name: str) -> tuple[int, int]:
    """Returns (action, take) of the owners' name of a take in either spelling.

    Raises:
        ValueError: if the person has no such take.
    """
    for owners, common in _SPELLING.items():
        name = name.replace(owners, common)
    for action in ACTIONS:
        for take in (1, 2):
            if take_name(subject, action, take) == name:
                return action, take
    raise ValueError(
        f"the name must be that of a take of S{subject}. Received: {name!r}"
    )


def sequence_name(subject: int, action: int, take: int, camera: str) -> str:
    """Returns aXX_sXX_eXX_cXX.

    Raises:
        ValueError: if there is no such camera.
    """
    if camera not in CAMERAS:
        raise ValueError(f"`camera` must be one of {CAMERAS}. Received: {camera!r}")
    number = CAMERAS.index(camera) + 1
    return f"a{action:02d}_s{subject:02d}_e{take:02d}_c{number:02d}"


def all_sequences() -> Iterator[tuple[int, int, int, str]]:
    """Gives (subject, action, take, camera) of the 839 videos that are whole."""
    for subject in SUBJECTS:
        for camera in CAMERAS:
            for action in ACTIONS:
                for take in (1, 2):
                    if (subject, action, take, camera) != _DAMAGED:
                        yield subject, action, take, camera
