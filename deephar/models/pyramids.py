"""The plan of SPNet: its pyramids, their blocks, and what each block predicts."""

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A block that predicts a pose, and perhaps actions.

    Attributes:
        name: Name of the block and of its pose, such as dp1_pb1.
        level: Its resolution; 0 is the finest.
        scaling: Name of the unit that brings the features to this level: dp1_du1.
        action: Name of its actions, such as act1; None if it predicts none.
    """

    name: str
    level: int
    scaling: str
    action: str | None


@dataclass(frozen=True)
class Pyramid:
    """A pyramid: its blocks, from the finest level down or from the coarsest up.

    Attributes:
        down: Whether it leads to coarser levels.
        start: The level that it starts from, without a block there.
        blocks: Its blocks in order.
    """

    down: bool
    start: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Prediction:
    """What a block predicts: names of outputs.

    Attributes:
        pose: Such as dp1_pb1.
        actions: One for each set of actions, such as ("act1_a0", "act1_a1").
    """

    pose: str
    actions: tuple[str, ...] = ()


def pyramids(cfg):
    """The pyramids of a `ModelConfig`, in order, as far as they predict.

    Actions are numbered by the place of their block among those that predict some.
    """
    found, actions, left = [], 0, cfg.num_predictions
    for number in range(1, cfg.num_pyramids + 1):
        down = number % 2 == 1
        levels = range(1, cfg.num_levels) if down else range(cfg.num_levels - 2, -1, -1)
        name, unit = (f"dp{number}", "du") if down else (f"up{number}", "uu")
        acts = bool(cfg.num_actions) and number in cfg.action_pyramids
        blocks = []
        for level in itertools.islice(levels, left):
            actions += acts
            blocks.append(
                Block(
                    f"{name}_pb{level}",
                    level,
                    f"{name}_{unit}{level}",
                    f"act{actions}" if acts else None,
                )
            )
        start = 0 if down else cfg.num_levels - 1
        if blocks:
            found.append(Pyramid(down, start, tuple(blocks)))
        left = None if left is None else left - len(blocks)
    return found


def blocks(cfg):
    """All blocks of a `ModelConfig` by depth."""
    return [block for pyramid in pyramids(cfg) for block in pyramid.blocks]


def predictions(cfg):
    """What the network of a `ModelConfig` predicts, by depth: `Prediction`s."""
    sets = range(len(cfg.num_actions))
    return [
        Prediction(
            block.name, tuple(f"{block.action}_a{i}" for i in sets if block.action)
        )
        for block in blocks(cfg)
    ]


def get_num_predictions(num_pyramids, num_levels):
    """How many poses a network of so many pyramids and levels predicts."""
    return num_pyramids * (num_levels - 1)


def described_names(action):
    """Names of what the clip head wants to know of a frame from a block's `action`."""
    return [f"{action}_{what}" for what in ("pose", "confidence", "features")]


def frame_names(cfg):
    """Names of the frame model's outputs: poses, then three for each action block.

    In debugging then the poses of the replicas, and their maps.
    """
    acting = [block for block in blocks(cfg) if block.action]
    described = [name for block in acting for name in described_names(block.action)]
    return [*(b.name for b in blocks(cfg)), *described, *debug_names(cfg)]


def debug_names(cfg):
    """Names of the outputs for debugging: poses of the replicas, and their maps."""
    acting = [b.name for b in blocks(cfg) if b.action and cfg.dbg_decoupled_pose]
    return [f"{name}_{what}" for what in ("dbg", "dbg_h") for name in acting]


def output_names(cfg, interlaced=False):
    """Names of the network's outputs: all poses, all actions, those for debugging.

    Args:
        cfg: A `ModelConfig`.
        interlaced: Whether the actions of each block follow its pose.
    """
    plan = predictions(cfg)
    if interlaced:
        names = [name for p in plan for name in (p.pose, *p.actions)]
    else:
        names = [p.pose for p in plan] + [name for p in plan for name in p.actions]
    return names + debug_names(cfg)
