"""Files of boxes in the original's two forms."""

import json

import numpy as np
import pytest

from deephar.config import DataConfig
from deephar.data import (
    ClipBoxes,
    FrameBoxes,
    PennAction,
    open_cache,
    read_boxes,
    write_boxes,
)
from deephar.utils.modes import TEST_MODE, TRAIN_MODE

BY_FRAME = [
    {"0.0": [10, 20, 110, 120], "0.1": [12, 18, 112, 118], "1.0": [0, 0, 50, 60]},
    {"0.0": [1, 2, 3, 4]},
    {},
]
BY_CLIP = {"0000.2.000.0": [1, 2, 30, 40], "0012.2.003.1": [5, 6, 70, 80]}


def written(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_boxes_by_frame_are_joined_over_a_clip(tmp_path):
    boxes = read_boxes(written(tmp_path, BY_FRAME))
    assert isinstance(boxes, FrameBoxes)
    assert boxes.clip_box(TEST_MODE, 0, [0, 1]).tolist() == [10, 18, 112, 120]
    assert boxes.clip_box(TRAIN_MODE, 0, [0]).tolist() == [1, 2, 3, 4]


def test_boxes_by_clip_are_found_by_step_number_and_flip(tmp_path):
    boxes = read_boxes(written(tmp_path, BY_CLIP))
    assert isinstance(boxes, ClipBoxes)
    assert boxes.boxes[12, 2, 3, 1] == (5, 6, 70, 80)


def test_reversed_boxes_are_neither_read_nor_written(tmp_path):
    message = r"the box '0000\.2\.000\.0' must be x1 y1 x2 y2, none reversed"
    for box in ([30, 2, 1, 40], [1, 40, 30, 2]):
        with pytest.raises(ValueError, match=message):
            read_boxes(written(tmp_path, {"0000.2.000.0": box}))
        with pytest.raises(ValueError, match=message):
            write_boxes(tmp_path / "again.json", ClipBoxes({(0, 2, 0, 0): box}))
    assert not (tmp_path / "again.json").exists()


@pytest.mark.parametrize("content", [BY_FRAME, BY_CLIP])
def test_a_file_is_written_as_it_was_read(tmp_path, content):
    boxes = read_boxes(written(tmp_path, content))
    write_boxes(tmp_path / "again.json", boxes)
    assert json.loads((tmp_path / "again.json").read_text()) == content


def test_whole_px_are_written(tmp_path):
    boxes = ClipBoxes({(1, 4, 0, 0): np.array([-1.9, -3.7, 2.2, 4.0])})
    write_boxes(tmp_path / "a.json", boxes)
    content = json.loads((tmp_path / "a.json").read_text())
    assert content == {"0001.4.000.0": [-1, -3, 2, 4]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]


def test_a_box_that_is_not_there_is_named_by_its_key(tmp_path):
    by_frame = read_boxes(written(tmp_path, BY_FRAME))
    with pytest.raises(ValueError, match=r"boxes\.json.*'0\.7' in the part 'test'"):
        by_frame.clip_box(TEST_MODE, 0, [0, 7])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{", r"boxes\.json must be a whole JSON file"),
        ([{}, {}], "list of boxes by frame for test, training.*list of 2"),
        ("3", "must hold boxes by clip, or a list.*int"),
        ([{"0.0": [1, 2, 3]}, {}, {}], r"'0\.0' must be four finite.*\[1, 2, 3\]"),
        ([{"0.0": [1, 2, 3, "a"]}, {}, {}], r"'0\.0' must be four finite numbers"),
        ([{"0.0": [1, 2, None, 4]}, {}, {}], r"'0\.0' must be four finite numbers"),
        ([{"0001.2.000.0": [1, 2, 3, 4]}, {}, {}], r"must be V\.F.*'0001\.2\.000\.0'"),
        ({"1.0": [1, 2, 3, 4]}, r"must be VVVV\.S\.CCC\.H.*'1\.0'"),
        ({"0001.2.000.2": [1, 2, 3, 4]}, r"'0001\.2\.000\.2'"),
        ([[], {}, {}], "must hold {key: box} for each part.*list"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_boxes(written(tmp_path, content))


def test_missing_places_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file of boxes: .*absent\.json"):
        read_boxes(tmp_path / "absent.json")
    with pytest.raises(FileNotFoundError, match="the folder of `path` must exist"):
        write_boxes(tmp_path / "no" / "a.json", ClipBoxes({}))


def test_penn_action_takes_its_windows_from_boxes_by_frame(tmp_path, clip_folders):
    path = written(tmp_path, BY_FRAME)
    config = DataConfig(crop_resolution=(32, 32), fixed_scale=2)
    data = PennAction(clip_folders["penn"], config, clip_size=2, pred_bboxes_file=path)
    sample = data.get_data(0, TEST_MODE, frame_list=[0, 1])
    assert sample["bbox"].tolist() == [10, 18, 112, 120]
    with pytest.raises(ValueError, match=r"boxes\.json.*'1\.3'"):
        data.get_data(1, TEST_MODE)


def test_a_file_of_boxes_may_lie_in_the_working_folder(
    tmp_path, clip_folders, monkeypatch
):
    monkeypatch.chdir(written(tmp_path, BY_FRAME).parent)
    config, options = DataConfig(), {"pred_bboxes_file": "boxes.json"}
    data = PennAction(clip_folders["penn"], config, **options)
    assert data.pred_bboxes.path == "boxes.json"
    (tmp_path / "boxes.json").unlink()
    with pytest.raises(FileNotFoundError, match=f"{clip_folders['penn']}/boxes.json"):
        PennAction(clip_folders["penn"], config, **options)


@pytest.mark.parametrize("cache", [None, "memory"])
def test_a_frame_without_a_box_can_be_opened_and_cropped(tmp_path, clip_folders, cache):
    config = DataConfig(crop_resolution=(32, 32))
    data = PennAction(
        *(clip_folders["penn"], config),
        clip_size=2,
        pred_bboxes_file=written(tmp_path, BY_FRAME),
        cache=None if cache is None else open_cache(cache),
    )
    where = (0, TEST_MODE, [7, 7], (20, 10, 140, 110))
    crop = data.crop_frame(data.open_frame(0, TEST_MODE, 7), data.clip_window(*where))
    np.testing.assert_array_equal(crop, data.get_data(*where)["frame"][1])


def test_boxes_must_be_by_frame_and_the_only_ones(tmp_path, clip_folders):
    folder, config = clip_folders["penn"], DataConfig()
    path = written(tmp_path, BY_CLIP)
    with pytest.raises(ValueError, match=r"must hold boxes by frame.*boxes\.json"):
        PennAction(folder, config, pred_bboxes_file=path)
    with pytest.raises(ValueError, match="must be None with `use_gt_bbox`"):
        PennAction(folder, config, use_gt_bbox=True, pred_bboxes_file=path)
    with pytest.raises(FileNotFoundError, match=r"no file of boxes: .*penn.none\.json"):
        PennAction(folder, config, pred_bboxes_file="none.json")
