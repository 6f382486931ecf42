"""The table of the weights that the authors of dluvizon/deephar published.

A file holds tensors alone; what else its network needs to give the paper's figure is
here: the builder and its arguments, the data configuration, the joint probability.
Source: the evaluation scripts of the original, branches cvpr18 and master.
"""

import importlib
import importlib.util
import pathlib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field

from deephar.config import ModelConfig
from deephar.utils import pa16j2d, pa17j3d
from deephar.utils.fs import md5_of

RELEASES = "https://github.com/dluvizon/deephar/releases/download"


@dataclass(frozen=True)
class Network:
    """How a network is built: by a function of `deephar.models` and its arguments.

    An argument that is a `Network` itself is built first.
    """

    builder: str
    arguments: Mapping = field(hash=False)

    def __post_init__(self):
        arguments = types.MappingProxyType(dict(self.arguments))
        object.__setattr__(self, "arguments", arguments)

    def build(self):
        """Builds the network.

        Raises:
            ValueError: this version has no such builder.
        """
        module, _, function = self.builder.rpartition(".")
        module = f"deephar.models.{module}"
        if importlib.util.find_spec(module) is None:
            raise ValueError(
                f"This version of deephar has no {module} to build this network with. "
                f"Received: builder={self.builder}"
            )
        arguments = {
            name: value.build() if isinstance(value, Network) else value
            for name, value in self.arguments.items()
        }
        return getattr(importlib.import_module(module), function)(**arguments)


@dataclass(frozen=True)
class Published:
    """A published file.

    Args:
        name: Short name, for `get` and `--weights`.
        file: Name of the file.
        md5: Its md5; None where the authors state none.
        release: Release of dluvizon/deephar that holds it; None for those that lie on
            a shared drive, which only a browser can fetch.
        drive: Address of its page on that drive.
        network: The network that it fits.
        dataconf: Name of the configuration of `deephar.config` to evaluate it with.
        figure: What the authors report for it; None where they do not say.
        by_name: Whether the layers are matched by name.
        multi_clip_step: Frames from one of a clip to the next in the authors' loop over
            many clips of a video, where it is not that of `dataconf`.
        protocol: Split of NTU that it was trained on, "cs" or "cv".
    """

    name: str
    file: str
    network: Network
    dataconf: str
    figure: str | None
    md5: str | None = None
    release: str | None = None
    drive: str | None = None
    by_name: bool = False
    multi_clip_step: int | None = None
    protocol: str | None = None

    @property
    def address(self):
        """Where the file can be downloaded; None if only a browser can."""
        return f"{RELEASES}/{self.release}/{self.file}" if self.release else None

    @property
    def joint_probability(self):
        """The form of the confidence of 2D joints; None where there is one form."""
        pose = self.network.arguments.get("model_pe", self.network)
        return pose.arguments.get("joint_probability")


def _reception(joints, dim, blocks, **options):
    shape = {"input_shape": (256, 256, 3), "num_joints": joints, "dim": dim}
    if dim == 2:
        shape |= {"num_context_per_joint": 2, "joint_probability": "sigmoid"}
    return Network(
        "reception.build", shape | {"num_blocks": blocks, "ksize": (5, 5)} | options
    )


def _merged(model_pe, actions, frames, **options):
    pose = model_pe.arguments
    arguments = {
        "model_pe": model_pe,
        "num_actions": actions,
        "input_shape": pose["input_shape"],
        "num_frames": frames,
        "num_joints": pose["num_joints"],
        "num_blocks": pose["num_blocks"],
        "pose_dim": pose["dim"],
    }
    return Network("action.build_merge_model", arguments | options)


def _spnet(layout, actions, pyramids, action_pyramids, features, replica):
    config = ModelConfig(
        (8, 256, 256, 3),
        layout,
        num_actions=[actions],
        num_pyramids=pyramids,
        action_pyramids=action_pyramids,
        num_levels=4,
        pose_replica=replica,
        num_pose_features=features,
        num_visual_features=features,
    )
    return Network("spnet.build", {"cfg": config})


_TABLE = (
    Published(
        "mpii",
        "weights_PE_MPII_cvpr18_19-09-2017.h5",
        _reception(16, 2, 8),
        "mpii_sp_dataconf",
        "MPII validation, single crop: 89.1 PCKh@0.5",
        "d6b85ba4b8a3fc9d05c8ad73f763d999",
        "v0.1",
    ),
    Published(
        "human36m",
        "weights_3DPE_H36M_cvpr18_Nov-2017.h5",
        _reception(17, 3, 8, depth_maps=16),
        "human36m_dataconf",
        "Human3.6M, single crop: 55.1 mm",
        "af79f83ad939117d4ccc2cf1d4bd37d2",
        "v0.2",
    ),
    Published(
        "penn_merge",
        "weights_AR_merge_ep074_26-10-17.h5",
        _merged(
            _reception(16, 2, 4, concat_pose_confidence=False),
            15,
            16,
            num_context_per_joint=2,
            pose_net_version="v1",
        ),
        "pennaction_cvpr18_dataconf",
        "Penn Action, without given boxes: 97.4 %",
        "f53f89257077616a79a6c1cd1702d50f",
        "v0.3",
        multi_clip_step=2,
    ),
    Published(
        "ntu_merge",
        "weights_AR_merge_NTU_v2.h5",
        _merged(
            _reception(20, 3, 4, depth_maps=8, concat_pose_confidence=False),
            60,
            20,
            depth_maps=8,
            num_context_per_joint=0,
            pose_net_version="v2",
        ),
        "ntu_ar_dataconf",
        "NTU RGB+D 60, cross-subject: 85.5 %",
        "ff98d70a7f6bc5976cc11c7a5760e8b7",
        "v0.4",
        protocol="cs",
    ),
    Published(
        "penn_spnet",
        "weights_mpii+penn_ar_028.hdf5",
        _spnet(pa16j2d, 15, 6, (5, 6), features=160, replica=True),
        "pennaction_dataconf",
        None,
        drive="https://drive.google.com/file/d/106yIhqNN-TrI34SX81q2xbU-NczcQj6I/view",
        by_name=True,
    ),
    Published(
        "ntu_spnet",
        "weights_3dp+ntu_ar_062.hdf5",
        _spnet(pa17j3d, 60, 2, (1, 2), features=192, replica=False),
        "ntu_dataconf",
        None,
        drive="https://drive.google.com/file/d/1I6GftXEkL5nohLA60Vi6faW0rvTZg6Kx/view",
        by_name=True,
        protocol="cs",
    ),
)

KNOWN = {published.name: published for published in _TABLE}
"""The published files by their short names."""


def known(name):
    """The published file of a short name.

    Raises:
        ValueError: there is none; the message lists the names.
    """
    if name not in KNOWN:
        raise ValueError(f"`name` must be one of {', '.join(KNOWN)}. Received: {name=}")
    return KNOWN[name]


def recognise(path):
    """The published file that a file is, told by its content, or else by its name.

    Returns:
        The `Published`, or None; and whether the md5 says so. A file with only the
        name of a published one may hold anything.
    """
    path = pathlib.Path(path)
    digest = md5_of(path) if path.is_file() else None
    for published in KNOWN.values():
        if digest is not None and published.md5 == digest:
            return published, True
    named = [p for p in KNOWN.values() if p.file == path.name]
    return (named[0] if named else None), False
