"""The sides that exported.py times: the network by Keras and traced, and its files."""

import statistics

from matplotlib.figure import Figure

from deephar import experiment
from deephar.checkpoints.pytorch import is_pytorch
from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.inference import PosePredictor, fold_batch_norm
from deephar.inference.export_parts import network_parts
from deephar.inference.exported import ExportedModel
from deephar.inference.loading import load
from deephar.inference.running import runner
from deephar.networks import NETWORKS, poselayout, weights_settings
from deephar.utils import VALID_MODE
from deephar.utils.fs import md5_of


class Ways:
    """What predicts by `predict_on_batch`, by name.

    Args:
        files: exported files of one part of one network.
        threads: of their runtimes; None leaves it to them.

    Attributes:
        runs: `{name: function}` of inputs of `shapes`.
        shapes: of the inputs, batch 1.
        weights, part: what the files are of.

    Raises:
        ValueError: if the files are of several parts or weights, or of lifting.
    """

    def __init__(self, files, threads):
        models = {file: ExportedModel(file, threads=threads) for file in files}
        cards = [model.card for model in models.values()]
        if len({card["file"] for card in cards}) < len(files):
            raise ValueError(f"the files must have different names. Received: {files}")
        of = {(c["part"], c["weights"]["name"], c["block"]) for c in cards}
        if len(of) > 1:
            raise ValueError(f"the files must be of one part. Received: {[*of]}")
        self.part, self.weights, block = of.pop()
        path = weights_settings(self.weights, list(NETWORKS))[0]
        known = {card["weights"]["md5"] for card in cards}
        if is_pytorch(path) or known != {md5_of(path)}:
            raise ValueError(f"{path}: the files are not of these weights")
        found = load(self.weights, list(NETWORKS), None, "float32", block)
        parts = network_parts(found.model, found.settings)
        (part,) = (part for part in parts if part.name == self.part)
        self.settings = found.settings
        folded = fold_batch_norm(part.model)
        self.sides = {"keras": part.model, "traced": runner(folded, False, True)}
        self.sides |= {models[file].card["file"]: models[file] for file in files}
        self.runs = {n: side.predict_on_batch for n, side in self.sides.items()}
        self.shapes = [(1, *x.shape) for x in part.inputs]

    def scores(self, folder):
        """PCKh@0.5 of the validation people of a folder, `{NAME_pckh: %}`."""
        if self.part != "pose":
            raise ValueError(f"--data scores files of poses. Received: {self.part}")
        config = experiment.sized(mpii_sp_dataconf, self.settings)
        data = MpiiSinglePerson(folder, config)
        figures = {"people": data.get_length(VALID_MODE)}
        for name, side in self.sides.items():
            predictor = PosePredictor(side, poselayout(self.settings))
            found = predict_poses(predictor.predict_crops, data)
            figures[f"{name}_pckh"] = score_pckh(found, data.poselayout)["pckh"]
        return figures


def plot(path, rounds, title):
    """Draws calls a second of every side: the median of the rounds, and their range.

    Args:
        path: the picture.
        rounds: `{side: seconds a call}` of every round.
        title: of the picture.
    """
    names = list(rounds[0])[::-1]
    values = [sorted(1 / one[name] for one in rounds) for name in names]
    medians = [statistics.median(side) for side in values]
    low = [m - side[0] for m, side in zip(medians, values, strict=True)]
    high = [side[-1] - m for m, side in zip(medians, values, strict=True)]
    figure = Figure(figsize=(7, 0.5 * len(names) + 1.2), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="calls a second")
    axes.barh(names, medians, xerr=[low, high], color="#5b8db8", capsize=3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
