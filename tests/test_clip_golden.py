"""Samples of clips against the original's, which ran on the folders of tiny_clips.py.

golden/clips.npz holds its `cases` (JSON: data set, configuration, options, key, mode
and arguments of get_data) and for case N its values as N_KEY; frames as uint8, the last
of a clip only; of the labels of actions the index of the 1. It was made by running
branch master under Keras 2.1.4 and Pillow 5.1, with NTU's protocol and step set in its
module.
"""

import json
import pathlib

import numpy as np
import pytest

from deephar.config import DataConfig
from deephar.data import Human36M, Ntu, PennAction
from deephar.utils import pose

GOLDEN = pathlib.Path(__file__).parent / "golden" / "clips.npz"
CASES = json.loads(str(np.load(GOLDEN)["cases"]))
CLASSES = {"penn": PennAction, "h36m": Human36M, "ntu": Ntu}
LABELS = ("pennaction", "ntuaction")


def dataset_of(case, folders, tmp_path):
    config = DataConfig(crop_resolution=(24, 24), **case.get("conf", {}))
    options = dict(case.get("options", {}))
    if "layout" in case:
        options["poselayout"] = getattr(pose, case["layout"])
    if "pred_bboxes_file" in options:
        options["pred_bboxes_file"] = write_predicted(tmp_path / "pred.json")
    return CLASSES[case["set"]](folders[case["set"]], config, **options)


def write_predicted(path):
    """Boxes by frame of the tiny Penn Action folder."""
    parts = [
        {
            f"{video}.{f}": [40 + 2 * f, 8 + video, 140 + 2 * f, 110 - f % 3]
            for video, count in enumerate(counts)
            for f in range(count)
        }
        for counts in ((24, 9), (14, 6), ())
    ]
    path.write_text(json.dumps(parts))
    return path


@pytest.mark.parametrize("number", range(len(CASES)))
def test_samples_equal_the_originals(number, clip_folders, tmp_path):
    case, golden = CASES[number], np.load(GOLDEN)
    dataset = dataset_of(case, clip_folders, tmp_path)
    key, mode = case["key"], case["mode"]
    sample = dataset.get_data(key, mode, **case.get("args", {}))
    names = [name for name in golden.files if name.startswith(f"{number}_")]
    for name in names:
        short, theirs = name.split("_", 1)[1], golden[name]
        if short == "lengths":
            assert [dataset.get_length(m) for m in range(3)] == theirs.tolist()
        elif short == "clips":
            index = dataset.get_clip_index(key, mode, case["clip_index"])
            assert np.array_equal(index, theirs)
        elif short == "frame":
            ours = sample["frame"].reshape(-1, 24, 24, 3)[-1]
            turned = case.get("conf", {}).get("fixed_angle", 0) != 0
            difference = np.abs((ours + 1) * 127.5 - theirs).mean()
            assert difference < (8 if turned else 2)
        elif short in LABELS:
            assert sample[short].sum() == 1 and sample[short][theirs] == 1
            assert not sample[LABELS[short == LABELS[0]]].any()
        else:
            ours = sample[short]
            np.testing.assert_allclose(
                ours, theirs.reshape(ours.shape), rtol=1e-5, atol=1e-4
            )


def test_the_cases_are_of_every_kind():
    kinds = {(case["set"], case["options"].get("topology")) for case in CASES}
    assert kinds == {(name, form) for name in CLASSES for form in (None, "frames")}
    assert sum("camera" in name for name in np.load(GOLDEN).files) == 6
