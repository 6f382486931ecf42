"""The report folder of an evaluation: tables, curves and drawn predictions."""

import pathlib
from collections.abc import Callable, Sequence
from math import isfinite, nan

import numpy as np
from matplotlib.figure import Figure

from deephar import measures
from deephar.evaluation.blocks import parts_table, plot_blocks
from deephar.evaluation.cases import (
    People,
    add_people,
    draw_in_crop,
    mean_distances,
    sample_view,
)
from deephar.evaluation.papers import PAPER_MPII
from deephar.evaluation.pose import PosePredictions
from deephar.evaluation.report_page import write_report_page
from deephar.evaluation.tables import (
    CURVES,
    GROUPS,
    Drawing,
    block_names,
    figure,
    group_scores,
    markdown_table,
    origin_notes,
    percent,
    receipt_list,
)
from deephar.evaluation.training_page import read_losses
from deephar.pages import Page
from deephar.utils.drawing import contact_sheet

_PAPER_THRESHOLD = 0.5


def people_found(scores: dict) -> str:
    """How many people were looked at, and whose pictures could not be read."""
    return (
        f"{scores['samples']} people; {scores['unreadable']} with unreadable pictures, "
        "counted as wrong."
    )


def pckh_table(scores: dict, untrained: dict | None = None) -> str:
    """Markdown table of PCKh by body part, beside the paper's figures.

    Args:
        scores: what `score_pckh` returns.
        untrained: the same of the network before training, for one more column.
    """
    threshold = scores["threshold"]
    test = PAPER_MPII["test"] if threshold == _PAPER_THRESHOLD else {}
    valid = PAPER_MPII["pckh"] if threshold == _PAPER_THRESHOLD else None
    columns = [("measured", scores)]
    if untrained is not None:
        columns.append(("untrained", untrained))
    head = [f"PCKh@{threshold:g} (%)", *(name for name, _ in columns)]
    lines = [head + ["CVPR 2018 paper, MPII val", "paper, MPII test"]]
    parts = [group_scores(values["per_joint"]) for _, values in columns]
    for part in GROUPS:
        row = [percent(values[part]) for values in parts]
        lines.append([part, *row, "-", percent(test.get(part))])
    for key, name, paper in (
        ("pckh", "total", (valid, test.get("total"))),
        ("pckh_original", "total, joints in the crop only", (valid, None)),
        ("pckh_best_block", "the same, best block", (valid, None)),
        ("auc", "AUC", (None, None)),
    ):
        row = [percent(values[key]) for _, values in columns]
        lines.append([name, *row, *map(percent, paper)])
    return markdown_table(lines)


def joint_table(scores: dict) -> str:
    """Markdown table of PCKh by joint."""
    rows = [["joint", f"PCKh@{scores['threshold']:g} (%)"]]
    rows += [[name, percent(value)] for name, value in scores["per_joint"].items()]
    return markdown_table(rows)


def block_table(scores: dict) -> str:
    """Markdown table of PCKh after every prediction block."""
    blocks = zip(
        *(block_names(scores), scores["blocks"], scores["blocks_original"]), strict=True
    )
    rows = [
        ["block", f"PCKh@{scores['threshold']:g} (%)", "as the original counts (%)"]
    ]
    rows += [[name, percent(a), percent(b)] for name, a, b in blocks]
    return markdown_table(rows)


def plot_pckh_curve(path, predictions: PosePredictions) -> Figure:
    """Draws PCKh over the threshold for every block."""
    thresholds = np.linspace(0, 0.5, 51)
    axes, save = figure("threshold / head size", "PCKh (%)")
    for number, block in enumerate(predictions.poses):
        curve = measures.pckh_curve(
            predictions.truth, block, predictions.head_size, thresholds
        )
        axes.plot(thresholds, 100 * curve, label=f"block {number + 1}")
    many = len(predictions.poses) > 8
    axes.legend(ncols=1 + many, fontsize="x-small" if many else None)
    return save(path)


def plot_training(path, folder: pathlib.Path, monitor: str = "pckh") -> bool:
    """Draws loss and score over the epochs of a run folder.

    Args:
        path: PNG to write.
        folder: run folder with losses.csv.
        monitor: the score that was watched, one of CURVES.

    Returns:
        False if the folder holds no losses, and nothing was drawn.
    """
    rows = read_losses(folder)
    if not rows:
        return False
    epochs = [row["epoch"] for row in rows]
    axes, save = figure("epoch", "training loss")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.label.set_color("tab:blue")
    axes.plot(epochs, [row["loss"] for row in rows], "s-", color="tab:blue")
    name, factor, top = CURVES[monitor]
    points = {row["epoch"]: factor * row.get(f"val_{monitor}", nan) for row in rows}
    points = {epoch: value for epoch, value in points.items() if isfinite(value)}
    if points:
        right = axes.twinx()
        right.set_ylabel(f"validation {name}", color="tab:orange")
        right.plot(list(points), list(points.values()), "o-", color="tab:orange")
        right.set_ylim(0, top)
    save(path)
    return True


def draw_predictions(
    path,
    dataset,
    mode: int,
    poses: np.ndarray,
    truth: np.ndarray,
    readable: np.ndarray,
    count: int = 16,
) -> bool:
    """Draws predictions (left) beside the truth (right), evenly spread over the data.

    Args:
        path: picture to write.
        dataset: the data set that was evaluated.
        mode: the mode that was evaluated.
        poses: `(samples, joints, 2)` predicted, px of the pictures.
        truth: the same of the truth; INVALID where not known.
        readable: `(samples,)` whether the picture could be read.
        count: people to draw; those with unreadable pictures are passed over.

    Returns:
        False if no picture could be read, and nothing was drawn.
    """
    readable = np.flatnonzero(readable)
    if not len(readable):
        return False
    chosen = readable[
        np.linspace(0, len(readable) - 1, min(count, len(readable)), dtype=int)
    ]
    view = sample_view(dataset)
    pairs, titles = [], []
    for key in chosen:
        sample = view.get_data(int(key), mode)
        seen = sample["frame"], sample["afmat"]
        for pose in (poses[key], truth[key]):
            pairs.append(draw_in_crop(*seen, pose, dataset.poselayout))
        titles += [f"{key}: predicted", f"{key}: truth"]
    contact_sheet(pairs, columns=8, titles=titles).save(path)
    return True


def write_report(
    folder,
    scores: dict,
    predictions: PosePredictions,
    dataset,
    mode: int,
    run_folder: pathlib.Path | None = None,
    untrained: dict | None = None,
) -> pathlib.Path:
    """Writes report.md with its pictures, and report.html.

    Args:
        folder: where to; made if it is not there.
        scores: what `score_pckh` returns, with the receipt under "receipt" and, to have
            the blocks' curves, `blocks.score_blocks` under "every_block".
        predictions: what `predict_poses` returns.
        dataset: the data set that was evaluated.
        mode: the mode that was evaluated.
        run_folder: the training's run folder, for its curves.
        untrained: scores of the network before training.

    Returns:
        The path of report.html.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    curve = plot_pckh_curve(folder / "pckh.png", predictions)
    parts = [
        "# Pose estimation, single person",
        receipt_list(scores),
        *origin_notes(scores),
        people_found(scores),
        pckh_table(scores, untrained),
        "## By joint",
        joint_table(scores),
        "## By block",
        block_table(scores),
        Drawing("pckh.png", "PCKh over the threshold", curve),
    ]
    if "every_block" in scores:
        drawn = plot_blocks(folder / "blocks.png", scores)
        drawing = Drawing("blocks.png", "PCKh over the blocks", drawn)
        parts += [parts_table(scores), drawing]
    poses, truth = predictions.poses[-1], predictions.truth
    errors = mean_distances(truth, poses) / predictions.head_size[:, 0]
    unit = "{:.0%} of the head size off"
    people = People(dataset, mode, poses, truth, predictions.readable, errors, unit)
    return finish_report(folder, parts, people, run_folder)


def finish_report(
    folder: pathlib.Path,
    parts: list[str],
    people: People,
    run_folder: pathlib.Path | None,
    monitor: str = "pckh",
    cases: Sequence[Callable[[Page], None]] = (),
) -> pathlib.Path:
    """Writes report.md with the training's curve and drawn predictions at its end.

    Writes report.html too: the same parts, the best and worst of the people, and more
    of the training.

    Args:
        folder: where to; it is there.
        parts: what stands before them, Markdown: the title, the receipt, and so on.
        people: whose poses are drawn.
        run_folder: the training's run folder, for its curves.
        monitor: the score that the training watched.
        cases: each puts one part more on the page.

    Returns:
        The path of report.html.
    """
    cases = [lambda page: add_people(page, people), *cases]
    page = write_report_page(folder, parts, cases, run_folder)
    training = folder / "training.png"
    if run_folder is not None and plot_training(training, run_folder, monitor):
        parts = [*parts, "## Training"]
        parts.append("![loss and score over the epochs](training.png)")
    seen = people.poses, people.truth, people.readable
    path = folder / "predictions.png"
    drawn = draw_predictions(path, people.dataset, people.mode, *seen)
    parts = [*parts, "## Predictions beside the truth"]
    parts.append(
        "![predictions](predictions.png)" if drawn else "No picture could be read."
    )
    text = "\n\n".join(part for part in parts if part)
    (folder / "report.md").write_text(text + "\n", encoding="utf-8")
    return page
