"""Networks made of the layers of an SPNet: its tasks apart, a cut, its frame part.

They share their variables with the whole network, and hold only the layers that their
outputs need.
"""

import logging

import keras
from keras import layers

from deephar.checkpoints.layout import PARTS
from deephar.layers import FoldFrames, UnfoldFrames
from deephar.losses import pose_regression_loss
from deephar.models.common import (
    compile_model,
    copy_replica_layers,
    layers_of,
    part_of_head,
    replicated,
    set_trainable_layers,
)
from deephar.models.pyramids import (
    frame_names,
    output_names,
    predictions,
)

logger = logging.getLogger(__name__)

_FRAMES, _ = PARTS
_VISIBILITY_WEIGHT = 0.01


def compose(cfg, frame_model, names, clip_head, outputs, name):
    """Puts a frame part and a clip head together.

    Args:
        cfg: `ModelConfig` of clips.
        frame_model: Model of pictures.
        names: Names of its outputs, which they get as outputs for clips too.
        clip_head: Model whose inputs are some of these by name, or None.
        outputs: Names of the outputs, in their order.
        name: Name of the model.
    """
    frames = keras.Input(cfg.input_shape, name="frames")
    found = frame_model(FoldFrames(dtype="float32", name="fold")(frames))
    tensors = {
        what: UnfoldFrames(cfg.input_shape[0], dtype="float32", name=what)(x)
        for what, x in zip(names, keras.tree.flatten(found), strict=True)
    }
    if clip_head is not None:
        actions = clip_head([tensors[x.name] for x in clip_head.inputs])
        for what, y in zip(
            clip_head.output_names, keras.tree.flatten(actions), strict=True
        ):
            tensors[what] = layers.Identity(dtype="float32", name=what)(y)
    return keras.Model(frames, [tensors[what] for what in outputs], name=name)


def select(full_model, cfg, outputs, name=None):
    """The network of some outputs alone, by their names.

    Args:
        full_model: Model of `spnet.build`, or `interlace` of it.
        cfg: Its `ModelConfig`.
        outputs: Names of its outputs, in the wanted order.
        name: Name of the model; None is that of `full_model`.
    """
    name = name or full_model.name
    if len(cfg.input_shape) == 3:
        tensors = dict(zip(full_model.output_names, full_model.outputs, strict=True))
        return keras.Model(full_model.input, [tensors[o] for o in outputs], name=name)
    actions = {name for p in predictions(cfg) for name in p.actions}
    wanted = [o for o in outputs if o in actions]
    clip_head = part_of_head(full_model, wanted) if wanted else None
    taken = [x.name for x in clip_head.inputs] if clip_head else []
    names = [n for n in frame_names(cfg) if n in (*outputs, *taken)]
    frame_model = _part_of_frames(full_model, cfg, names)
    return compose(cfg, frame_model, names, clip_head, outputs, name)


def _part_of_frames(full_model, cfg, names):
    whole = full_model.get_layer(_FRAMES)
    tensors = dict(zip(frame_names(cfg), whole.outputs, strict=True))
    return keras.Model(whole.input, [tensors[n] for n in names], name=_FRAMES)


def interlace(full_model, cfg):
    """The same network with the outputs pose, its actions, pose, its actions ...

    Raises:
        ValueError: `cfg` is not that of `full_model`.
    """
    _check(full_model, cfg, interlaced=False)
    tensors = dict(zip(full_model.output_names, full_model.outputs, strict=True))
    outputs = [tensors[name] for name in output_names(cfg, interlaced=True)]
    return keras.Model(full_model.input, outputs, name=full_model.name)


def split_model(full_model, cfg, interlaced=False, model_names=(None, None)):
    """Parts a network into that of poses and that of actions.

    Args:
        full_model: Model of `spnet.build` for clips, with actions.
        cfg: Its `ModelConfig`.
        interlaced: Whether it has the order of outputs of `interlace`.
        model_names: Names of the two; None is "Pose" or "Action".

    Returns:
        `[poses, actions]`: models of frames with these outputs of `full_model` each, in
        its order. Each holds only the layers that it needs, so that each of its
        variables has a gradient. Outputs for debugging are in neither.

    Raises:
        ValueError: `cfg` is not that of `full_model`, there are no actions, or
            `model_names` are not two.
    """
    _check(full_model, cfg, interlaced)
    if isinstance(model_names, str) or len(model_names) != 2:
        raise ValueError(
            "`model_names` must be two, of the poses and of the actions. "
            f"Received: {model_names=}"
        )
    plan = predictions(cfg)
    parts = [p.pose for p in plan], [name for p in plan for name in p.actions]
    if not parts[1]:
        raise ValueError(
            "`cfg` must predict actions to be split. Received: "
            f"num_actions={cfg.num_actions}, action_pyramids={cfg.action_pyramids}"
        )
    names = [n or d for n, d in zip(model_names, ("Pose", "Action"), strict=True)]
    return [
        select(full_model, cfg, outputs, name)
        for outputs, name in zip(parts, names, strict=True)
    ]


def compile_split_models(
    full_model,
    cfg,
    optimizer,
    pose_trainable=False,
    copy_replica=False,
    ar_loss_weights=0.01,
    interlaced=False,
    verbose=0,
    pose_loss=None,
):
    """Splits a network and compiles both parts, each with an optimizer of its own.

    Actions get the categorical cross-entropy.

    Args:
        full_model: Model of `spnet.build` for clips, with actions.
        cfg: Its `ModelConfig`.
        optimizer: A Keras optimizer or its name; each part gets one of its
            configuration, as it is now.
        pose_trainable: Whether all layers learn, not only those of the actions.
        copy_replica: Whether the replicas of the maps become copies of them first.
        ar_loss_weights: Weight of each loss of actions.
        interlaced: See `split_model`.
        verbose: Whether to log which layers learn.
        pose_loss: Loss of each pose; None for that of the original,
            `pose_regression_loss("l1l2bincross", 0.01)`.

    Returns:
        `[poses, actions]`, as of `split_model`.

    Raises:
        ValueError: as of `split_model`.
    """
    models = split_model(full_model, cfg, interlaced)
    if copy_replica:
        copy_replica_layers(full_model)
    set_trainable_layers(full_model, "action", None, pose_trainable)
    original = pose_regression_loss("l1l2bincross", _VISIBILITY_WEIGHT)
    losses = (pose_loss or original, "categorical_crossentropy")
    optimizer = keras.optimizers.get(optimizer)
    for model, loss, weight in zip(models, losses, (1.0, ar_loss_weights), strict=True):
        own = type(optimizer).from_config(optimizer.get_config())
        compile_model(model, loss, own, weight)
        if verbose:
            _log_layers(model)
    return models


def _log_layers(model):
    for layer in layers_of(model):
        if layer.weights:
            state = "learns" if layer.trainable else "frozen"
            numbers = layer.count_params()
            logger.info("%s %s: %s, %d numbers", model.name, layer.name, state, numbers)


def cut(full_model, cfg, prediction):
    """The network that ends at a prediction, and gives that alone.

    Args:
        full_model: Model of `spnet.build`, or `interlace` of it.
        cfg: Its `ModelConfig`.
        prediction: Number of the prediction, from 1.

    Returns:
        Model of the pose, then the actions if there are any.

    Raises:
        ValueError: `cfg` is not that of `full_model`, or it has fewer predictions.
    """
    _check(full_model, cfg)
    plan = predictions(cfg)
    if prediction not in range(1, len(plan) + 1):
        raise ValueError(
            f"`prediction` must lie in 1 ... {len(plan)}. Received: {prediction=}"
        )
    last = plan[prediction - 1]
    return select(full_model, cfg, [last.pose, *last.actions])


def picture_model(full_model, cfg):
    """The network of the poses of single pictures.

    Args:
        full_model: Model of `spnet.build`, or `interlace` of it.
        cfg: Its `ModelConfig`.

    Returns:
        Model of pictures `(batch, rows, cols, channels)` -> poses `(batch, joints,
        dim + 1)` by depth; a network of pictures as it is.

    Raises:
        ValueError: `cfg` is not that of `full_model`.
    """
    _check(full_model, cfg)
    if len(cfg.input_shape) == 3:
        return full_model
    whole = full_model.get_layer(_FRAMES)
    poses = whole.outputs[: len(predictions(cfg))]
    return keras.Model(whole.input, poses, name=full_model.name)


def copy_pose_weights(source, target):
    """Copies the frame part of one SPNet into that of another, by names of layers.

    A replica of maps takes the weights of the layer that it stands for, if the source
    has no replica. What only the source has (more pyramids, actions) is logged.

    Args:
        source: Model of `spnet.build`, of pictures or clips.
        target: Another one; its clip head stays as it is.

    Raises:
        ValueError: the source lacks a layer of the target's frame part, or has another
            shape of it. Nothing is copied then.
    """
    found = {x.name: x for x in _frame_layers(source) if x.weights}
    pairs = []
    for layer in _frame_layers(target):
        if not layer.weights:
            continue
        name = layer.name if layer.name in found else replicated(layer.name)
        if name not in found:
            raise ValueError(
                "`source` must have all layers of the target's frame part. "
                f"Received: a source without {layer.name}"
            )
        shapes = [tuple(w.shape) for w in layer.weights]
        theirs = [tuple(w.shape) for w in found[name].weights]
        if shapes != theirs:
            raise ValueError(
                f"`source` must have {layer.name} of the shapes {shapes}. "
                f"Received: shapes {theirs}"
            )
        pairs.append((layer, found[name]))
    for layer, other in pairs:
        layer.set_weights(other.get_weights())
    used = {other.name for _, other in pairs}
    rest = [x.name for x in layers_of(source) if x.weights and x.name not in used]
    if rest:
        shown = ", ".join(rest[:3])
        logger.info("%d layers of the source have no place: %s ...", len(rest), shown)


def _frame_layers(model):
    names = [layer.name for layer in model.layers]
    return model.get_layer(_FRAMES).layers if _FRAMES in names else model.layers


def _check(full_model, cfg, interlaced=None):
    """Refuses a model that has not the outputs of a configuration."""
    orders = (False, True) if interlaced is None else (interlaced,)
    names = [output_names(cfg, order) for order in orders]
    if list(full_model.output_names) not in names:
        raise ValueError(
            "`full_model` must have the outputs of `cfg`, "
            f"{', '.join(names[0])}. Received: {', '.join(full_model.output_names)}"
        )
