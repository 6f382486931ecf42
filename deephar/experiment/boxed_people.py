"""People with boxes and COCO's key points: where their files lie, how they are scored.

COCO and MERL Shopping have a file of annotations and a folder of pictures for each
part, named by the flags of the fork's scripts.
"""

import argparse
import dataclasses
import logging
import pathlib
from collections.abc import Callable, Mapping

from deephar.config import DataConfig, mpii_sp_dataconf
from deephar.data import COCOSinglePerson, MERLSinglePerson, open_cache
from deephar.data.boxed import BoxedPeople
from deephar.data.coco import COCO_PARTS, coco_files
from deephar.data.merl import PEOPLE_FILES, PEOPLE_PICTURES
from deephar.evaluation.keypoints import score_pck
from deephar.evaluation.oks import keypoint_results, score_oks
from deephar.evaluation.pose import PosePredictions
from deephar.experiment.settings import sized
from deephar.networks.recipes import poselayout
from deephar.utils.modes import TRAIN_MODE, VALID_MODE
from deephar.utils.pose import coco17j, pa16j2d

logger = logging.getLogger(__name__)

NONE = "none"
"""What `--val-anno-path` says for no scores."""


def score_coco(
    found: PosePredictions, people: COCOSinglePerson, results: list | None = None
) -> dict:
    """What `score_oks` says, and under "by_box" what `score_pck` does; "pck" is both's.

    Args:
        found: what `predict_poses` returned of the people.
        people: the data set.
        results: what `keypoint_results` made of it; None to do so.
    """
    results = keypoint_results(found, people) if results is None else results
    oks = score_oks(people, results)
    by_box = score_pck(found, people.box_sides(), people.poselayout)
    return {**oks, "pck": by_box["pck"], "by_box": by_box}


def score_merl(found: PosePredictions, people: BoxedPeople) -> dict:
    """What `score_pck` says; args as of `score_coco`."""
    return score_pck(found, people.box_sides(), people.poselayout)


@dataclasses.dataclass(frozen=True)
class BoxedData:
    """A data set of people with boxes.

    Attributes:
        name: its kind of evaluation.
        root: folder of all its files.
        train, valid: annotations and folder of pictures of a part, below the root.
        dataset: its class.
        score: from predictions and the data set to figures.
        figure: the figure that tells the best epoch.
        switches: further arguments of the class that are true by a flag, and its help.
    """

    name: str
    root: str
    train: tuple[str, str]
    valid: tuple[str, str]
    dataset: Callable[..., BoxedPeople]
    score: Callable[[PosePredictions, BoxedPeople], dict]
    figure: str
    switches: Mapping[str, str] = dataclasses.field(default_factory=dict)


COCO_PEOPLE = BoxedData(
    "coco",
    "datasets/COCO",
    coco_files("", COCO_PARTS[TRAIN_MODE])[::-1],
    coco_files("", COCO_PARTS[VALID_MODE])[::-1],
    COCOSinglePerson,
    score_coco,
    "ap",
)

MERL_PEOPLE = BoxedData(
    "merl",
    "datasets/MERL",
    (PEOPLE_FILES[TRAIN_MODE], PEOPLE_PICTURES),
    (PEOPLE_FILES[VALID_MODE], PEOPLE_PICTURES),
    MERLSinglePerson,
    score_merl,
    "pck",
    {"occluded": "count key points that are labelled but hidden"},
)


def add_part_arguments(
    parser: argparse.ArgumentParser, data: BoxedData, part: tuple[str, str]
) -> None:
    """Adds `--data`, `--anno-path`, `--image-path` and the data set's switches.

    Args:
        parser: the script's parser.
        data: the data set.
        part: `data.train` or `data.valid`, where the paths default to.
    """
    add = parser.add_argument
    add("--data", default=data.root, help="folder of the files below (%(default)s)")
    add("--anno-path", metavar="FILE", help=f"annotations (DATA/{part[0]})")
    add("--image-path", metavar="DIR", help=f"their pictures (DATA/{part[1]})")
    for name, about in data.switches.items():
        add(f"--{name}", action="store_true", help=about)


def add_validation_arguments(parser: argparse.ArgumentParser, data: BoxedData) -> None:
    """Adds `--val-anno-path` and `--val-image-path`, of the scores of a training."""
    add = parser.add_argument
    about = f'for the scores of the epochs; "{NONE}" for no scores'
    where = f"DATA/{data.valid[0]} if it is there"
    add("--val-anno-path", metavar="FILE", help=f"annotations {about} ({where})")
    add("--val-image-path", metavar="DIR", help=f"their pictures ({data.valid[1]})")


def open_part(
    args: argparse.Namespace,
    data: BoxedData,
    part: tuple[str, str],
    dataconf: DataConfig,
    layout,
) -> BoxedPeople:
    """The people of `--anno-path`, or of the part of the data set.

    Args:
        args: flags of `add_part_arguments`.
        data, part: as given to it.
        dataconf: configuration of the crops.
        layout: layout of the poses, see `people_layout`.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
        ValueError: if the annotations are not as they should be.
    """
    paths = _paths(args.data, part, args.anno_path, args.image_path)
    return _open(args, data, paths, dataconf, layout)


def open_validation(
    args: argparse.Namespace, data: BoxedData, dataconf: DataConfig, layout
) -> BoxedPeople | None:
    """The people that score a training; None, which is logged, if there are none.

    Args and errors are as of `open_part`.
    """
    given = args.val_anno_path
    annotations, images = _paths(args.data, data.valid, given, args.val_image_path)
    if given == NONE:
        return None
    if given is None and not annotations.is_file():
        logger.info("%s: is not there, so there will be no scores", annotations)
        return None
    return _open(args, data, (annotations, images), dataconf, layout)


def _paths(
    root: str, part: tuple[str, str], *given: str | None
) -> tuple[pathlib.Path, pathlib.Path]:
    """Annotations and folder of pictures: those that are given, else of the part."""
    folder = pathlib.Path(root)
    annotations, images = (
        folder / usual if path is None else pathlib.Path(path)
        for usual, path in zip(part, given, strict=True)
    )
    return annotations, images


def _open(args, data: BoxedData, paths, dataconf: DataConfig, layout) -> BoxedPeople:
    annotations, images = paths
    switches = {name: getattr(args, name) for name in data.switches}
    cache = open_cache(getattr(args, "cache", None))
    options = {"poselayout": layout, "cache": cache, **switches}
    return data.dataset(images, annotations, dataconf, **options)


def people_layout(settings: Mapping) -> type:
    """The layout of people for a network: COCO's 17 joints if it has them, else 16."""
    layout = poselayout(settings)
    return layout if layout is coco17j else pa16j2d


def people_dataconf(settings: dict, augmented: bool = True) -> DataConfig:
    """The crops of people for a network; as of `sized`."""
    return sized(mpii_sp_dataconf, settings, augmented)
