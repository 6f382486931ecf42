"""One video of a user's own: what is done in it, drawn frame by frame, and written."""

import argparse
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from deephar.data.box_lists import BoxRow, read_box_list
from deephar.data.boxed_clips import BoxedVideo
from deephar.data.pictures import open_picture
from deephar.evaluation.sliding import Seen
from deephar.experiment.picture_poses import drawing_names
from deephar.experiment.run import write_json
from deephar.experiment.sliding import Watcher, video_of_rows
from deephar.networks.recipes import poselayout
from deephar.utils.drawing import draw_action, draw_pose, save_drawing

_NO_BOX = (np.nan,) * 4


def boxed_video(
    args: argparse.Namespace, pictures: Sequence[pathlib.Path], errors: dict[str, str]
) -> BoxedVideo:
    """The video of `--video`, with the boxes of `--box` or `--boxes`.

    Args:
        args: the flags.
        pictures: its frames.
        errors: as of `video_of_rows`.

    Raises:
        OSError: if no picture can be read.
        ValueError: if the list has a picture that is none of these, or a box is not as
            it should be.
    """
    boxes = dict.fromkeys([path.name for path in pictures], args.box or _NO_BOX)
    for row in read_box_list(args.boxes) if args.boxes else ():
        name = pathlib.PurePath(row.picture).name
        if name not in boxes:
            raise ValueError(f"{args.boxes}: {name} is no picture of {args.video}")
        boxes[name] = row.box
    rows = [BoxRow(str(path), 1.0, tuple(boxes[path.name])) for path in pictures]
    return video_of_rows(args.video, rows, errors)


def watch_video(
    watcher: Watcher, video: BoxedVideo, errors: dict[str, str]
) -> list[Seen]:
    """Looks at a video, by the network's step or that of `--step`.

    Args:
        watcher: what looks.
        video: the video.
        errors: gets a message by path of every picture that could not be read.

    Returns:
        The windows that could be seen.

    Raises:
        OSError: if there is none.
    """
    step = watcher.args.step or watcher.settings.get("step")
    windows = list(watcher.watch(video, step, errors))
    seen = [one for one in windows if one.scores is not None]
    if not seen:
        first = next(iter(errors.values()))
        raise OSError(f"{video.name}: no window without unreadable pictures: {first}")
    return seen


def video_scores(seen: Sequence[Seen], output: int) -> np.ndarray:
    """What all windows say together: their probabilities multiplied, and normalised.

    Args:
        seen: the windows.
        output: number of the output that counts.

    Returns:
        `(classes,)`, the sum is 1. The root is taken whose degree is the number of
        windows, so that many of them do not look more certain than each is.
    """
    scores = np.stack([one.scores[output] for one in seen])
    logs = np.log(np.maximum(scores, np.finfo(np.float64).tiny)).mean(axis=0)
    powers = np.exp(logs - logs.max())
    return powers / powers.sum()


def write_video_scores(
    path: pathlib.Path, watcher: Watcher, seen: Sequence[Seen], about: Mapping
) -> str:
    """Writes the answer, the scores by output and those of the windows as JSON.

    Args:
        path: the file.
        watcher: what looked.
        seen: the windows.
        about: what else to write.

    Returns:
        The answer.
    """
    labels, names = watcher.labels, watcher.predictor.names

    def by_class(scores: np.ndarray) -> dict[str, float]:
        values = (round(float(score), 6) for score in scores)
        return dict(zip(labels, values, strict=True))

    outputs = {n: by_class(video_scores(seen, i)) for i, n in enumerate(names)}
    counts = names[watcher.output]
    answer = labels[int(video_scores(seen, watcher.output).argmax())]
    windows = [
        {
            "frames": [frame + 1 for frame in one.frames],
            "scores": by_class(one.scores[watcher.output]),
        }
        for one in seen
    ]
    found = {"answer": answer, "output": counts, "scores": outputs}
    write_json(path, {**about, **found, "windows": windows})
    return answer


def draw_video(
    folder: pathlib.Path,
    watcher: Watcher,
    video: BoxedVideo,
    seen: Sequence[Seen],
    errors: dict[str, str],
) -> None:
    """Draws every frame that can be read, under its name.

    A frame has the scores of the last window that ends there or before (the first
    frames: of the first one), its box, and the pose where a window looked at it.

    Args:
        folder: where to.
        watcher, video, seen, errors: as of `watch_video`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    layout, last = poselayout(watcher.settings), 0
    poses = {
        frame: (pose, confidence)
        for one in seen
        for frame, pose, confidence in zip(
            one.frames, one.poses, one.confidence, strict=True
        )
    }
    names = drawing_names([pathlib.Path(path) for path in video.pictures])
    for number, (path, name) in enumerate(zip(video.pictures, names, strict=True)):
        while last + 1 < len(seen) and seen[last + 1].frames[-1] <= number:
            last += 1
        try:
            picture = open_picture(path)
        except OSError as error:
            errors[path] = str(error)
            continue
        if number in poses:
            pose, confidence = poses[number]
            picture = draw_pose(picture, pose, layout, confidence)
        box = video.boxes[number]
        box = None if np.isnan(box).any() else box.tolist()
        scores = seen[last].scores[watcher.output]
        drawing = draw_action(picture, watcher.labels, scores, box)
        save_drawing(drawing, folder / f"{name}.jpg")
