"""People and videos of MERL Shopping in the form of the fork."""

import copy
import inspect
import json
import logging
import os
import pathlib
import pickle

import numpy as np
import pytest
from tiny_boxes import BOX, POSE, SIZE, STEP, action_entries, pickled_people
from tiny_clips import draw

from deephar.config import DataConfig
from deephar.data.merl import MERL5Action, MERLAction, MERLSinglePerson
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import INVALID, coco17j, pa16j2d

CROP = DataConfig(crop_resolution=(64, 64))
REACH = (("ReachToShelf", 12), ("RetractfromShelf", 4))
SHELF = (
    ("ApproachtoShelf", "1_1_crop_2_9", 12),
    ("GlanceatShelf", "7_1_crop_1_5", 4),
    ("GlanceAtShelf", "8_1_crop_1_5", 3),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with pictures, records of people and entries of actions."""
    root = tmp_path_factory.mktemp("merl")
    records = pickled_people(root / "images", REACH)
    (root / "people.pkl").write_bytes(pickle.dumps(records))
    (root / "train_2.json").write_text(json.dumps(action_entries(root, SHELF)))
    return root


@pytest.fixture
def records(root):
    return pickle.loads((root / "people.pkl").read_bytes())


@pytest.fixture
def entries(root):
    return json.loads((root / "train_2.json").read_text())


def people(root, tmp_path, records, kind=MERLSinglePerson, **options):
    path = tmp_path / "people.pkl"
    path.write_bytes(pickle.dumps(records))
    return kind(root / "images", path, CROP, **options)


def actions(folder, entries, **options):
    path = folder / "actions.json"
    path.write_text(json.dumps(entries))
    return MERL5Action(path, CROP, **options)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (MERLSinglePerson, "dataset_path anno_path dataconf poselayout"),
        (MERLAction, "dataset_path anno_path dataconf poselayout clip_size"),
        (MERL5Action, "anno_path dataconf poselayout clip_size"),
    ],
)
def test_data_sets_take_the_forks_arguments(kind, names):
    names = names.split()
    assert list(inspect.signature(kind).parameters)[: len(names)] == names


def test_people_have_the_key_points_that_are_visible(root):
    data = MERLSinglePerson(
        root / "images", root / "people.pkl", CROP, poselayout=coco17j
    )
    assert data.get_length(TEST_MODE) == data.get_length(TRAIN_MODE) == 16
    sample = data.get_data(3, TEST_MODE)
    points = sample["keypoints"]
    np.testing.assert_allclose(points[1:15], POSE[1:15] + [3 * STEP, 0])
    assert (points[[0, 15]] == INVALID).all() and data.missing_pictures() == []
    side = 1.25 * (BOX[3] - BOX[1])
    x = (BOX[0] + BOX[2]) / 2 + 3 * STEP
    assert sample["bbox"][[0, 2]].tolist() == [x - side / 2, x + side / 2]


def test_hidden_key_points_count_if_they_are_asked_for(root):
    ankle = pa16j2d.joint_names.index("l_ankle")
    for occluded in (False, True):
        data = MERLSinglePerson(
            root / "images", root / "people.pkl", CROP, occluded=occluded
        )
        found = data.get_data(0, TEST_MODE)["keypoints"][ankle]
        assert (found == INVALID).all() != occluded


def test_people_without_key_points_or_box_are_left_out_and_counted(
    root, tmp_path, records, caplog
):
    records[0]["keypoints"] = [[0.0, 0.0, 2]] * 16 + [[9.0, 9.0, 0]]
    records[1]["bbox"][2] = 0
    caplog.set_level(logging.INFO)
    data = people(root, tmp_path, records)
    assert data.left_out == {"no key points": 1, "empty box": 1}
    assert data.get_length(TEST_MODE) == 14
    assert "14 people; left out: 1 no key points, 1 empty box" in caplog.text
    occluded = people(root, tmp_path, records, occluded=True)
    assert occluded.left_out == {"no key points": 0, "empty box": 1}


def test_pictures_of_one_name_are_a_video_whose_name_tells_the_action(root):
    data = MERLAction(root / "images", root / "people.pkl", CROP)
    assert data.get_length(TEST_MODE) == 2 and data.clip_size == 3
    assert [data.action(key, TEST_MODE) for key in (0, 1)] == [0, 1]
    assert data.video_name(1, TEST_MODE) == "1_1_crop_5_90_RetractfromShelf"
    assert data.num_frames(0, TEST_MODE) == 12 and data.missing_pictures() == []
    sample = data.get_data(0, TEST_MODE)
    assert sample["frame"].shape == (3, 64, 64, 3)
    assert sample["merlaction"].tolist() == [1, 0]
    hip = pa16j2d.joint_names.index("l_hip")
    assert (sample["pose"][:, hip, 2] == 1).all()


def test_paths_of_windows_in_a_pickle_are_read(root, tmp_path, records):
    (tmp_path / "below").symlink_to(root / "images")
    path = tmp_path / "people.pkl"
    records[0]["img_paths"] = "below\\" + records[0]["img_paths"]
    path.write_bytes(pickle.dumps(records[:1]))
    assert MERLSinglePerson(tmp_path, path, CROP).missing_pictures() == []


def test_frames_come_in_the_order_of_their_numbers(root, tmp_path, records, entries):
    data = people(root, tmp_path, records[::-1], MERLAction)
    assert data.video_name(1, TEST_MODE) == "1_1_crop_5_90_ReachToShelf"
    names = [os.path.basename(one) for one in data.sequences[TEST_MODE][1].pictures]
    assert names == sorted(names) and len(names) == 12
    shuffled = actions(root, entries[::-1])
    numbers = [pathlib.Path(one).stem for one in shuffled.sequences[0][2].pictures]
    assert numbers == [str(number) for number in range(12)]


def test_videos_of_a_file_of_actions(root):
    data = MERL5Action(root / "train_2.json", CROP)
    assert data.get_length(TRAIN_MODE) == 3 and data.clip_size == 4
    assert [data.action(key, TEST_MODE) for key in range(3)] == [0, 1, 1]
    assert data.action_labels == ("ApproachtoShelf", "GlanceAtShelf", "LookatShelf")
    sample = data.get_data(0, TEST_MODE)
    assert sample["merlaction"].tolist() == [1, 0, 0]
    assert sample["frame"].shape == (4, 64, 64, 3)
    assert (sample["pose"][..., :2] == INVALID).all() and data.missing_pictures() == []
    assert data.clip_window(0, TEST_MODE, [0])[1] == (max(SIZE),) * 2
    assert data.clip_window(0, TEST_MODE, [0, 3])[1] == (1.25 * (BOX[3] - BOX[1]),) * 2


def test_pictures_are_found_by_the_ends_of_urls_of_another_machine(root, tmp_path):
    away = action_entries(root, SHELF[1:], "/mnt/disk/somebody/actions/video/")
    for entry in away:
        entry["image"]["url"] = entry["image"]["url"].replace("video/actions", "video")
    path = tmp_path / "actions.json"
    path.write_text(json.dumps(away))
    found = MERL5Action(path, CROP, image_path=root / "actions")
    assert found.missing_pictures() == []
    assert found.get_data(0, TEST_MODE)["frame"].shape == (4, 64, 64, 3)
    with pytest.raises(FileNotFoundError, match=r"give .*--image-path.*: /mnt/disk/so"):
        MERL5Action(path, CROP)
    assert actions(root, away).missing_pictures() == []
    with pytest.raises(FileNotFoundError, match=r"no picture of .*actions\.json lies"):
        MERL5Action(path, CROP, image_path=tmp_path)


def of_urls(folder, *urls, **options):
    """The pictures of a video of these urls."""
    image = {"width": SIZE[0], "height": SIZE[1]}
    entry = {"id": "a", "action": "LookatShelf", "person_bbox": []}
    data = actions(
        folder, [{**entry, "image": {**image, "url": url}} for url in urls], **options
    )
    return [os.path.relpath(path, folder) for path in data.videos[0].pictures]


def test_urls_keep_as_much_as_finds_the_most_pictures(tmp_path):
    for place in ("1.jpg", "b/1.jpg", "b/2.jpg", "b/3.jpg", "a/b/1.jpg", "a/b/2.jpg"):
        draw(tmp_path / place, SIZE, 1)
    urls = [f"/away/a/b/{number}.jpg" for number in (1, 2, 3)]
    found = of_urls(tmp_path, *urls, image_path=tmp_path)
    assert found == ["b/1.jpg", "b/2.jpg", "b/3.jpg"]
    found = of_urls(tmp_path, *urls[:2], image_path=tmp_path)
    assert found == ["a/b/1.jpg", "a/b/2.jpg"]
    found = of_urls(tmp_path, r"D:\away\a\b\2.jpg", image_path=tmp_path)
    assert found == ["a/b/2.jpg"]


def test_different_urls_must_stay_different_pictures(tmp_path):
    draw(tmp_path / "1.jpg", SIZE, 1)
    urls = "/away/a/1.jpg", "/away/b/1.jpg"
    with pytest.raises(ValueError, match="away/a/1.jpg and away/b/1.jpg, both 1.jpg"):
        of_urls(tmp_path, *urls, image_path=tmp_path)
    draw(tmp_path / "b/1.jpg", SIZE, 1)
    with pytest.raises(ValueError, match="different urls must be different pictures"):
        of_urls(tmp_path, *urls, image_path=tmp_path)
    found = of_urls(tmp_path, urls[1], urls[1], image_path=tmp_path)
    assert found == ["b/1.jpg"]


def test_a_first_picture_that_is_missing_does_not_hide_the_others(tmp_path):
    draw(tmp_path / "a" / "2.jpg", SIZE, 1)
    found = of_urls(tmp_path, "a/1.jpg", "a/2.jpg")
    assert found == ["a/1.jpg", "a/2.jpg"]
    draw(tmp_path / "lists" / "2.jpg", SIZE, 1)
    urls = [f"{tmp_path}/a/{number}.jpg" for number in (1, 2)]
    found = of_urls(tmp_path / "lists", *urls)
    assert found == ["../a/1.jpg", "../a/2.jpg"]


def test_copies_for_processes_that_make_batches_give_the_same_samples(root):
    for kind, places in (
        (MERLSinglePerson, (root / "images", root / "people.pkl")),
        (MERLAction, (root / "images", root / "people.pkl")),
        (MERL5Action, (root / "train_2.json",)),
    ):
        data = kind(*places, CROP)
        copied = pickle.loads(pickle.dumps(data))
        ours, theirs = (
            one.get_data(1, TRAIN_MODE, rng=np.random.default_rng(4))
            for one in (data, copied)
        )
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name])


def test_other_classes_can_be_asked_for(root, entries):
    some = [entry for entry in entries if entry["action"][0] == "G"]
    data = actions(root, some, classes=("glanceatshelf", "other"))
    assert data.get_shape("merlaction") == (2,)
    assert data.get_data(1, TEST_MODE)["merlaction"].tolist() == [1, 0]


def test_of_several_people_in_a_picture_the_largest_is_looked_at(root, entries, caplog):
    other = copy.deepcopy(entries[1])
    other["person_bbox"] = [0, 0, 100, 80]
    data = actions(root, [*entries, other])
    assert data.num_frames(0, TEST_MODE) == 12
    assert data.clip_window(0, TEST_MODE, [1])[1] == (125.0, 125.0)
    assert "1 people are not looked at" in caplog.text
    assert "repeat" not in caplog.text


def test_records_that_are_there_twice_are_counted_apart(root, entries, caplog):
    data = actions(root, [*entries, entries[0], entries[1]])
    assert data.num_frames(0, TEST_MODE) == 12
    assert "2 records repeat the picture and box of another" in caplog.text
    assert "not looked at" not in caplog.text


BAD_RECORDS = {
    "no box": ({"bbox": None}, "`bbox` of .* must be 4 finite numbers"),
    "three numbers": ({"bbox": [1, 2, 3]}, r"Received: bbox=\[1, 2, 3\] of length 3"),
    "complex numbers": ({"bbox": np.array([1j, 2, 3, 4])}, "4 finite .*complex128"),
    "a huge number": ({"bbox": [10**400, 2, 3, 4]}, "`bbox` .*must be 4 finite"),
    "a box of a negative width": ({"bbox": [1, 2, -3, 4]}, "w and h of at least 0"),
    "numbers as texts": ({"bbox": ["1", "2", "3", "4"]}, "must be 4 finite numbers"),
    "truth values": ({"bbox": [True] * 4}, "must be 4 finite numbers"),
    "a text": (
        {"keypoints": "abc"},
        "must be 17 x 3 numbers. Received: keypoints='abc",
    ),
    "16 key points": ({"keypoints": [[1, 2, 1]] * 16}, "17 x 3 .* of length 16"),
    "a size of text": ({"img_width": "64"}, "`size` of .* must be 2 finite numbers"),
    "no picture": ({"img_paths": None}, "`img_paths` of .* must be a text"),
    "a list of pictures": (
        {"img_paths": ["a.jpg"]},
        "`img_paths` of .* must be a text",
    ),
    "a picture of bytes": ({"img_paths": b"a.jpg"}, "`img_paths` of .* must be a text"),
    "a picture elsewhere": ({"img_paths": "a/../../b.jpg"}, "below the folder"),
    "a picture of Windows": ({"img_paths": "a\\..\\b.jpg"}, "below the folder"),
    "an absolute path": ({"img_paths": "/etc/a.jpg"}, "below the folder of pictures"),
    "another flag": ({"keypoints": [[1, 2, 3]] * 17}, "must be 1, 0 or 2. Received"),
    "no place": ({"keypoints": [[np.nan, 2, 1]] * 17}, "labelled .* must be finite"),
    "no size": ({"img_width": 0}, "`size` of .* must be positive integers"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_wrong_people_are_refused(root, tmp_path, records, name):
    change, message = BAD_RECORDS[name]
    records[5].update(change)
    with pytest.raises(ValueError, match=message) as caught:
        people(root, tmp_path, records)
    assert f"{tmp_path / 'people.pkl'}: record 5" in str(caught.value)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("1_1_InspectShelf-0001.jpg", "hold one of ReachToShelf, RetractFromShelf"),
        ("1_1_ReachToShelf.jpg", "must be VIDEO-NUMBER.jpg"),
        ("x_ReachToShelf-a.jpg", "must hold its number. Received: 'x_ReachToShelf-a"),
    ],
)
def test_pictures_whose_names_tell_no_action_or_number(
    root, tmp_path, records, picture, message
):
    records[0]["img_paths"] = picture
    with pytest.raises(ValueError, match=message):
        people(root, tmp_path, records, MERLAction)


BAD_ENTRIES = {
    "another action": ({"action": "Jump"}, "must be one of .*Received: action='Jump'"),
    "two actions": ({"action": "LookatShelf"}, "one action. Received: 2 after 0"),
    "a box of a line": ({"person_bbox": [1, 2, 1, 4]}, "with x1 < x2 and y1 < y2"),
    "a box of a text": ({"person_bbox": "abc"}, "Received: person_bbox='abc'"),
    "a box of texts": ({"person_bbox": ["1", "2", "3", "4"]}, "must be 4 finite"),
    "a long box": ({"person_bbox": [1] * 200000}, "^.{,300} of length 200000$"),
    "a huge box": ({"person_bbox": [-(10**400), 1, 2, 3]}, "must be 4 finite numbers"),
    "no id": ({"id": None}, "`id` of .* must be a text. Received: id=None"),
    "a list of ids": ({"id": [1]}, r"`id` of .* must be a text. Received: id=\[1\]"),
    "an action of a number": ({"action": 5}, "`action` of .* must be a text"),
    "a url of a number": (
        {"image": {"url": 5, "width": 9, "height": 9}},
        "`url` of .* must be a text. Received: url=5",
    ),
    "no picture": ({"image": {"url": "a"}}, "none named width, height"),
    "a picture of text": ({"image": "a.jpg"}, "must be a dictionary with url"),
    "several sizes": (
        {"image": {"url": "a/1.jpg", "width": 9, "height": 9}},
        r"one size. Received: \(9, 9\) after \(120, 80\)",
    ),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_wrong_entries_are_refused(root, entries, name):
    change, message = BAD_ENTRIES[name]
    entries[5].update(change)
    with pytest.raises(ValueError, match=message) as caught:
        actions(root, entries)
    assert f"{root / 'actions.json'}: record 5" in str(caught.value)


def test_records_that_lack_something_and_files_of_another_form_are_refused(
    root, tmp_path, records, entries
):
    del records[2]["bbox"], entries[3]["id"]
    with pytest.raises(ValueError, match=r"record 2 must have .* none named bbox"):
        people(root, tmp_path, records)
    with pytest.raises(ValueError, match=r"record 3 must have .* none named id"):
        actions(root, entries)
    with pytest.raises(ValueError, match="must hold a list of records. Received: dict"):
        people(root, tmp_path, {})
    with pytest.raises(ValueError, match="list of records. Received: none"):
        actions(root, [])
    (tmp_path / "cut.json").write_text('[{"id"')
    with pytest.raises(ValueError, match=r"cut\.json must be a whole JSON file"):
        MERL5Action(tmp_path / "cut.json")


def test_a_pickle_that_asks_for_more_is_refused_and_not_run(root, tmp_path):
    class Asks:
        def __reduce__(self):
            return os.mkdir, (os.fspath(tmp_path / "ran"),)

    with pytest.raises(ValueError, match=r"people\.pkl .*asks for posix\.mkdir"):
        people(root, tmp_path, [Asks()])
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("times", "message"),
    [(10, "`.*` of .*record 0 must be"), (28, r"people\.pkl .* grows far beyond")],
)
@pytest.mark.parametrize("key", ["bbox", "keypoints", "img_paths", "img_width"])
def test_lists_that_unroll_without_end_are_refused_at_once(
    root, tmp_path, records, key, times, message
):
    value = [0.0]
    for _ in range(times):
        value = [value, value]
    with pytest.raises(ValueError, match=message) as e:
        people(root, tmp_path, [{**records[0], key: value}])
    assert len(str(e.value)) < 400


def test_missing_files_and_folders_are_named(root, tmp_path, entries):
    with pytest.raises(FileNotFoundError, match=r"no annotation file: .*a\.pkl. See"):
        MERLSinglePerson(root / "images", tmp_path / "a.pkl")
    with pytest.raises(FileNotFoundError, match=r"no annotation file: .*a\.json. See"):
        MERL5Action(tmp_path / "a.json")
    for kind in (MERLSinglePerson, MERLAction):
        with pytest.raises(FileNotFoundError, match="no folder of pictures: .*nothing"):
            kind(root / "nothing", root / "people.pkl")
    for classes in ((), "walk", ("a", "A"), ("",)):
        with pytest.raises(ValueError, match="`classes` must"):
            actions(root, entries, classes=classes)
