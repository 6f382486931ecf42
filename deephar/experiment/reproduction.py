"""What there is to reproduce of the papers: the authors' weights on the owners' data.

`from_nothing` has the same on a small scale, for data and weights made here.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

from deephar.checkpoints import KNOWN, Published
from deephar.experiment.origins import AUTHORS_FILES, BOXES
from deephar.plans import Plan, Step
from deephar.utils.fs import md5_of

_RELEASES = "https://github.com/dluvizon/deephar/releases/download"

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
    "MPII": ("annotations.mat", "images"),
    "Human3.6M": ("annotations.mat", "images"),
    "PennAction": ("annotations.mat", "frames"),
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
    score = functools.partial(_evaluation, places)
    mpii, h36m = "exp/mpii/eval_mpii_singleperson.py", "exp/h36m/eval_h36m.py"
    penn = "exp/pennaction/eval_penn_ar_pe_merge.py"
    ntu = "exp/ntu/eval_ntu_ar_pe_merge.py"
    looks, clips = "--flip --multi-crop", "--multi-clip"
    spnet_penn = {"weights": "penn_spnet", "data": "PennAction", "mpii": "MPII"}
    spnet_ntu = {"weights": "ntu_spnet", "data": "NTU", "h36m": "Human3.6M"}
    penn_data = {"weights": "penn_merge", "data": "PennAction"}
    ntu_data = {"weights": "ntu_merge", "data": "NTU"}
    mpii_data = {"weights": "mpii", "data": "MPII"}
    h36m_data = {"weights": "human36m", "data": "Human3.6M"}
    boxes = {"boxes": f"PennAction/{BOXES}"}
    steps = [
        score("mpii", "one crop", mpii, "--every-block", **mpii_data),
        score("mpii_crops", "several crops, mirrored", mpii, looks, **mpii_data),
        score("human36m", "one crop", h36m, **h36m_data),
        score("human36m_crops", "several crops, mirrored", h36m, looks, **h36m_data),
        score("penn", "one clip", penn, **penn_data),
        score("penn_clips", "many clips", penn, clips, **penn_data),
        score("penn_boxes", "the authors' boxes", penn, clips, **penn_data, **boxes),
        score("ntu", "one clip", ntu, **ntu_data),
        score("ntu_clips", "many clips", ntu, clips, **ntu_data),
        score(
            *("penn_spnet", "SPNet: actions and 2D poses"),
            "exp/pennaction/eval_penn_multitask.py",
            **spnet_penn,
        ),
        score(
            *("ntu_spnet", "SPNet: actions and 3D poses"),
            "exp/ntu/eval_ntu_multitask.py",
            **spnet_ntu,
        ),
        score(
            *("speed", "SPNet: time and score of every prediction"),
            "exp/pennaction/eval_speed2d.py",
            **spnet_penn,
        ),
    ]
    return Plan(
        steps=(*steps, tables(places, steps)),
        out=places.out,
        root=places.root,
        sources=_sources(places),
        spoilt=_spoilt(places),
    )


def _evaluation(
    places: Places,
    name: str,
    about: str,
    script: str,
    flags: str = "",
    *,
    weights: str,
    **files: str,
) -> Step:
    """An evaluation of published weights; `files` are data sets, or files, by flag."""
    folder = places.out / "evaluations" / name
    needs = [places.weights / KNOWN[weights].file]
    words = [script, folder, "--weights", *needs]
    for flag, one in files.items():
        path = places.datasets / one
        words += [f"--{flag}", path]
        needs += [path / part for part in DATA[one]] if one in DATA else [path]
    makes = (folder / "evaluation.json",)
    return Step(name, about, (*words, *flags.split()), tuple(needs), makes)


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
    )


def _sources(places: Places) -> dict[pathlib.Path, str]:
    found = {places.weights / p.file: _of_weights(p) for p in KNOWN.values()}
    for data, parts in DATA.items():
        readme = f"see datasets/{data}/README.md"
        for part in parts:
            found[places.datasets / data / part] = readme
    for (data, name), (address, md5) in AUTHORS_FILES.items():
        path = places.datasets / data / name
        known = f"{_RELEASES}/{address} (md5 {md5})"
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
    annotations, boxes = penn / "annotations.mat", penn / BOXES
    files = {places.weights / p.file: p.md5 for p in KNOWN.values()}
    files[boxes] = AUTHORS_FILES["PennAction", BOXES][1]
    found = {
        path: f"has the md5 {md5_of(path)}, not that of the published file"
        for path, md5 in files.items()
        if md5 and path.is_file() and md5_of(path) != md5
    }
    if boxes.is_file() and annotations.is_file():
        if md5_of(annotations) != AUTHORS_FILES["PennAction", "annotations.mat"][1]:
            found[boxes] = "counts videos as the authors' annotations.mat, not this one"
    return found
