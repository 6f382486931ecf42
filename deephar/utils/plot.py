"""Pictures, poses and boxes drawn with matplotlib, which is imported on the first call.

With `filename` these functions write a file and need no display; without it they open a
window by the user's own matplotlib backend. `draw_pose`, `draw_action` and
`contact_sheet`, of `deephar.utils.drawing`, are here too and need Pillow alone.

Source: dluvizon/deephar's utils/plot.py.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image

from deephar.utils.drawing import contact_sheet, draw_action, draw_pose
from deephar.utils.pose import is_valid, pa16j2d, pa17j3d, pa20j3d, pa21j3d

__all__ = [
    "contact_sheet",
    "data_to_image",
    "draw",
    "draw_action",
    "draw_pose",
    "plot_3d_pose",
    "plot_skeleton_2d",
    "show",
]


def data_to_image(x: np.ndarray | None, gray_scale: bool = False) -> Image.Image:
    """Stretches an array to [0, 255] and makes a picture of it.

    Args:
        x: Array (rows, cols, 3) or (rows, cols) of any range; None for a light grey
            picture of 100 x 100.
        gray_scale: Whether to take the colour away.
    """
    x = np.full((100, 100, 3), 224.0) if x is None else np.asarray(x, dtype=float)
    if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[-1] != 3):
        raise ValueError(
            f"`x` must have the shape (rows, cols, 3) or (rows, cols). "
            f"Received: x.shape={x.shape}"
        )
    low, high = x.min(), x.max()
    if high > low:
        x = 255.0 * (x - low) / (high - low)
    if x.ndim == 3 and gray_scale:
        x = x @ np.array([0.2989, 0.5870, 0.1140])
    if x.ndim == 2:
        x = np.repeat(x[..., None], 3, axis=-1)
    return Image.fromarray(x.astype(np.uint8))


def show(
    x: np.ndarray | None,
    gray_scale: bool = False,
    jet_cmap: bool = False,
    filename=None,
) -> None:
    """Shows an array as a picture, or writes it to `filename`.

    Args:
        x: As for `data_to_image`; (rows, cols) with `jet_cmap`.
        gray_scale: Whether to take the colour away.
        jet_cmap: Whether to colour the values from blue (least) to red.
        filename: Picture file to write instead.
    """
    if jet_cmap:
        from matplotlib import colormaps

        levels = np.asarray(data_to_image(x))[..., 0]
        image = Image.fromarray(colormaps["jet"](levels, bytes=True)[..., :3])
    else:
        image = data_to_image(x, gray_scale)
    if filename:
        image.save(filename)
        return
    figure = _figure(None)
    figure.add_subplot(111).imshow(image)
    _finish(figure, None)


def draw(
    x: np.ndarray | None = None,
    skels: Sequence[np.ndarray] = (),
    bboxes: Sequence[np.ndarray] = (),
    bbox_color: Sequence[str] = "g",
    abs_pos: bool = False,
    plot3d: bool = False,
    single_window: bool = False,
    figsize: tuple[float, float] = (16, 9),
    axis: str = "on",
    facecolor: str = "white",
    azimuth: float = 65,
    dpi: int = 100,
    filename=None,
) -> None:
    """Plots a picture with poses and boxes, and the last pose in space beside it.

    Args:
        x: As for `data_to_image`.
        skels: One pose (joints, 2 or 3) or several; 16, 17, 20 or 21 joints.
        bboxes: One box (4,) or several (boxes, 4).
        bbox_color: Colours of the boxes in turn.
        abs_pos: Whether poses and boxes are in px rather than normalised to `x`.
        plot3d: Whether to plot the last pose in space too.
        single_window: Whether in the same figure; else a second goes to FILENAME.eps.
        figsize: (w, h) of a figure, inches.
        axis: "on" or "off".
        facecolor: Ground of the figure.
        azimuth: Direction from which space is seen, degrees.
        dpi: Resolution of the file.
        filename: File to write; None to open a window.
    """
    image = data_to_image(x)
    width, height = (None, None) if abs_pos else image.size
    figure = _figure(filename, figsize)
    picture = figure.add_subplot(121 if plot3d and single_window else 111)
    picture.imshow(image, zorder=-1)
    picture.axis(axis)
    poses = _listed(skels)
    for pose in poses:
        plot_skeleton_2d(picture, pose, h=height, w=width)
    _plot_boxes(picture, bboxes, width, height, bbox_color)
    options = {"bbox_inches": "tight", "pad_inches": 0}
    if plot3d and poses:
        second = figure if single_window else _figure(filename, figsize)
        space = second.add_subplot(122 if single_window else 111, projection="3d")
        plot_3d_pose(poses[-1], subplot=space, azimuth=azimuth)
        if filename and not single_window:
            second.savefig(f"{filename}.eps", **options)
    _finish(figure, filename, facecolor=facecolor, dpi=dpi, **options)


def plot_3d_pose(
    pose: np.ndarray,
    subplot=None,
    filename=None,
    color: Sequence[str] | None = None,
    lw: float = 3,
    azimuth: float = 65,
) -> None:
    """Plots a pose in the unit cube, y downwards and depth to the front.

    Args:
        pose: Array (joints, 2 or 3), normalised; 16, 17, 20 or 21 joints.
        subplot: matplotlib axes with projection "3d"; None for a figure of its own,
            shown or written to `filename`.
        filename: File to write.
        color: Five colours instead of the layout's.
        lw: Width of a limb, points.
        azimuth: Direction from which it is seen, degrees.
    """
    pose = np.asarray(pose, dtype=np.float64)
    layout = _layout_of(pose)
    color = layout.color if color is None else color
    valid = is_valid(pose[:, :2]).all(axis=-1)
    depth = np.maximum(pose[:, 2], 0) if pose.shape[1] > 2 else np.zeros(len(pose))
    points = np.column_stack([depth, pose[:, 0], pose[:, 1]])
    figure = _figure(filename) if subplot is None else None
    axes = figure.add_subplot(111, projection="3d") if figure else subplot
    for joint in np.flatnonzero(valid):
        axes.scatter(*points[joint, :, None], lw=lw, c=color[layout.cmap[joint]])
    for a, b in layout.links:
        if valid[a] and valid[b]:
            axes.plot(*points[[a, b]].T, c=color[layout.cmap[a]], lw=lw)
    axes.view_init(10, azimuth)
    axes.set_box_aspect((1, 1, 1))
    axes.set(xlabel="Z (depth)", ylabel="X (width)", zlabel="Y (height)")
    axes.set(xlim=(1, 0), ylim=(0, 1), zlim=(1, 0))
    if figure:
        _finish(figure, filename, bbox_inches="tight", pad_inches=0)


def plot_skeleton_2d(
    subplot,
    skel: np.ndarray,
    h: float | None = None,
    w: float | None = None,
    joints: bool = True,
    links: bool = True,
    scale: float = 16,
    lw: float = 4,
) -> None:
    """Plots a pose on matplotlib axes.

    Args:
        subplot: matplotlib axes.
        skel: Array (joints, 2 or more); 16, 17, 20 or 21 joints.
        h: Factor of y: the picture's height where `skel` is normalised to it.
        w: Factor of x: the picture's width.
        joints: Whether to plot the joints.
        links: Whether to plot the limbs.
        scale: Area of a joint, square points.
        lw: Width of a limb, points.
    """
    layout = _layout_of(skel)
    points = np.array(skel, dtype=np.float64)[:, :2]
    valid = is_valid(points).all(axis=-1)
    points = points * (1 if w is None else w, 1 if h is None else h)
    colors = [layout.color[index] for index in layout.cmap]
    if joints:
        for x, y, c in zip(*points[valid].T, np.array(colors)[valid], strict=True):
            subplot.scatter(x=x, y=y, c=c, lw=lw, s=scale, zorder=2)
    for a, b in layout.links if links else []:
        if valid[a] and valid[b]:
            subplot.plot(*points[[a, b]].T, lw=lw, c=colors[a], zorder=1)


def _listed(skels):
    """Returns a list of poses, also of a single one."""
    poses = [] if skels is None else list(skels)
    single = bool(poses) and np.ndim(poses[0]) == 1
    return [np.asarray(skels)] if single else poses


def _layout_of(pose):
    layouts = {16: pa16j2d, 17: pa17j3d, 20: pa20j3d, 21: pa21j3d}
    if np.ndim(pose) != 2 or len(pose) not in layouts or np.shape(pose)[1] < 2:
        raise ValueError(
            f"A pose must have 16, 17, 20 or 21 joints. "
            f"Received: shape={np.shape(pose)}"
        )
    return layouts[len(pose)]


def _plot_boxes(subplot, boxes, width, height, colors):
    boxes = [] if boxes is None else np.reshape(boxes, (-1, 4))
    factor = np.tile([width or 1, height or 1], 2)
    for box, color in zip(boxes, itertools.cycle(colors), strict=False):
        x1, y1, x2, y2 = box * factor
        xs, ys = [x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1]
        subplot.plot(xs, ys, lw=4, c=color, zorder=1)


def _figure(filename, figsize=None):
    """Returns a figure; one of pyplot's, which opens windows, only without a file."""
    if filename:
        from matplotlib.figure import Figure

        return Figure(figsize=figsize)
    from matplotlib import pyplot

    return pyplot.figure(figsize=figsize)


def _finish(figure, filename, **options):
    """Writes the figure to a file, or shows and closes all that are open."""
    if filename:
        figure.savefig(filename, **options)
        return
    from matplotlib import pyplot

    pyplot.show()
    pyplot.close(figure)
