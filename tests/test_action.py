"""The networks of actions: values of the original, parts, names, arguments."""

import numpy as np
import pytest

from deephar import checkpoints
from deephar.models import action, reception

CLIPS = {
    "d_merge2d_poses": ("window", 2, 16, 15, 2, "v1"),
    "g_cvpr18_merge2d": ("sigmoid", 2, 16, 15, 2, "v1"),
    "e_merge3d": ("sigmoid", 3, 20, 60, 0, "v2"),
}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("name", CLIPS)
def test_published_layout_gives_the_outputs_of_the_original(shared, name):
    form, dim, joints, actions, context, version = CLIPS[name]
    folder, shape = shared / "golden" / "models" / name, (256, 256, 3)
    pose = reception.build(
        *(shape, joints, dim),
        num_blocks=2,
        depth_maps=8,
        ksize=(5, 5),
        concat_pose_confidence=False,
        joint_probability=form,
    )
    model = action.build_merge_model(
        *(pose, actions, shape, 8, joints, 2, dim),
        num_context_per_joint=context,
        pose_net_version=version,
        output_poses=True,
    )
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 7.0))
    checkpoints.load_weights(model, folder / "weights.h5")
    assert not any(np.all(v.numpy() == 7.0) for v in model.weights)
    expected = arrays(folder / "output.npz")
    outputs = model(arrays(folder / "input.npz")["in_0"][:1], training=False)
    assert len(outputs) == len(expected) == 11
    for i, y in enumerate(outputs):
        # The window form sums raw maps: confidences go up to some hundreds.
        np.testing.assert_allclose(y, expected[f"out_{i:02d}"][:1], 1e-5, atol=1e-4)
