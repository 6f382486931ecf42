"""What is converted to own data keeps the rules of the check, and fits other files."""

import json

import pytest
from scripts import load
from tiny_exports import choice, picture, point, rectangle, task, written
from video_files import write_video

from deephar.data import read_custom
from deephar.utils.pose import coco17j, is_valid

SKELETON = [point("nose", 20, 20), point("tail", 60, 70), point("ear_l", 30, 30)]


@pytest.fixture(scope="module")
def convert():
    """The script's function of a command line."""
    return load("datasets/Custom/convert.py").main


@pytest.fixture
def studio(convert, tmp_path, capsys):
    """Converts tasks of Label Studio; returns the file's path and what was told."""

    def run(*tasks, name="o.json", flags=(), status=0):
        for one in tasks:
            picture(tmp_path, one["data"]["image"])
        file = written(tmp_path, "in.json", tasks)
        found = convert(["labelstudio", str(file), str(tmp_path / name), *flags])
        told = "".join(capsys.readouterr())
        assert found == status, told
        return tmp_path / name, told

    return run


def test_the_order_of_label_studios_joints_is_not_that_of_appearance(studio):
    one, _ = studio(task("a.png", *SKELETON), name="1.json")
    other, _ = studio(task("b.png", *SKELETON[::-1]), name="2.json")
    assert read_custom(one).layout.joint_names == ["ear_l", "nose", "tail"]
    assert read_custom(other).layout.joint_names == ["ear_l", "nose", "tail"]


def test_the_order_of_cvats_joints_is_not_that_of_appearance(convert, tmp_path):
    picture(tmp_path, "a.png")
    image = '<image name="a.png" width="100" height="80">{}</image>'
    points = [
        f'<points label="{n}" points="{x}0,20"/>'
        for n, x in zip("ab", "94", strict=True)
    ]
    for shapes in (points, points[::-1]):
        for kind in ("{}", "<skeleton label='cat'>{}</skeleton>"):
            text = image.format(kind.format("".join(shapes)))
            file = written(tmp_path, "a.xml", f"<annotations>{text}</annotations>")
            out = str(tmp_path / "o.json")
            assert convert(["cvat", str(file), out, "--overwrite"]) == 0
            assert read_custom(out).layout.joint_names == ["a", "b"]


def test_an_export_with_fewer_joints_and_actions_fits_the_other(studio, tmp_path):
    (tmp_path / "own").mkdir()
    body = rectangle("r", 10, 10, 70, 80)
    first, _ = studio(
        task("one/1.png", body, *SKELETON, choice("sit")),
        task("two/1.png", body, choice("run")),
        name="own/train.json",
        flags=["--clips"],
    )
    like = ["--clips", "--split", "valid", "--like", str(first)]
    second = task("three/1.png", body, *SKELETON[1::-1], choice("sit"))
    studio(second, name="own/valid.json", flags=like)
    data = read_custom(tmp_path / "own")
    assert data.actions == ("run", "sit")
    assert data.layout.joint_names == ["ear_l", "nose", "tail"]
    (clip,) = (one for one in data.clips if one.part == "valid")
    assert data.actions[clip.spans[0].action] == "sit"
    assert is_valid(clip.people[1].joints).all(axis=1).tolist() == [False, True, True]
    plain = task("four/1.png", body)
    studio(plain, name="own/test.json", flags=["--split", "test", *like[-2:]])
    assert read_custom(tmp_path / "own").actions == ("run", "sit")


def test_what_is_not_among_the_others_is_named(studio, tmp_path):
    body = rectangle("r", 10, 10, 70, 80)
    first, _ = studio(task("a/1.png", body, *SKELETON, choice("sit")))
    like = ["--clips", "--like", str(first)]
    paw = task("b/1.png", body, point("paw", 20, 20), point("nose", 30, 30))
    out, told = studio(paw, name="p.json", flags=like, status=1)
    message = f"joints must be among those of {first}, no two the same one: ear_l, nose"
    assert message in told and "tail. Received: paw\n" in told and not out.exists()
    jump = task("b/1.png", body, choice("jump"))
    out, told = studio(jump, name="p.json", flags=["--clips", *like], status=1)
    message = f"actions must be among those of {first}: none. Received: jump"
    assert message in told and not out.exists()


def test_joints_of_coco_are_known_written_out_and_once(studio, tmp_path):
    names = [name.replace("l_", "left_") for name in coco17j.joint_names]
    every = [point(name, 5 * i, 5 * i) for i, name in enumerate(names)]
    first, _ = studio(task("a.png", *every))
    like = ["--like", str(first)]
    some = [point("left_knee", 20, 20), point("Nose", 60, 60)]
    data = read_custom(studio(task("b.png", *some), name="p.json", flags=like)[0])
    assert data.layout is coco17j
    row = coco17j.joint_names.index("l_knee")
    assert data.pictures[0].people[0].joints[row].tolist() == [20, 16]
    twice = task("b.png", *some, point("nose", 70, 60))
    told = studio(twice, name="q.json", flags=like, status=1)[1]
    assert "no two the same one: " in told and "Received: Nose, nose\n" in told


def test_stray_boxes_are_left_out_and_told(studio):
    click = rectangle("r", 20, 20, 0.9, 0.9)
    alone, told = studio(task("a.png", click))
    assert "\n1 boxes of no more than 1 px, outside their picture or far " in told
    assert "\n1 people with neither a sound box nor joints\n" in told
    assert read_custom(alone).pictures[0].people == ()
    own = [{**one, "parentID": "r"} for one in SKELETON]
    for joints in (own, SKELETON):
        joined, told = studio(task("a.png", click, *joints), flags=["--overwrite"])
        assert "\n1 people without a box, now one around their joints\n" in told
        (person,) = read_custom(joined).pictures[0].people
        assert person.joints[1:].tolist() == [[20, 16], [60, 56]]


def test_a_box_that_holds_no_joint_of_its_person_is_made_anew(studio):
    away = rectangle("r", 80, 0, 10, 10)
    own = [{**one, "parentID": "r"} for one in SKELETON]
    out, told = studio(task("a.png", away, *own))
    assert "\n1 boxes that hold no joint of their person\n" in told
    (person,) = read_custom(out).pictures[0].people
    assert person.box == (16, 12, 48, 48) and is_valid(person.joints).all()


def test_a_single_joint_outside_its_persons_box_is_left_out(studio):
    body = rectangle("r", 50, 50, 30, 30)
    out, told = studio(task("a.png", body, point("tip", 5, 20, parentID="r")))
    assert "\n1 joints outside the box of their person\n" in told
    (person,) = read_custom(out).pictures[0].people
    assert person.box == (50, 40, 30, 24) and not is_valid(person.joints).any()


def test_commas_in_the_names_of_actions_are_replaced(studio):
    body = rectangle("r", 10, 10, 30, 50)
    tasks = [task(f"a/{i}.png", body, choice("sit, stand")) for i in range(2)]
    out, told = studio(*tasks, flags=["--clips"])
    assert "\n1 actions with commas in their names, now semicolons\n" in told
    data = read_custom(out)
    assert data.actions == ("sit; stand",) and data.clips[0].spans[0].frames == (1, 2)


def coco(tmp_path, image, *people):
    """Writes an export of cats with three joints in a picture of 100x80 px."""
    names = ["nose", "paw", "tail"]
    cat = {"id": 1, "name": "cat", "keypoints": names, "skeleton": [[1, 2], [3, 3]]}
    picture(tmp_path, "a.png")
    annotations = [{"image_id": 5, "category_id": 1, **one} for one in people]
    images = [{"id": 5, "file_name": "a.png", **image}]
    content = {"images": images, "annotations": annotations, "categories": [cat]}
    return written(tmp_path, "in.json", content)


@pytest.mark.parametrize("image", [{}, {"width": 100, "height": 80}])
def test_coco_with_boxes_and_joints_beyond_the_picture(
    convert, tmp_path, capsys, image
):
    good = [20, 20, 2, 50, 60, 2, 30, 40, 1]
    file = coco(
        tmp_path,
        image,
        {"bbox": [40, 10, 0.9, 0.8], "keypoints": good},
        {"bbox": [500, 10, 40, 40]},
        {"bbox": [0, 0, 900, 40], "keypoints": good},
        {"keypoints": [500, 20, 2, 550, 60, 2, 0, 0, 0]},
        {"bbox": [10, 10, 60, 60], "keypoints": [20, 20, 2, 500, 9, 2, 1e7, 9, 1]},
    )
    out = tmp_path / "o.json"
    status = convert(["coco", str(file), str(out)])
    told = capsys.readouterr().out
    assert status == 0, told
    for line in (
        "3 boxes of no more than 1 px, outside their picture or far larger",
        "2 people without a box, now one around their joints",
        "1 people with neither a sound box nor joints",
        "1 people without a box, their joints outside the picture or far apart",
        "3 joints outside their picture, now called hidden",
        "1 joints far beyond any picture",
    ):
        assert f"\n{line}\n" in told
    data = read_custom(out)
    first, second, last = data.pictures[0].people
    assert first.box == second.box == (16, 16, 38, 48) and last.box == (10, 10, 60, 60)
    assert last.visible.tolist() == [True, False, False]
    assert data.layout.links == [[0, 1]]


TRACKS = """<annotations><meta><project><tasks>
<task><id>1</id><source>v.mp4</source></task>
<task><id>2</id><source>v.mp4</source></task></tasks></project></meta>{}{}
</annotations>"""
TRACK = """<track id="0" label="cat" task_id="{}" group_id="7">
<box frame="0" outside="0" xtl="5" ytl="5" xbr="45" ybr="40"/>
<box frame="1" outside="0" xtl="5" ytl="5" xbr="5.4" ybr="5.2"/></track>"""


def test_clips_of_one_name_get_numbers(convert, tmp_path):
    write_video(tmp_path / "v.mp4", 3)
    text = TRACKS.format(TRACK.format(1), TRACK.format(2))
    file, out = written(tmp_path, "a.xml", text), tmp_path / "o.json"
    assert convert(["cvat", str(file), str(out)]) == 0
    names = [one["name"] for one in json.loads(out.read_text())["clips"]]
    assert names == ["v.mp4 group 7", "v.mp4 group 7 (2)"]
    assert [sorted(one.people) for one in read_custom(out).clips] == [[1], [1]]


def test_like_must_be_there(convert, tmp_path, capsys):
    file = written(tmp_path, "in.json", [])
    flags = ["--like", str(tmp_path / "none.json")]
    with pytest.raises(SystemExit):
        convert(["labelstudio", str(file), str(tmp_path / "o.json"), *flags])
    assert "no such file or folder: " in capsys.readouterr().err
