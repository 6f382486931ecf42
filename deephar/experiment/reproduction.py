"""What there is to reproduce of the papers: the authors' weights on the owners' data.

`from_nothing` has the same on a small scale, for data and weights made here.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence

from deephar.checkpoints import KNOWN, Published
from deephar.checkpoints.known import RELEASES
from deephar.experiment.origins import ANNOTATIONS, AUTHORS_FILES, BOXES
from deephar.plans import Extra, Plan, Step
from deephar.utils.fs import md5_of

_PARAMETERS = {
    "mpii": 14_847_936,
    "human36m": 16_721_938,
    "penn_merge": 12_906_496,
    "ntu_merge": 16_988_568,
    "penn_spnet": 20_541_416,
    "ntu_spnet": 12_834_928,
}
"""Numbers in the published files, of 4 bytes each."""

DATA = {
    "MPII": (ANNOTATIONS, "images"),
    "Human3.6M": (ANNOTATIONS, "images"),
    "PennAction": (ANNOTATIONS, "frames"),
    "NTU": ("nturgb+d_numpy", "images-small"),
}
"""What each data set consists of. Of these, files change what comes out by their md5,
folders by the names in them."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Where things lie; absolute paths.

    Attributes:
        root: the checkout, with exp/ and datasets/.
        out: folder of all that is made.
        datasets: folder of the data sets' folders.
        weights: folder of the published weights.
    """

    root: pathlib.Path
    out: pathlib.Path
    datasets: pathlib.Path
    weights: pathlib.Path


def published(places: Places) -> Plan:
    """The papers' evaluations: the authors' weights, the owners' data sets.

    Args:
        places: where things lie.
    """
    steps = [
        *_of_pictures(functools.partial(_evaluation, places)),
        *_of_clips(functools.partial(_evaluation, places)),
        *_of_spnet(functools.partial(_evaluation, places)),
    ]
    return Plan(
        steps=(*steps, tables(places, steps)),
        out=places.out,
        root=places.root,
        sources=_sources(places),
        spoilt=_spoilt(places),
    )


def _of_pictures(score: Callable[..., Step]) -> list[Step]:
    """The evaluations of poses of CVPR'18."""
    mpii, h36m = "exp/mpii/eval_mpii_singleperson.py", "exp/h36m/eval_h36m.py"
    looks, crops = "--flip --multi-crop", "several crops, mirrored"
    people = {"weights": "mpii", "data": "MPII"}
    actors = {"weights": "human36m", "data": "Human3.6M"}
    return [
        score("mpii", "one crop", mpii, "--every-block", **people),
        score("mpii_crops", crops, mpii, looks, **people),
        score("human36m", "one crop", h36m, **actors),
        score("human36m_crops", crops, h36m, looks, **actors),
    ]


def _of_clips(score: Callable[..., Step]) -> list[Step]:
    """The evaluations of actions of CVPR'18."""
    penn = "exp/pennaction/eval_penn_ar_pe_merge.py"
    ntu, clips = "exp/ntu/eval_ntu_ar_pe_merge.py", "--multi-clip"
    sports = {"weights": "penn_merge", "data": "PennAction"}
    days = {"weights": "ntu_merge", "data": "NTU"}
    boxes = {"boxes": f"PennAction/{BOXES}"}
    return [
        score("penn", "one clip", penn, **sports),
        score("penn_clips", "many clips", penn, clips, **sports),
        score("penn_boxes", "the authors' boxes", penn, clips, **sports, **boxes),
        score("ntu", "one clip", ntu, **days),
        score("ntu_clips", "many clips", ntu, clips, **days),
    ]


def _of_spnet(score: Callable[..., Step]) -> list[Step]:
    """The evaluations of TPAMI'20; their data for poses need not be there."""
    penn, speed = (f"exp/pennaction/eval_{n}.py" for n in ("penn_multitask", "speed2d"))
    ntu, both = "exp/ntu/eval_ntu_multitask.py", "SPNet: actions and {} poses"
    timed = "SPNet: time and score of every prediction"
    sports = {"weights": "penn_spnet", "data": "PennAction", "extras": {"mpii": "MPII"}}
    days = {"weights": "ntu_spnet", "data": "NTU", "extras": {"h36m": "Human3.6M"}}
    return [
        score("penn_spnet", both.format("2D"), penn, **sports),
        score("ntu_spnet", both.format("3D"), ntu, **days),
        score("speed", timed, speed, **sports),
    ]


def _evaluation(
    places: Places,
    name: str,
    about: str,
    script: str,
    flags: str = "",
    *,
    weights: str,
    extras: Mapping[str, str] | None = None,
    **files: str,
) -> Step:
    """An evaluation of published weights.

    `files` are data sets, or files, by flag; `extras` such that need not be there.
    """
    folder = places.out / "evaluations" / name
    needs = [places.weights / KNOWN[weights].file]
    words = [script, folder, "--weights", *needs]
    for flag, one in files.items():
        more, parts = _given(places, flag, one)
        words += more
        needs += parts
    further = [Extra(*_given(places, *pair)) for pair in (extras or {}).items()]
    return Step(
        name=name,
        about=about,
        command=(*words, *flags.split()),
        needs=tuple(needs),
        makes=(folder / "evaluation.json",),
        extras=tuple(further),
        folder=folder,
    )


def _given(places: Places, flag: str, one: str) -> tuple[tuple, tuple]:
    """The arguments for a data set or a file, and what must be there for them."""
    path = places.datasets / one
    return (f"--{flag}", path), tuple(path / part for part in DATA.get(one, ("",)))


def tables(places: Places, steps: Sequence[Step]) -> Step:
    """The papers' tables of all evaluations among the steps."""
    folder = places.out / "tables"
    pages = [p for s in steps for p in s.makes if p.name == "evaluation.json"]
    return Step(
        name="tables",
        about="the papers' tables",
        command=("exp/tables.py", "--out", folder),
        makes=(folder / "tables.md",),
        gathers=tuple(pages),
        folder=folder,
    )


def _sources(places: Places) -> dict[pathlib.Path, str]:
    found = {places.weights / p.file: _of_weights(p) for p in KNOWN.values()}
    for data, parts in DATA.items():
        readme = f"see datasets/{data}/README.md"
        for part in parts:
            found[places.datasets / data / part] = readme
    for (data, name), (address, md5) in AUTHORS_FILES.items():
        path = places.datasets / data / name
        known = f"{RELEASES}/{address} (md5 {md5})"
        before = f"; {found[path]}" if path in found else ""
        found[path] = known + before
    return found


def _of_weights(published: Published) -> str:
    address = published.address or f"{published.drive} (by a browser)"
    md5 = published.md5 or "not published"
    size = _PARAMETERS[published.name] * 4 / 1e6
    return f"{address} (md5 {md5}, about {size:.0f} MB); see weights/README.md"


def _spoilt(places: Places) -> dict[pathlib.Path, str]:
    """What is there, but is not what was published, and why it is not used."""
    penn = places.datasets / "PennAction"
    annotations, boxes = penn / ANNOTATIONS, penn / BOXES
    files = {places.weights / p.file: p.md5 for p in KNOWN.values()}
    files[boxes] = AUTHORS_FILES["PennAction", BOXES][1]
    found = {
        path: f"has the md5 {md5_of(path)}, not that of the published file"
        for path, md5 in files.items()
        if md5 and path.is_file() and md5_of(path) != md5
    }
    if boxes.is_file() and annotations.is_file():
        if md5_of(annotations) != AUTHORS_FILES["PennAction", ANNOTATIONS][1]:
            found[boxes] = "counts videos as the authors' annotations.mat, not this one"
    return found
