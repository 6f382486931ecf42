"""PCKh after every prediction block, by body part."""

import numpy as np
from matplotlib.figure import Figure

from deephar import measures
from deephar.evaluation.pose import PosePredictions
from deephar.evaluation.tables import (
    block_names,
    figure,
    group_scores,
    markdown_table,
    percent,
)


def score_blocks(
    predictions: PosePredictions, poselayout, threshold: float = 0.5
) -> dict[str, dict[str, list[float]]]:
    """PCKh of every joint and body part after every block, every annotated joint.

    Args:
        predictions: what `predict_poses` returns.
        poselayout: a 16-joint layout.
        threshold: share of the head size.

    Returns:
        `{"joints": {name: [score by block]}, "parts": {name: [score by block]}}`, in
        [0, 1].
    """
    rows = []
    for block in predictions.poses:
        values = measures.pckh_per_joint(
            predictions.truth,
            block,
            predictions.head_size,
            poselayout,
            refp=threshold,
            verbose=0,
        )
        rows.append(dict(zip(poselayout.joint_names, map(float, values), strict=True)))
    parts = [group_scores(row) for row in rows]
    return {
        "joints": {name: [row[name] for row in rows] for name in rows[0]},
        "parts": {name: [row[name] for row in parts] for name in parts[0]},
    }


def parts_table(scores: dict) -> str:
    """Markdown table of PCKh by body part (rows) after every block (columns).

    Args:
        scores: what `score_pckh` returns, with `score_blocks` under "every_block".
    """
    parts = {**scores["every_block"]["parts"], "total": scores["blocks"]}
    head = [f"PCKh@{scores['threshold']:g} (%)"]
    rows = [head + [f"block {name}" for name in block_names(scores)]]
    rows += [[name, *map(percent, values)] for name, values in parts.items()]
    return markdown_table(rows)


def plot_blocks(path, scores: dict) -> Figure:
    """Draws PCKh over the blocks: the total, as the original counts, and by part.

    Args:
        path: PNG to write.
        scores: as of `parts_table`.
    """
    axes, save = figure("prediction block", f"PCKh@{scores['threshold']:g} (%)")
    numbers = np.arange(1, len(scores["blocks"]) + 1)
    for name, values in scores["every_block"]["parts"].items():
        axes.plot(numbers, 100 * np.array(values), "-", linewidth=1, label=name)
    total, original = (100 * np.array(scores[k]) for k in ("blocks", "blocks_original"))
    axes.plot(numbers, total, "ko-", linewidth=2, label="total")
    axes.plot(numbers, original, "k--", label="total, as the original counts")
    best = scores["best_block"]
    axes.plot(best, original[best - 1], "k*", markersize=12, label="best block")
    axes.set_xticks(numbers)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return save(path)
