"""Generated people on disk, in the structure of COCO."""

import json

import numpy as np
import pytest
from PIL import Image
from scripts import load

from deephar.data.synthetic import JOINTS, make_body, make_coco_picture, write_coco
from deephar.data.synthetic.coco import CATEGORY
from deephar.data.synthetic.merl import act
from deephar.data.synthetic.scene import look_at
from deephar.data.synthetic.sight import coco_points
from deephar.utils.pose import coco17j


def points_of(annotation):
    return np.array(annotation["keypoints"]).reshape(17, 3)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco")
    write_coco(folder, train=20, valid=2, seed=4)
    return folder


@pytest.fixture(scope="module")
def train(coco):
    return json.loads(
        (coco / "annotations/person_keypoints_train2017.json").read_text()
    )


def test_key_points_are_those_of_coco_by_name():
    short = [
        name.replace("left_", "l_").replace("right_", "r_")[: len(ours)]
        for name, ours in zip(CATEGORY["keypoints"], coco17j.joint_names, strict=True)
    ]
    assert short == coco17j.joint_names
    links = {frozenset((a + 1, b + 1)) for a, b in coco17j.links}
    assert links == {frozenset(pair) for pair in CATEGORY["skeleton"]}


def test_pictures_and_annotations_are_as_the_owners_have_them(coco, train):
    assert train["categories"] == [CATEGORY]
    assert [image["id"] for image in train["images"]] == list(range(1, 21))
    for image in train["images"]:
        with Image.open(coco / "train2017" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
    numbers = [one["id"] for one in train["annotations"]]
    assert len(set(numbers)) == len(numbers) > 20
    path = coco / "annotations/person_keypoints_val2017.json"
    valid = json.loads(path.read_text())
    assert [one["file_name"] for one in valid["images"]] == [
        "000001000001.jpg",
        "000001000002.jpg",
    ]
    for one in (*train["annotations"], *valid["annotations"]):
        points = points_of(one)
        assert one["num_keypoints"] == (points[:, 2] > 0).sum()
        assert (points[points[:, 2] == 0] == 0).all()
        assert one["area"] <= one["bbox"][2] * one["bbox"][3]


def test_there_are_crowds_distant_and_several_people_and_empty_pictures(train):
    by_picture = {image["id"]: [] for image in train["images"]}
    for one in train["annotations"]:
        by_picture[one["image_id"]].append(one)
    crowds = [one for one in train["annotations"] if one["iscrowd"]]
    assert [one["image_id"] for one in crowds] == [8, 18]
    assert all(one["num_keypoints"] == 0 for one in crowds)
    small = [one for one in train["annotations"] if one["area"] < 32**2]
    assert small and all(one["num_keypoints"] == 0 for one in small)
    assert [number for number, found in by_picture.items() if not found] == [20]
    assert max(map(len, by_picture.values())) >= 3


def test_a_mask_says_where_somebody_is(train):
    masks = pytest.importorskip("pycocotools.mask")
    sizes = {one["id"]: (one["height"], one["width"]) for one in train["images"]}
    for one in train["annotations"]:
        shape, found = sizes[one["image_id"]], one["segmentation"]
        found = masks.frPyObjects(found, *shape)
        mask = masks.decode(masks.merge(found) if isinstance(found, list) else found)
        assert abs(mask.sum() - one["area"]) <= 0.25 * one["area"] + 40
        rows, columns = np.nonzero(mask)
        x, y, width, height = one["bbox"]
        assert abs(columns.min() - x) <= 2 and abs(rows.min() - y) <= 2
        assert abs(columns.max() + 1 - x - width) <= 2
        assert abs(rows.max() + 1 - y - height) <= 2


def test_most_key_points_of_people_lie_in_their_boxes_and_faces_are_seen(train):
    people = [one for one in train["annotations"] if one["num_keypoints"]]
    inside, levels = [], []
    for one in people:
        points = points_of(one)
        points, flags = points[points[:, 2] > 0, :2], points[:, 2]
        low, high = np.array(one["bbox"][:2]), np.array(one["bbox"][2:])
        inside.append(((points >= low - 8) & (points <= low + high + 8)).all(axis=1))
        levels.append(flags)
    assert np.concatenate(inside).mean() > 0.95
    levels = np.array(levels)
    assert set(levels[:, :5].ravel()) == {0, 2}  # what cannot be seen of a face
    assert set(levels[:, 5:].ravel()) >= {1, 2}
    assert 0.3 < (levels[:, 0] == 2).mean() < 1
    assert 0.6 < (levels[:, 5:] == 2).mean() < 0.98


def test_left_is_left_where_people_face_the_camera(train):
    signs = []
    for one in train["annotations"]:
        points = points_of(one)
        if (points[[0, 1, 2, 5, 6], 2] == 2).all():
            signs.append(np.sign(points[[1, 5], 0] - points[[2, 6], 0]))
    assert len(signs) > 5 and np.mean(signs) > 0.6


@pytest.mark.parametrize("seed", range(3))
def test_the_points_of_a_face_have_their_places_before_a_camera(seed):
    """From the viewer's left: right ear and eye, nose, left eye and ear; nose below."""
    rng = np.random.default_rng(seed)
    body = make_body(rng)
    show = act(rng, "LookatShelf", body, 1)
    joints, frames = show.joints[0], show.frames[0]
    head = JOINTS.index("head")
    at, ahead = joints[head], frames[head, :, 0]
    view = look_at(at + 1500 * ahead, at, 0.0, 600.0, (400, 300))
    nothing = np.full((300, 400), np.inf), np.full((300, 400), -1), np.zeros(1, int)
    face = coco_points(body, joints, frames, view, *nothing)[:5]
    assert face[:, 2].tolist() == [2] * 5
    along = (face[:, :2] @ (view.rotation @ frames[head])[:2, 1:]).T
    assert np.argsort(along[0]).tolist() == [4, 2, 0, 1, 3]
    assert np.argmin(along[1]) == 0


def test_a_picture_is_a_function_of_its_number():
    first, again = make_coco_picture((5, 1), 2), make_coco_picture((5, 1), 2)
    np.testing.assert_array_equal(first.picture, again.picture)
    assert first.annotations == again.annotations
    other = make_coco_picture((5, 0), 2)
    assert other.annotations != first.annotations


def test_files_do_not_depend_on_who_draws_or_how_many_there_are(coco, tmp_path):
    write_coco(tmp_path, train=3, valid=2, seed=4, workers=2)
    pictures = sorted(tmp_path.rglob("*.jpg"))
    assert len(pictures) == 5
    for path in (*pictures, tmp_path / "annotations/person_keypoints_val2017.json"):
        assert path.read_bytes() == (coco / path.relative_to(tmp_path)).read_bytes()


def test_only_generated_people_are_overwritten(tmp_path):
    real = tmp_path / "val2017" / "000000000785.jpg"
    real.parent.mkdir()
    real.write_text("a real picture")
    for overwrite, message in ((False, "must be empty"), (True, "did not generate.*")):
        with pytest.raises(FileExistsError, match=message):
            write_coco(tmp_path, 1, 0, overwrite=overwrite)
    assert real.read_text() == "a real picture"
    folder = tmp_path / "new"
    write_coco(folder, 2, 1)
    write_coco(folder, 1, 0, overwrite=True)
    assert [path.name for path in folder.rglob("*.jpg")] == ["000000000001.jpg"]


def test_senseless_numbers_are_refused(tmp_path):
    for arguments, message in (
        ({"train": 0, "valid": 0}, "nothing to write. Received: train=0, valid=0"),
        ({"frontal": 2}, r"`frontal` must be within \[0, 1\]. Received: frontal=2"),
        ({"train": 10**6 + 1}, "must be at most 1000000. Received: train=1000001"),
    ):
        with pytest.raises(ValueError, match=message):
            write_coco(tmp_path / "out", **{"train": 1, "valid": 0, **arguments})
    assert not (tmp_path / "out").exists()


def test_the_script_writes_people(tmp_path, capsys):
    main = load("datasets/COCO/generate.py").main
    arguments = [str(tmp_path), "--train", "1", "--valid", "1", "--workers", "1"]
    assert main(arguments) == 0
    assert "1 training and 1 validation pictures" in capsys.readouterr().out
    marker = json.loads((tmp_path / "generated.json").read_text())
    assert marker["kind"] == "COCO" and "--frontal 0.85" in marker["command"]
