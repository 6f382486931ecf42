"""Every public name of the original is here and takes the same arguments in order.

The table was read off the original's source (dluvizon/deephar, branch master): module,
name, parameters; null where the name is a value. It leaves out what is not ported: of
utils the old annotation parser and `appstr`, `assign_knn_confidence` (it calls a layout
that does not exist), `get_r2_radial_tan` (a helper of the camera) and the set of clips
that were warned about, the k-means variants of `clustering_grid` that nothing in the
original calls, and the list of colours; and three methods whose work is done elsewhere:
`TrainerOnGenerator.learningrate_scheduler` (a Keras callback), `MpiiSinglePerson.
load_image` (data/base.py) and `BatchLoader.get_shuffled_key` (order is a function of
seed and epoch). Of models/spnet.py it leaves out the steps of `build`. Of the data sets
of clips it leaves out what reads annotations (the modules `..._format`);
`get_clip_frame_index` moved from data/datasets.py to clips.py, and `fast_crop` of
`Human36M.get_data` comes after `bbox`, as in all of them.

models/action_2D.py and action_pose.py are those of the fork, pminhtam/
2D-3D_Multitask_Deep_Learning.
"""

import functools
import importlib
import inspect
import json
import pathlib

import pytest

TABLE = json.loads(
    (pathlib.Path(__file__).parent / "golden" / "public_names.json").read_text()
)
NAMES = [(module, name) for module, names in TABLE.items() for name in names]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_name_takes_the_originals_arguments(module, name):
    found = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    if TABLE[module][name] is None:
        return
    expected = TABLE[module][name].split()
    ours = list(inspect.signature(found).parameters.values())
    ours = [parameter for parameter in ours if parameter.name != "self"]
    assert [parameter.name for parameter in ours[: len(expected)]] == expected
    for new in ours[len(expected) :]:
        assert new.default is not new.empty or new.kind in (
            new.VAR_POSITIONAL,
            new.VAR_KEYWORD,
        )
