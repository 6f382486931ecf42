"""Clips of which a frozen frame network has said all it has to say, once."""

import logging

import numpy as np

from deephar.evaluation.looks import Video, describe, plan_clips
from deephar.inference.clips import ClipPredictor
from deephar.utils.modes import mode_name

logger = logging.getLogger(__name__)

_LARGE = "features"
_GROUP = 16


class DescribedClips:
    """The inputs of a clip head as a data set: poses, confidences, features, action.

    Of every video it has `all_clips`, as evaluations see them, and their mirror images.
    They are kept in memory, the features in 16 bits: about 150 kB for 8 frames of 16
    joints of a merged model; of SPNet about 100 kB for each block that predicts
    actions.

    Args:
        predictor: a network's frame model describes the clips now; what it learns
            later changes nothing here.
        dataset: a `ClipDataset` of topology "sequences".
        mode: the only mode of this data set.
        label: key of the action among the targets.
        batch_size: frames a step.
        workers: threads that read pictures ahead.
        strict: whether a picture that cannot be read is an error; if not, its clips
            are left out.

    Attributes:
        inputs: keys of the clip head's inputs, in its order.

    Raises:
        OSError: a picture cannot be read, if `strict`; or none can be.
    """

    def __init__(
        self,
        predictor: ClipPredictor,
        dataset,
        mode: int,
        label: str,
        batch_size: int = 16,
        workers: int = 2,
        strict: bool = False,
    ):
        self.dataset_path = dataset.dataset_path
        self.inputs = predictor.described
        self.label, self._mode = label, mode
        self._classes = len(dataset.action_labels)
        self._clips: list[tuple[list[np.ndarray], int]] = []
        videos, errors = dataset.get_length(mode), {}
        for first in range(0, videos, _GROUP):
            keys = range(first, min(first + _GROUP, videos))
            looked = [self._looks(dataset, key, errors) for key in keys]
            describe(looked, predictor, dataset, mode, batch_size, workers, errors)
            if errors and strict:
                raise OSError(next(iter(errors.values())))
            for video in looked:
                self._keep(video, dataset.action(video.key, mode))
        if errors:
            first_ones = "; ".join(list(errors.values())[:5])
            logger.warning("%d pictures cannot be read: %s", len(errors), first_ones)
        if not self._clips:
            raise OSError(f"{dataset.dataset_path}: not one clip could be described")
        logger.info(
            "%d videos described, as %d clips, mirrored ones among them",
            videos,
            len(self._clips),
        )

    def _looks(self, dataset, key: int, errors: dict[str, str]) -> Video:
        frames = dataset.all_clips(key, self._mode)
        clips = [(1, number, one) for number, one in enumerate(frames)]
        return plan_clips(dataset, key, self._mode, clips, 2, None, errors)

    def _keep(self, video, action: int) -> None:
        for look in video.looks:
            if all(number in video.described for number in look):
                frames = [video.described[number] for number in look]
                arrays = map(np.stack, zip(*frames, strict=True))
                kept = [
                    array.astype(np.float16) if name.endswith(_LARGE) else array
                    for name, array in zip(self.inputs, arrays, strict=True)
                ]
                self._clips.append((kept, action))

    def get_length(self, mode: int) -> int:
        """Returns the number of clips; ValueError for a mode other than its own."""
        if mode != self._mode:
            raise ValueError(
                f"These clips are of the part {mode_name(self._mode)!r}. "
                f"Received: mode={mode_name(mode)!r}"
            )
        return len(self._clips)

    def get_shape(self, dictkey: str) -> tuple[int, ...]:
        """Returns the shape of one value of `get_data`."""
        if dictkey == self.label:
            return (self._classes,)
        return self._clips[0][0][self.inputs.index(dictkey)].shape

    def get_data(self, key: int, mode: int) -> dict[str, np.ndarray]:
        """Returns a clip: what its frames were described as, and its action."""
        arrays, action = self._clips[key]
        target = np.zeros(self._classes, np.float32)
        target[action] = 1
        values = (array.astype(np.float32) for array in arrays)
        return {**dict(zip(self.inputs, values, strict=True)), self.label: target}
