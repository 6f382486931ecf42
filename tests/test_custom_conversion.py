"""datasets/Custom: generated people, and own data made of what others export."""

import pathlib
import re

import numpy as np
import pytest
from scripts import load
from tiny_coco import annotation, write_tiny_coco
from tiny_exports import picture, result, written
from video_files import write_video

from deephar.data import read_custom
from deephar.data.safe_xml import read_xml
from deephar.utils.pose import coco17j, is_valid

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "shared" / "samples" / "coco"


@pytest.fixture(scope="module")
def convert():
    """The script's function of a command line."""
    return load("datasets/Custom/convert.py").main


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The same people as own data and as an export of CVAT."""
    main, folder = (
        load("datasets/Custom/generate.py").main,
        tmp_path_factory.mktemp("generated"),
    )
    numbers = "--train 3 --valid 1 --clips 2 1 --frames 3 4 --workers 1".split()
    for form in ("deephar", "cvat"):
        assert main([str(folder / form), *numbers, "--as", form]) == 0
    return folder


def people_of(data):
    """Joints and boxes of all people of data, one after the other."""
    pictures = sorted(data.pictures, key=lambda one: one.path.rsplit("/", 1)[-1])
    clips = sorted(data.clips, key=lambda one: one.name.rsplit("/", 1)[-1])
    people = [one for picture in pictures for one in picture.people]
    people += [clip.people[n] for clip in clips for n in sorted(clip.people)]
    return (
        np.array([one.joints for one in people]),
        np.array([one.visible for one in people]),
        np.array([one.box for one in people]),
    )


def test_generated_data_is_sound_and_the_same_each_time(generated, tmp_path):
    data = read_custom(generated / "deephar")
    assert [one.part for one in data.pictures] == ["train"] * 3 + ["valid"]
    assert [one.part for one in data.clips] == ["train", "train", "valid"]
    assert data.layout.num_joints == 13 and data.layout.map_hflip[1:3] == [2, 1]
    flags = "--train 1 --valid 0 --frames 3 4 --workers 1".split()
    assert load("datasets/Custom/generate.py").main([str(tmp_path), *flags]) == 0
    again = read_custom(tmp_path).pictures[0].people[0]
    assert np.array_equal(again.joints, data.pictures[0].people[0].joints)
    assert again.head_size == data.pictures[0].people[0].head_size > 5


def test_an_export_of_cvat_gives_what_was_labelled(generated, convert, capsys):
    export, out = generated / "cvat/annotations.xml", generated / "cvat/data.json"
    assert convert(["cvat", str(export), str(out), "--clips"]) == 0
    assert "4 pictures, 4 people, 3 clips\n" in capsys.readouterr().out
    ours, theirs = read_custom(generated / "deephar"), read_custom(out)
    for one, other in zip(people_of(ours), people_of(theirs), strict=True):
        assert np.abs(one - other.astype(float)).max() < 0.011
    assert [one.part for one in theirs.pictures] == ["train"] * 3 + ["valid"]
    assert theirs.layout.links == ours.layout.links
    assert theirs.layout.map_hflip == ours.layout.map_hflip
    assert theirs.layout.cmap == ours.layout.cmap
    done = {
        c.name.split("/")[-1]: theirs.actions[c.spans[0].action] for c in theirs.clips
    }
    assert done["train_clip_0001"] == "squat" and len(done) == 3


def test_without_clips_the_tags_of_pictures_are_told(
    generated, convert, tmp_path, capsys
):
    export = generated / "cvat/annotations.xml"
    out = tmp_path / "data.json"
    assert convert(["cvat", str(export), str(out)]) == 0
    frames = sum(len(one.pictures) for one in read_custom(generated / "deephar").clips)
    told = capsys.readouterr().out
    assert f"{frames} tags of pictures (--clips makes clips of them)\n" in told


CVAT_VIDEO = """<annotations><meta><task><source>v.mp4</source></task></meta>
<track id="3" label="person" group_id="7">
 <box frame="1" outside="0" occluded="0" xtl="5" ytl="5" xbr="45" ybr="40">
  <attribute name="action">wave</attribute></box>
 <box frame="2" outside="0" occluded="0" xtl="6" ytl="5" xbr="46" ybr="40"/>
 <box frame="3" outside="1" occluded="0" xtl="6" ytl="5" xbr="46" ybr="40"/></track>
<track id="4" label="person" group_id="7"><skeleton frame="1" keyframe="1">
 <points label="hand left" outside="0" occluded="1" points="10,20"/>
 <points label="hand right" outside="1" occluded="0" points="30,20"/></skeleton></track>
<track id="5" label="ball"><polygon frame="0" points="1,1;2,2;3,1"/></track>
</annotations>"""


def test_tracks_of_cvat_become_clips(convert, tmp_path, capsys):
    write_video(tmp_path / "v.mp4", 5)
    export = written(tmp_path, "a.xml", CVAT_VIDEO)
    assert convert(["cvat", str(export), str(tmp_path / "o.json")]) == 0
    assert "\n1 polygon\n" in capsys.readouterr().out
    (clip,) = read_custom(tmp_path / "o.json").clips
    assert sorted(clip.people) == [2, 3] and clip.spans[0].frames == (2, 2)
    assert clip.people[2].box == (5, 5, 40, 35) and clip.name == "v.mp4 group 7"
    assert clip.people[2].joints.tolist()[0] == [10, 20]
    assert not clip.people[2].visible.any() and clip.people[3].box == (6, 5, 40, 35)


CVAT_PROJECT = """<annotations><meta><project><tasks>
<task><id>1</id><subset>Train</subset><source>v.mp4</source></task>
<task><id>2</id><subset>Validation</subset><source>w.mp4</source></task>
</tasks></project></meta>
<track id="0" label="person" task_id="1" subset="Train">
 <box frame="0" outside="0" xtl="5" ytl="5" xbr="45" ybr="40">
  <attribute name="action"><![CDATA[sit & wait]]></attribute>
  <attribute name="mood">calm</attribute></box></track>
<track id="1" label="person" task_id="2" subset="Validation">
 <box frame="1" outside="0" xtl="5" ytl="5" xbr="45" ybr="40"/></track>
<track id="2" label="person" task_id="2" subset="Validation">
 <box frame="1" outside="1" xtl="5" ytl="5" xbr="45" ybr="40"/></track>
</annotations>"""


def test_tracks_of_a_project_are_in_the_videos_of_their_tasks(
    convert, tmp_path, capsys
):
    for name in ("v.mp4", "w.mp4"):
        write_video(tmp_path / name, 3)
    export, out = written(tmp_path, "a.xml", CVAT_PROJECT), str(tmp_path / "o.json")
    assert convert(["cvat", str(export), out]) == 0
    told = capsys.readouterr().out
    assert "\n1 attributes (of a track" in told
    assert "\n1 tracks without a person\n" in told
    one, other = read_custom(out).clips
    assert [pathlib.Path(c.video).name for c in (one, other)] == ["v.mp4", "w.mp4"]
    assert [one.part, other.part] == ["train", "valid"]
    assert read_custom(out).actions == ("sit & wait",)
    again = ["cvat", str(export), out, "--overwrite"]
    assert convert([*again, "--video", "v.mp4"]) == 1
    assert "has tracks of several tasks: not of --video" in capsys.readouterr().err
    export.write_text(CVAT_PROJECT.replace('frame="0"', 'frame="first"'))
    assert convert(again) == 1
    assert "track 0: `frame` of box must be a number" in capsys.readouterr().err


def test_frames_that_cvat_names_without_an_ending_are_found(convert, tmp_path, capsys):
    picture(tmp_path, "images/frame_000000.PNG")
    export = written(tmp_path, "a.xml", CVAT_FRAME)
    assert convert(["cvat", str(export), str(tmp_path / "o.json")]) == 0
    assert "\n1 skeletons without a point in the pict" in capsys.readouterr().out
    (one,) = read_custom(tmp_path / "o.json").pictures
    assert one.path.endswith("images/frame_000000.PNG") and len(one.people) == 1


CVAT_FRAME = """<annotations>
<image id="0" name="frame_000000" width="100" height="80">
 <skeleton label="cat"><points label="tip" outside="0" points="10,20"/>
  <points label="base" outside="0" points="50,60"/></skeleton>
 <skeleton label="cat"><points label="tip" outside="1" points="1,2"/></skeleton>
</image></annotations>"""
CVAT_POINTS = """<annotations>
<image id="0" name="a.png" width="100" height="80">
 <box label="person" xtl="10" ytl="10" xbr="60" ybr="70"/>
 <box label="person" xtl="62" ytl="10" xbr="98" ybr="70" rotation="9"/>
 <points label="tip" points="20,20"/><points label="tip" points="70,20"/>
 <points label="base" points="30,60"/><points label="base" points="61,5"/>
 <points label="base" points="1,2;3,4"/></image>
</annotations>"""


def test_single_points_of_cvat_go_to_the_boxes_that_hold_them(
    convert, tmp_path, capsys
):
    picture(tmp_path, "a.png")
    export = written(tmp_path, "a.xml", CVAT_POINTS)
    assert convert(["cvat", str(export), str(tmp_path / "o.json")]) == 0
    told = capsys.readouterr().out
    for line in ("1 points that are no joint", "1 points that are nobody's"):
        assert f"\n{line}\n" in told
    assert "\n1 turned boxes, now upright\n" in told
    first, second = read_custom(tmp_path / "o.json").pictures[0].people
    assert first.joints.tolist() == [[30, 60], [20, 20]]  # base before tip
    assert (
        second.joints[1].tolist() == [70, 20] and not is_valid(second.joints[0]).all()
    )


CVAT_BOXES = """<annotations>
<image id="0" name="1.png" width="100" height="80"><tag label="sit"/>
 <box label="dog" xtl="10" ytl="10" xbr="60" ybr="70"/></image>
<image id="1" name="2.png" width="100" height="80"><tag label="run"/>
 <box label="dog" xtl="20" ytl="10" xbr="70" ybr="70"/></image>
</annotations>"""


def test_boxes_and_tags_of_cvat_are_clips_of_actions(convert, tmp_path, capsys):
    for name in ("1.png", "2.png"):
        picture(tmp_path, name)
    export, out = written(tmp_path, "a.xml", CVAT_BOXES), tmp_path / "o.json"
    assert convert(["cvat", str(export), str(out), "--clips"]) == 0
    assert "\nlayout: pa16j2d\n" in capsys.readouterr().out
    data = read_custom(out)
    (clip,) = data.clips
    assert clip.people[1].box == (10, 10, 50, 60)
    assert clip.people[2].box == (20, 10, 50, 60)
    assert [data.actions[one.action] for one in clip.spans] == ["sit", "run"]
    export = written(tmp_path, "a.xml", CVAT_BOXES.replace('"dog"', '"cat"', 1))
    assert convert(["cvat", str(export), str(out), "--overwrite"]) == 1
    told = capsys.readouterr().err
    assert "one label of boxes must be taken" in told and "cat, dog" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>',
            "must have no document type.*a>",
        ),
        ("<a>\n<b></a>", r"a\.xml:2: must be XML. mismatched tag"),
        ("", r"a\.xml:1: must be XML. no element found"),
        ("<coco/>", "must be an export of CVAT, <annotations>. Received: <coco>"),
        ("<annotations/>", "must have skeletons, points or boxes. Received: none"),
        (
            CVAT_POINTS.replace('"20,20"', '"20"'),
            'image a.png: points of tip must be "x,',
        ),
        (
            CVAT_POINTS.replace('xtl="10"', 'xtl="nan"'),
            "image a.png: `xtl` of box must be",
        ),
    ],
)
def test_exports_of_cvat_that_are_none_are_refused(
    convert, tmp_path, capsys, text, message
):
    export = written(tmp_path, "a.xml", text)
    assert convert(["cvat", str(export), str(tmp_path / "o.json")]) == 1
    assert not (tmp_path / "o.json").exists()
    assert re.search(message, capsys.readouterr().err)


def test_key_points_of_coco_are_those_of_coco17j(convert, tmp_path, capsys):
    odd = [
        annotation(1, 2, iscrowd=1),
        annotation(2, 2),
        annotation(3, 2, bbox=[0] * 4),
    ]
    images, file = write_tiny_coco(tmp_path, odd)
    out = tmp_path / "o.json"
    flags = ["--images", str(images), "--split", "valid"]
    status = convert(["coco", str(file), str(out), *flags])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "\n1 crowds\n" in told and "without a box, now one around their joi" in told
    data = read_custom(out)
    people = [one for picture in data.pictures for one in picture.people]
    assert data.layout is coco17j and len(people) == 2
    assert people[0].joints.tolist() == [
        odd[1]["keypoints"][i : i + 2] for i in range(0, 51, 3)
    ]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no ../shared/samples/coco")
def test_real_pictures_of_coco(convert, tmp_path):
    file, out = SAMPLES / "test_coco.json", tmp_path / "o.json"
    assert convert(["coco", str(file), str(out)]) == 0
    data = read_custom(out)
    labelled = [one for p in data.pictures for one in p.people if one.visible.any()]
    assert (len(data.pictures), len(labelled)) == (4, 12)


def test_categories_of_any_key_points(convert, tmp_path, capsys):
    picture(tmp_path, "a.png")
    cat = {"id": 7, "name": "cat", "keypoints": ["nose", "Left paw", "Right paw"]}
    cat["skeleton"] = [[1, 2], [1, 3]]
    dog = {"id": 8, "name": "dog", "keypoints": ["tail"]}
    paws = {
        "id": 1,
        "image_id": 5,
        "category_id": 7,
        "keypoints": [9, 9, 2, 20, 30, 1, 0, 0, 0],
    }
    image = {"id": 5, "file_name": "a.png", "width": 100, "height": 80}
    both = {"images": [image], "annotations": [paws], "categories": [cat, dog]}
    both["categories"].append({"id": 9, "name": "bird", "keypoints": []})
    file, out = written(tmp_path, "in.json", both), tmp_path / "o.json"
    assert convert(["coco", str(file), str(out)]) == 1
    assert (
        "by its name. Received: category=None; there are: 'cat', 'dog'"
        in capsys.readouterr().err
    )
    assert convert(["coco", str(file), str(out), "--category", "cat"]) == 0
    data = read_custom(out)
    person = data.pictures[0].people[0]
    assert data.layout.map_hflip == [0, 2, 1] and data.layout.links == [[0, 1], [0, 2]]
    assert person.visible.tolist() == [True, False, False]
    assert is_valid(person.joints).all(axis=1).tolist() == [True, True, False]
    paws["keypoints"].pop()
    file = written(tmp_path, "in.json", both)
    assert (
        convert(["coco", str(file), str(out), "--category", "cat", "--overwrite"]) == 1
    )
    assert (
        "annotations[0].keypoints must be 9 finite numbers" in capsys.readouterr().err
    )
    paws["keypoints"].append(0)
    both["images"].append({**image, "file_name": "b.png"})
    file = written(tmp_path, "in.json", both)
    again = ["coco", str(file), str(out), "--category", "cat", "--overwrite"]
    assert convert(again) == 1
    assert "images[1].id must be another than those of" in capsys.readouterr().err


def test_results_of_label_studio(convert, tmp_path, capsys):
    picture(tmp_path, "jump/cat 1.png")
    area = {"width": 40, "height": 50}
    results = [
        result("rectanglelabels", "person", 10, 10, "r1", value=area),
        result(
            "rectanglelabels", "person", 50, 10, "r2", value={**area, "rotation": 0}
        ),
        result("keypointlabels", "tip", 20, 20),
        result("keypointlabels", "tip", 30, 30, parentID="r2"),
        result("keypointlabels", "base", 99, 99),
        result("brushlabels", "person", 1, 1),
        result("choices", "unsharp", 20, 20),
        {"type": "choices", "value": {"choices": ["sit"]}},
    ]
    tasks = [
        {
            "id": 1,
            "data": {"image": "/data/upload/1/0a1b2c3d-cat%201.png"},
            "annotations": [
                {"was_cancelled": True, "result": []},
                {"result": results},
                {"result": []},
            ],
        }
    ]
    file, out = written(tmp_path, "in.json", tasks), tmp_path / "o.json"
    flags = ["--images", str(tmp_path / "jump"), "--clips"]
    status = convert(["labelstudio", str(file), str(out), *flags])
    told = capsys.readouterr().out
    assert status == 0, told
    for line in (
        "1 annotations that were cancelled or have no results",
        "1 choices of single regions",
        "1 further annotations of a task",
        "1 key points that are nobody's",
        "1 people of frames beside the first",
        "1 results of the type brushlabels",
    ):
        assert f"\n{line}\n" in told
    (clip,) = read_custom(out).clips
    assert clip.pictures == (str(tmp_path / "jump/cat 1.png"),) and clip.size == (
        100,
        80,
    )
    assert clip.people[1].joints[1].tolist() == [20, 16]
    assert clip.people[1].box == (10, 8, 40, 40)


def test_a_turned_rectangle_becomes_the_box_around_it(convert, tmp_path):
    picture(tmp_path, "a.png")
    turned = {"width": 40, "height": 25, "rotation": 90}
    results = [
        result("rectanglelabels", "person", 50, 10, value=turned),
        result("keypointlabels", "tip", 40, 30),
    ]
    task = {"data": {"image": "a.png"}, "annotations": [{"result": results}]}
    file, out = written(tmp_path, "in.json", [task]), tmp_path / "o.json"
    assert convert(["labelstudio", str(file), str(out)]) == 0
    (person,) = read_custom(out).pictures[0].people
    assert person.box == (30, 8, 20, 40) and person.joints.tolist() == [[40, 24]]


def test_rectangles_of_label_studio_need_no_key_points(convert, tmp_path):
    picture(tmp_path, "a.png")
    area = result("rectanglelabels", "cat", 10, 10, value={"width": 40, "height": 50})
    done = {"type": "choices", "value": {"choices": ["sit"]}}
    task = {"data": {"image": "a.png"}, "annotations": [{"result": [area, done]}]}
    file, out = written(tmp_path, "in.json", [task]), tmp_path / "o.json"
    assert convert(["labelstudio", str(file), str(out), "--clips"]) == 0
    (clip,) = read_custom(out).clips
    assert clip.people[1].box == (10, 8, 40, 40) and clip.spans[0].action == 0


def test_a_single_key_point_without_a_box_is_nobody(convert, tmp_path, capsys):
    picture(tmp_path, "a.png")
    alone = result("keypointlabels", "tip", 20, 20)
    task = {"data": {"image": "a.png"}, "annotations": [{"result": [alone]}]}
    file, out = written(tmp_path, "in.json", [task]), tmp_path / "o.json"
    assert convert(["labelstudio", str(file), str(out)]) == 0
    told = capsys.readouterr().out
    assert "\n1 people without a box, their joints within 8 px\n" in told
    assert read_custom(out).pictures[0].people == ()


def test_exports_of_label_studio_that_are_none_are_refused(convert, tmp_path, capsys):
    out = str(tmp_path / "o.json")
    file = written(tmp_path, "in.json", [{"image": "a.png", "kp-1": []}])
    assert convert(["labelstudio", str(file), out]) == 1
    assert (
        "in.json:2: [0] must have data, annotations. Received"
        in capsys.readouterr().err
    )
    file = written(tmp_path, "in.json", [{"data": {}, "annotations": 5}])
    assert convert(["labelstudio", str(file), out]) == 1
    assert "in.json:4: [0].annotations must be a list" in capsys.readouterr().err
    task = {"data": {"image": "a.png"}, "annotations": [{"result": []}]}
    file = written(tmp_path, "in.json", [task])
    assert convert(["labelstudio", str(file), out]) == 1
    told = capsys.readouterr().err
    assert "must have keypointlabels or rectanglelabels. Received: none" in told


def found(x, confidence, number=None, answer=None):
    joints = {
        n: {"x": x, "y": 20.0, "z": 9.0, "confidence": c}
        for n, c in zip("ab", confidence, strict=True)
    }
    action = answer and {"answer": answer, "score": 0.9}
    return {
        "id": number,
        "box": [5.0, 5.0, 50.0, 40.0],
        "score": 0.9,
        "pose": {"box": [0, 0, 60, 60], "joints": joints},
        "action": action,
    }


def test_predictions_become_pseudo_labels(convert, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path, "a.png")
    write_video(tmp_path / "v.mp4", 4)
    still = {"source": "a.png", "number": 1, "time": None, "size": [100, 80]}
    film = {"source": "v.mp4", "size": [64, 48]}
    frames = [
        {
            **still,
            "people": [
                found(20, (0.9, 0.4)),
                found(30, (0.2, 0.3)),
                found(90, (0.9, 0.9)),
            ],
        }
    ]
    for number in (1, 2, 3):
        people = [found(20 + number, (0.9, 0.8), 1, "sit" if number > 1 else None)]
        frames.append({**film, "number": number, "time": number / 25, "people": people})
    document = {
        "format": "deephar-predictions",
        "layout": {"joint_names": ["a", "b"], "links": [[0, 1]]},
        "frames": frames,
    }
    file, out = written(tmp_path, "in.json", document), tmp_path / "o.json"
    status = convert(["predictions", str(file), str(out), "--confidence", "0.6"])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "\n1 people of whom fewer than half of the joints are left\n" in told
    assert "\n1 people without a joint in their box\n" in told
    assert "\n3 joints of less confidence than 0.6\n" in told
    assert "\n9 depths of joints\n" in told
    data = read_custom(out)
    (person,), (clip,) = data.pictures[0].people, data.clips
    assert person.box == (5, 5, 45, 35) and person.visible.tolist() == [True, False]
    assert sorted(clip.people) == [1, 2, 3] and clip.spans[0].frames == (2, 3)
    assert data.actions == ("sit",) and clip.people[3].joints[0].tolist() == [23, 20]


def test_predictions_of_pictures_seen_as_a_film_become_a_clip(
    convert, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    frames = []
    for number in (1, 2, 3):
        picture(tmp_path, f"film/{number}.png")
        people = [found(20, (0.9, 0.9), 7, "sit")] if number > 1 else []
        frame = {"source": f"film/{number}.png", "number": number, "size": [100, 80]}
        frames.append({**frame, "time": number / 25, "people": people})
    layout = {"joint_names": ["a", "b"], "links": []}
    document = {"format": "deephar-predictions", "layout": layout, "frames": frames}
    file, out = written(tmp_path, "in.json", document), tmp_path / "o.json"
    assert convert(["predictions", str(file), str(out)]) == 0
    (clip,) = read_custom(out).clips
    assert clip.name == "film person 7" and clip.spans[0].frames == (2, 3)
    assert len(clip.pictures) == 3 and sorted(clip.people) == [2, 3]
    frames[2]["people"].append(found(30, (0.9, 0.9), 8))
    file = written(tmp_path, "in.json", document)
    split = ["--valid", "0.5", "--overwrite"]
    assert convert(["predictions", str(file), str(out), *split]) == 0
    one, other = read_custom(out).clips
    assert one.part == other.part  # they are of one film


def test_a_share_becomes_valid_and_flags_must_fit(generated, convert, tmp_path, capsys):
    export = str(generated / "cvat/annotations.xml")
    text = (generated / "cvat/annotations.xml").read_text()
    plain = written(generated / "cvat", "plain.xml", text.replace("subset=", "other="))
    out = str(tmp_path / "o.json")
    assert convert(["cvat", str(plain), out, "--clips", "--valid", "0.5"]) == 0
    parts = [one.part for one in read_custom(out).pictures]
    assert parts.count("valid") == 2 and len(parts) == 4
    text = text.replace('subset="Validation"', 'subset="Test"')
    plain = written(generated / "cvat", "plain.xml", text)
    assert convert(["cvat", str(plain), out, "--valid", "1", "--overwrite"]) == 0
    parts = [one.part for one in read_custom(out).pictures]
    assert parts.count("test") >= 1 and {*parts} == {"valid", "test"}
    for flags, message in (
        ([], "is there (--overwrite)"),
        (["--overwrite", "--confidence", "0.5"], "--confidence is of predictions"),
        (["--overwrite", "--valid", "2"], "--valid must be within [0, 1]"),
        (["--overwrite", "--valid", "1", "--split", "test"], "not of --split test"),
    ):
        with pytest.raises(SystemExit):
            convert(["cvat", export, out, *flags])
        assert message in capsys.readouterr().err


def test_what_each_part_has_is_told_and_one_left_empty_too(
    generated, convert, tmp_path, capsys
):
    text = (generated / "cvat/annotations.xml").read_text()
    plain = written(generated / "cvat", "all.xml", text.replace("subset=", "other="))
    flags = ["cvat", str(plain), str(tmp_path / "o.json"), "--clips", "--overwrite"]
    assert convert([*flags, "--valid", "0.5"]) == 0
    told = capsys.readouterr().out
    assert "\ntrain: 2 pictures, 1 clips\nvalid: 2 pictures, 2 clips\n" in told
    assert "warning" not in told
    assert convert([*flags, "--valid", "0.15"]) == 0
    told = capsys.readouterr().out
    assert "\ntrain: 3 pictures, 3 clips\nvalid: 1 pictures, 0 clips\n" in told
    assert told.count("warning: ") == 1 and (
        "warning: --valid 0.15 gives valid no clips: shares are rounded to whole films"
        in told
    )
    assert convert([*flags, "--valid", "0.9"]) == 0
    told = capsys.readouterr().out
    assert "0.9 gives train no pictures: shares are rounded to whole pictures" in told
    assert convert([*flags, "--valid", "1"]) == 0
    assert "warning" not in capsys.readouterr().out


def test_pictures_that_are_not_there_are_told_and_an_error(convert, tmp_path, capsys):
    export = written(tmp_path, "a.xml", CVAT_POINTS)
    assert convert(["cvat", str(export), str(tmp_path / "o.json")]) == 1
    told = capsys.readouterr().out
    assert "\n1 pictures or videos that are not there\n" in told
    assert "o.json:6: pictures[0].file must be a picture that is there" in told


def test_sound_xml_is_read(tmp_path):
    assert read_xml(written(tmp_path, "a.xml", "<?xml version='1.0'?><a/>")).tag == "a"
