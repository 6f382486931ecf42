"""The sections of browse's page: counts, faults, sheets, histograms."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.commands.browse_opening import Fault, lines_of
from deephar.commands.sheets import (
    SIDE,
    STRIP_FRAMES,
    caption,
    sheet_picture,
    space_pose,
)
from deephar.config import DataConfig
from deephar.data.showing import SAMPLES, Shown, choose, show_sample, with_config
from deephar.data.survey import Survey, survey
from deephar.pages import Page
from deephar.pages.histograms import bars, histogram, stacked_bars
from deephar.utils.drawing import limbs
from deephar.utils.modes import TRAIN_MODE

IN_SPACE = 6
"""So many poses in space are shown."""
STRIP_WIDTH = 560
"""Least width of a strip on the page, px."""
_COLORS = {
    "g": "green",
    "r": "red",
    "b": "blue",
    "y": "yellow",
    "m": "magenta",
    "w": "white",
}


@dataclasses.dataclass(frozen=True)
class Look:
    """How a data set is looked at.

    Attributes:
        samples: Samples shown of each part.
        seed: Which, and what their augmentation is drawn from.
        augment: Whether training samples are augmented.
        most: Samples whose annotations are read for the histograms; None for all.
        dataconf: Size and augmentation; None for the data set's own.
    """

    samples: int = 24
    seed: int = 0
    augment: bool = True
    most: int | None = None
    dataconf: DataConfig | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A part of a data set, looked at.

    Attributes:
        title: What it is called.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        data: Its data set.
        survey: Its numbers.
        shown: The samples that are shown.
        unreadable: A line for each of those that could not be read.
    """

    title: str
    mode: int
    data: SAMPLES
    survey: Survey
    shown: tuple[Shown, ...]
    unreadable: tuple[str, ...]


def look_at(data: SAMPLES, mode: int, title: str, look: Look) -> Part:
    """Reads the annotations and some samples of a part."""
    if look.dataconf is not None:
        data = with_config(data, look.dataconf)
    shown, unreadable = [], []
    for key in choose(data.get_length(mode), look.samples, look.seed):
        try:
            shown.append(show_sample(data, mode, key, look.seed, look.augment))
        except OSError as error:
            unreadable.append(str(error))
    numbers = survey(data, mode, look.most)
    return Part(title, mode, data, numbers, tuple(shown), tuple(unreadable))


def add_counts(page: Page, counts: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds a table of what each part counts.

    Args:
        page: The page.
        counts: By name of the part, numbers by what they count; what is no number is
            left to the sections of the parts.
    """
    numbers = {
        part: {what: n for what, n in one.items() if isinstance(n, int | float)}
        for part, one in counts.items()
    }
    rows = dict.fromkeys(what for one in numbers.values() for what in one)
    page.heading("What is there")
    page.table(
        ("", *numbers),
        [(what, *(one.get(what) for one in numbers.values())) for what in rows],
    )


def add_faults(page: Page, faults: Sequence[Fault]) -> None:
    """Adds a table of what is missing or wrong: part, what, where."""
    page.heading("What is missing or wrong")
    if faults:
        page.table(("part", "what", "where"), faults)
    else:
        page.text("Nothing that was looked for.")


def faults_within(part: Part) -> list[Fault]:
    """Returns what is missing or wrong in the annotations and samples of a part."""
    numbers, title = part.survey, part.title
    unread = f"{len(part.unreadable)} of the samples chosen cannot be read"
    found = lines_of(title, unread, part.unreadable)
    wrong = f"{len(numbers.wrong)} annotations without a window"
    found += lines_of(title, wrong, numbers.wrong)
    never = [
        joint
        for joint, known in zip(
            part.data.poselayout.joint_names, numbers.labelled.any(axis=0), strict=True
        )
        if not known
    ]
    if never and len(never) < len(part.data.poselayout.joint_names):
        found.append((title, "joints never labelled", _list(never)))
    elif never:
        found.append((title, "joints never labelled", "all"))
    absent = [name for name, count in numbers.actions.items() if not count]
    if absent:
        found.append((title, f"{len(absent)} actions without a video", _list(absent)))
    return found


def _list(names: Sequence[str], most: int = 12) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def add_part(page: Page, part: Part, look: Look) -> None:
    """Adds the sheet and the histograms of a part."""
    page.heading(part.title)
    _add_sheet(page, part, look)
    _add_space(page, part)
    histograms = [*_of_sizes(part), *_of_numbers(part)]
    if histograms:
        page.heading("Histograms", level=3)
        numbers = part.survey
        if numbers.looked_at + len(numbers.wrong) < numbers.samples:
            page.text(
                f"Of {numbers.looked_at} of the {numbers.samples} {numbers.kind}, "
                "spread evenly (--all for all); lengths and actions are those of all."
            )
        page.figures(histograms)
    if others := [*_of_joints(part), *_of_actions(part)]:
        page.figures(others)


def _add_sheet(page: Page, part: Part, look: Look) -> None:
    kind, layout = part.survey.kind, part.data.poselayout
    count = f"{len(part.shown)} of {part.survey.samples} {kind}"
    drawn = part.mode == TRAIN_MODE and look.augment
    how = "in training, augmented" if drawn else "in evaluations"
    strips = ""
    if kind == "videos":
        strips = (
            f" Each strip is a clip of {part.data.clip_size} frames"
            + f", {STRIP_FRAMES} of them shown" * (part.data.clip_size > STRIP_FRAMES)
            + "."
        )
    page.text(
        f"{count}, as a network is given them {how}, with the joints that it is to "
        f"find; those outside the crop are not drawn.{strips}"
    )
    page.facts(_config(part.data.dataconf, kind, drawn))
    page.text(f"Colours: {_colors(layout)}.")
    pictures = [(sheet_picture(one, layout), caption(one)) for one in part.shown]
    if pictures:
        if kind == "videos":
            page.pictures(pictures, STRIP_WIDTH, least=STRIP_WIDTH)
        else:
            page.pictures(pictures, SIDE)


def _config(config: DataConfig, kind: str, drawn: bool) -> dict[str, str]:
    """The size of the crop and how it is augmented, to be read."""
    width, height = config.crop_resolution
    facts = {"crop": f"{width} × {height} px"}
    if not drawn:
        return facts
    facts["turned"] = _range(config.angles, "°")
    facts["window"] = f"{_range(config.scales, '')} times as large"
    if any((*config.trans_x, *config.trans_y)):
        facts["moved"] = (
            f"{_range(config.trans_x, '')} to the right, {_range(config.trans_y, '')} "
            "down, in units of the person's scale"
        )
    facts["mirrored"] = f"{100 * np.mean(config.hflips):.0f} %"
    facts["colours to the power of"] = _range(config.chpower, "")
    if config.geoocclusion:
        facts["hidden"] = (
            f"a rectangle with sides of {_range(config.geoocclusion, '')} px"
        )
    if kind == "videos":
        facts["step between frames"] = _range(config.subsampling, "")
    return facts


def _range(values: Sequence[float], unit: str) -> str:
    """The values among which one is drawn, to be read."""
    values = sorted(set(values))
    if len(values) > 4:
        return f"{values[0]:g}{unit} to {values[-1]:g}{unit}"
    return ", ".join(f"{value:g}{unit}" for value in values)


def _colors(layout) -> str:
    """Which joints have which colour."""
    groups: dict[str, list[str]] = {}
    for name, index in zip(layout.joint_names, layout.cmap, strict=True):
        groups.setdefault(_COLORS[layout.color[index]], []).append(name)
    return "; ".join(f"{color}: {' '.join(names)}" for color, names in groups.items())


def _add_space(page: Page, part: Part) -> None:
    layout = part.data.poselayout
    if layout.dim < 3:
        return
    poses = [(space_pose(one), f"{one.key}: {one.name}") for one in part.shown]
    if not poses:
        return
    page.heading("In space", level=3)
    page.text(
        "The first frames of some of them: x and y of the crop, and depth, each [0, 1] "
        "drawn as 2 m."
    )
    links, colors = limbs(layout)
    names = ["#{:02x}{:02x}{:02x}".format(*color) for color in colors.tolist()]
    page.poses_3d(poses[:IN_SPACE], links, names)


FIGURES = list[tuple[Any, str]]


def _of_sizes(part: Part) -> FIGURES:
    """How large people are, in the picture, in the window, by their heads."""
    numbers, figures = part.survey, []
    unit = _unit(part)
    sides = numbers.windows.max(axis=1) if len(numbers.windows) else np.zeros(0)
    for values, label, of, about in (
        (
            *(numbers.sizes, "box around the joints, px", unit),
            "Longer side of the box around the labelled joints, px of the picture",
        ),
        (
            *(sides, "window, px", numbers.kind),
            "Longer side of the window in evaluations, px of the picture",
        ),
        (
            *(numbers.shares, "box around the joints / window", unit),
            "What part of the window the labelled joints take up",
        ),
        (
            *(numbers.head_sizes, "head size, px", "people"),
            "Head size of PCKh, px of the picture",
        ),
    ):
        if len(values):
            text = f"{about}: {told(values)}."
            figures.append((histogram(values, label, of), text))
    return figures


def told(values: np.ndarray) -> str:
    """The middle of some numbers and where most of them lie, to be read."""
    low, middle, high = np.percentile(values, (5, 50, 95))
    return f"median {middle:.3g}, nine of ten from {low:.3g} to {high:.3g}"


def _of_numbers(part: Part) -> FIGURES:
    """How many joints are labelled, frames in a video, people in a picture."""
    numbers, figures = part.survey, []
    if len(numbers.labelled):
        unit, counts = _unit(part), numbers.labelled.sum(axis=1)
        text = f"Labelled joints of each of the {unit}: {told(counts)}."
        figures.append((histogram(counts, "labelled joints", unit), text))
    if len(numbers.lengths):
        text = f"Frames of each video: {told(numbers.lengths)}."
        figures.append((histogram(numbers.lengths, "frames", "videos"), text))
    if len(numbers.together) and numbers.looked_at == numbers.samples:
        text = f"People of each picture: {numbers.together.mean():.2f} on average."
        each = histogram(numbers.together, "people", "pictures")
        figures.append((each, text))
    return figures


def _of_joints(part: Part) -> FIGURES:
    """How often each joint is labelled."""
    numbers, layout = part.survey, part.data.poselayout
    rows = len(numbers.labelled)
    if not rows:
        return []
    share = 100 * numbers.labelled.mean(axis=0)
    outside = share * np.nan_to_num(numbers.outside)
    lengths, names = [share - outside, outside], ["in the window", "outside"]
    if numbers.hidden is not None:
        hidden = lengths[0] * np.nan_to_num(numbers.hidden)
        lengths[:1], names[:1] = [lengths[0] - hidden, hidden], ["visible", "hidden"]
        names[-1] = "outside the window"
    parts = dict(zip(layout.joint_names, np.transpose(lengths), strict=True))
    figure = stacked_bars(parts, f"labelled, % of {rows} {_unit(part)}", names, 108)
    text = (
        "How often each joint is labelled, and whether the window of evaluations has "
        f"it: {share.mean():.1f} % of all joints are labelled."
    )
    return [(figure, text)]


def _of_actions(part: Part) -> FIGURES:
    """What people do."""
    actions = part.survey.actions
    if not actions:
        return []
    done = sum(count > 0 for count in actions.values())
    text = f"Videos of each action: {done} of {len(actions)} actions."
    return [(bars(actions, "videos"), text)]


def _unit(part: Part) -> str:
    """What has joints."""
    return "people" if part.survey.kind == "people" else "frames"
