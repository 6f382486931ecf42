"""Generated videos of a shop, in the files of MERL's users."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image
from scripts import load

from deephar.data.merl import (
    REACH_CLASSES,
    SHELF_CLASSES,
    MERL5Action,
    MERLAction,
    MERLSinglePerson,
)
from deephar.data.synthetic import JOINTS, make_body, make_shop_clip, write_merl
from deephar.data.synthetic.merl import ACTIONS, act, person_of
from deephar.data.synthetic.merl_moves import MERL_MOVES
from deephar.utils.modes import VALID_MODE

SMALL = {"frames": (4, 6), "size": (96, 72)}
SHELF = np.array([0.0, 1.0])  # the way to it


def joint(name):
    return JOINTS.index(name)


def show_of(action, seed, count=24):
    rng = np.random.default_rng(seed)
    body = make_body(rng)
    return body, act(rng, action, body, count)


def ahead(show, name):
    """Unit vectors (n, 2) on the floor that the end of a bone points to."""
    axes = show.frames[:, joint(name), :2, 0]
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def merl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merl")
    write_merl(folder, train=5, test=5, seed=3, **SMALL)
    return folder


def entries_of(merl):
    lists = [
        json.loads((merl / f"{part}_2.json").read_text()) for part in ("train", "test")
    ]
    pickles = [
        pickle.loads((merl / f"prepare_{part}_merl.pkl").read_bytes())
        for part in ("train", "val")
    ]
    return lists, pickles


def test_there_are_moves_for_all_five_actions():
    assert tuple(MERL_MOVES) == ACTIONS
    for name, ways in MERL_MOVES.items():
        assert {move.name for move in ways} == {name}


def test_lists_are_as_those_of_the_three_actions(merl):
    for entries in entries_of(merl)[0]:
        assert {entry["action"] for entry in entries} == set(SHELF_CLASSES)
        for entry in entries:
            image, box = entry["image"], entry["person_bbox"]
            assert set(entry) == {"action", "keypoints", "id", "image", "person_bbox"}
            assert entry["id"].startswith(entry["action"] + "_")
            assert image["url"].endswith("/" + image["file_name"])
            with Image.open(merl / image["url"]) as picture:
                assert picture.size == (image["width"], image["height"]) == (96, 72)
            if box:
                assert 0 <= box[0] < box[2] <= 96 and 0 <= box[1] < box[3] <= 72


def test_pickles_are_plain_and_have_key_points_with_flags(merl):
    for entries in entries_of(merl)[1]:
        assert [one["image_id"] for one in entries] == list(range(1, len(entries) + 1))
        for one in entries:
            assert sum(name in one["img_paths"] for name in REACH_CLASSES) == 1
            with Image.open(merl / "images" / one["img_paths"]) as picture:
                assert picture.size == (one["img_width"], one["img_height"])
            points = np.array(one["keypoints"])
            assert points.shape == (17, 3) and set(points[:, 2]) <= {0, 1, 2}
            assert one["num_keypoints"] == (points[:, 2] < 2).sum() >= 6
            assert (points[points[:, 2] == 2, :2] == 0).all()
            kinds = {type(x) for point in one["keypoints"] for x in point}
            assert kinds <= {int, float}


def test_flags_say_what_is_labelled_and_what_is_seen(merl):
    """0, 1 and 2 of COCO: not labelled, hidden, visible; 2, 0 and 1 of the pickles."""
    names, entries = {}, entries_of(merl)[1][0]
    for one in entries:
        names.setdefault(one["img_paths"].split("-")[0], []).append(one["keypoints"])
    reach = next(found for name, found in names.items() if "ReachToShelf" in name)
    clip = list(make_shop_clip(3, 0, ACTIONS.index("ReachToShelf"), **SMALL))
    of_coco = np.array([points[:, 2] for _, _, points in clip])
    flags = np.array(reach)[..., 2]
    assert len(flags) == len(of_coco) and set(of_coco.ravel()) == {0, 1, 2}
    for level, flag in ((0, 2), (1, 0), (2, 1)):
        assert (flags[of_coco == level] == flag).all()


def test_the_data_sets_read_what_was_written(merl):
    pictures, path = merl / "images", merl / "prepare_val_merl.pkl"
    hands = MERLAction(pictures, path, clip_size=3)
    shelf = MERL5Action(merl / "train_2.json", clip_size=3)
    for data, classes in ((hands, 2), (shelf, 3)):
        samples = [data.get_data(i, VALID_MODE) for i in range(classes)]
        labels = np.sort([sample["merlaction"].argmax() for sample in samples])
        np.testing.assert_array_equal(labels, np.arange(classes))
    people = MERLSinglePerson(pictures, path)
    assert people.get_length(VALID_MODE) == len(entries_of(merl)[1][1])
    assert people.left_out == {"no key points": 0, "empty box": 0}
    assert people.missing_pictures() == []


def test_key_points_lie_in_the_box_and_some_are_hidden():
    flags = []
    for index in (3, 4, 8):
        for _, box, points in make_shop_clip(0, 0, index, (4, 4), (160, 120)):
            flags.append(points[:, 2])
            low, high = box[:2] - 5, box[2:] + 5
            found = points[points[:, 2] > 0, :2]
            assert ((found > low) & (found < high)).mean() > 0.9
    assert set(np.ravel(flags)) == {0, 1, 2}


def test_the_test_part_shows_other_people():
    train = {person_of(0, index)[0] for index in range(300)}
    test = {person_of(1, index)[0] for index in range(300)}
    assert train == set(range(1, 21)) and test == set(range(27, 42))


@pytest.mark.parametrize("seed", range(4))
def test_approaching_ends_before_the_shelf_and_facing_it(seed):
    _, show = show_of("ApproachtoShelf", seed)
    pelvis = show.joints[:, 0, :2]
    assert pelvis[0, 1] < -1700 and -900 < pelvis[-1, 1] < -400
    assert (ahead(show, "pelvis")[-1] @ SHELF) > 0.8
    assert (np.diff(pelvis[:, 1]) > -25).all()  # never back


def test_one_foot_of_those_who_walk_stays_where_it_is():
    for action in ("ApproachtoShelf", "GlanceAtShelf"):
        _, show = show_of(action, 1, count=60)
        feet = show.joints[:, [joint("r_ankle"), joint("l_ankle")], :2]
        steps = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
        assert np.median(steps.min(axis=1)) < 8 and steps.max() > 100


@pytest.mark.parametrize("seed", range(4))
def test_who_glances_walks_past_and_turns_the_head_in_between(seed):
    _, show = show_of("GlanceAtShelf", seed)
    way = show.joints[-1, 0, :2] - show.joints[0, 0, :2]
    assert abs(way[0]) > 1800 and abs(way[1]) < 700
    turned = ahead(show, "head") @ SHELF
    assert turned[8:16].max() > 0.75
    assert max(turned[:2].max(), turned[-2:].max()) < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_who_looks_stays_and_faces_the_shelf(seed):
    body, show = show_of("LookatShelf", seed)
    assert np.ptp(show.joints[:, 0, :2], axis=0).max() < 400
    assert (ahead(show, "head") @ SHELF).mean() > 0.6
    assert show.joints[..., 1].max() < 0


@pytest.mark.parametrize("seed", range(4))
def test_hands_go_into_the_shelf_and_come_back(seed):
    for action, order in (("ReachToShelf", 1), ("RetractFromShelf", -1)):
        body, show = show_of(action, seed)
        hand = show.joints[:, joint("l_hand" if show.left else "r_hand")][::order]
        assert -200 < hand[-1, 1] < 60 and hand[-1, 1] - hand[0, 1] > 50
        assert np.linalg.norm(hand[-1] - hand[0]) > 300
        assert (show.joints[:, joint("pelvis"), 1] + body.flesh[0] < 0).all()


def test_a_clip_is_a_function_of_its_arguments_and_the_shop_of_the_seed():
    first = list(make_shop_clip(5, 1, 3, **SMALL))
    again = list(make_shop_clip(5, 1, 3, **SMALL))
    assert 4 <= len(first) <= 6
    for one, two in zip(first, again, strict=True):
        for value, same in zip(one, two, strict=True):
            np.testing.assert_array_equal(value, same)
    other = list(make_shop_clip(5, 0, 3, **SMALL))
    assert not np.array_equal(first[0][2], other[0][2])


def test_videos_do_not_depend_on_who_draws_or_how_many_there_are(merl, tmp_path):
    write_merl(tmp_path, train=4, test=5, seed=3, workers=2, **SMALL)
    pictures = sorted(tmp_path.rglob("*.jpg"))
    assert len(pictures) >= 36
    names = ("train_2.json", "test_2.json", "prepare_val_merl.pkl")
    for path in (*pictures, *(tmp_path / name for name in names)):
        assert path.read_bytes() == (merl / path.relative_to(tmp_path)).read_bytes()


def test_only_generated_videos_are_overwritten(tmp_path):
    real = tmp_path / "actions" / "LookatShelf" / "33_1_crop_1_2_Inspect" / "1.jpg"
    real.parent.mkdir(parents=True)
    real.write_text("a real picture")
    for overwrite, message in ((False, "must be empty"), (True, "did not generate.*")):
        with pytest.raises(FileExistsError, match=message):
            write_merl(tmp_path, 1, 0, overwrite=overwrite, **SMALL)
    assert real.read_text() == "a real picture"
    folder = tmp_path / "new"
    write_merl(folder, 5, 1, **SMALL)
    write_merl(folder, 1, 0, overwrite=True, **SMALL)
    assert [path.name for path in folder.rglob("actions/*")] == ["ApproachtoShelf"]
    assert not list(folder.rglob("images/*"))


def test_senseless_numbers_are_refused(tmp_path):
    for arguments, message in (
        ({"train": 0, "test": 0}, "nothing to write. Received: train=0, test=0"),
        ({"frames": (4, 3)}, r"smallest, largest.*frames=\(4, 3\)"),
        ({"size": (20, 400)}, r"at least 32 px. Received: size=\(20, 400\)"),
    ):
        with pytest.raises(ValueError, match=message):
            write_merl(tmp_path / "out", **{"train": 1, "test": 0, **arguments})
    assert not (tmp_path / "out").exists()


def test_the_script_writes_videos(tmp_path, capsys):
    main = load("datasets/MERL/generate.py").main
    arguments = [str(tmp_path), "--train", "1", "--test", "1", "--workers", "1"]
    assert main([*arguments, "--frames", "2", "2", "--size", "64", "48"]) == 0
    assert "1 training and 1 test videos" in capsys.readouterr().out
    marker = json.loads((tmp_path / "generated.json").read_text())
    assert marker["kind"] == "MERL" and "--frames 2 2 --size 64 48" in marker["command"]
