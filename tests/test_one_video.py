"""A video of one's own: the answer is the network's, and every frame is drawn."""

import json

import numpy as np
import pytest
from PIL import Image
from scripts import load
from test_action_scripts_eval import _network
from tiny_boxes import SIZE, video
from video_files import write_video

from deephar.config import DataConfig
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.pennaction import ACTION_LABELS
from deephar.utils.modes import TEST_MODE

PREDICT = load("exp/pennaction/predict_one_video.py")
FLAGS = ("--weights-path", "net/w.weights.h5", "--every", "2")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a video of 12 pictures, and a network of Penn Action's."""
    place = tmp_path_factory.mktemp("video")
    video(place, "walk", None, 12)
    model = _network("penn", place / "net", frames=4, step=2)
    return place, model


def read(path):
    return json.loads(path.read_text())


def clips_of(place, boxes):
    pictures = tuple(str(place / "walk" / f"{n}.jpg") for n in range(12))
    one = BoxedVideo("walk", None, pictures, SIZE, np.array(boxes, float))
    return BoxedClips(".", [one], DataConfig((32, 32)), clip_size=4)


def test_the_answer_is_that_of_all_windows_multiplied(place, monkeypatch):
    place, model = place
    monkeypatch.chdir(place)
    PREDICT.main(["runs/whole", "--video", "walk", *FLAGS])
    found = read(place / "runs/whole/walk.json")
    assert [one["frames"] for one in found["windows"]] == [
        *([1, 3, 5, 7], [3, 5, 7, 9], [5, 7, 9, 11])
    ]
    clips = clips_of(place, np.full((12, 4), np.nan))
    frames = [[f - 1 for f in one["frames"]] for one in found["windows"]]
    product = 1.0
    for one in frames:
        clip = clips.get_data(0, TEST_MODE, frame_list=one)["frame"]
        product = product * np.float64(model(clip[None], training=False)[-1][0])
    product = product ** (1 / 3)
    scores = found["scores"]["m"]
    assert tuple(scores) == ACTION_LABELS
    np.testing.assert_allclose(
        list(scores.values()), product / product.sum(), atol=1e-4
    )
    assert found["answer"] == ACTION_LABELS[product.argmax()]
    assert found["output"] == "m"
    drawn = {path.name for path in (place / "runs/whole/walk").iterdir()}
    assert drawn == {f"{n}.jpg" for n in range(12)}


def test_drawings_have_names_of_their_own(place, monkeypatch):
    place, _ = place
    video(place, "clip.1", None, 4)
    Image.open(place / "clip.1" / "2.jpg").save(place / "clip.1" / "2.png")
    monkeypatch.chdir(place / "clip.1")
    weights = ("--weights", str(place / "net/w.weights.h5"), "--step", "1")
    PREDICT.main([str(place / "runs/dots"), "--video", ".", *weights])
    assert read(place / "runs/dots/clip.1.json")["frames"] == 5
    drawn = {path.name for path in (place / "runs/dots/clip.1").iterdir()}
    assert drawn == {f"{n}.jpg.jpg" for n in range(4)} | {"2.png.jpg"}


def test_boxes_of_a_list_say_where_to_look_and_frames_may_lack(place, monkeypatch):
    place, model = place
    monkeypatch.chdir(place)
    boxes = np.full((12, 4), np.nan)
    boxes[2:8] = (20, 10, 110, 70)
    rows = [
        BoxRow(f"elsewhere/{n}.jpg", 1.0, tuple(boxes[n].tolist())) for n in range(2, 8)
    ]
    write_box_list("boxes.txt", rows)
    PREDICT.main(["runs/boxes", "--video", "walk", "--boxes", "boxes.txt", *FLAGS])
    clip = clips_of(place, boxes).get_data(0, TEST_MODE, frame_list=[4, 6, 8, 10])
    alone = model(clip["frame"][None], training=False)[-1][0]
    last = read(place / "runs/boxes/walk.json")["windows"][-1]
    np.testing.assert_allclose(list(last["scores"].values()), alone, atol=1e-4)
    right = np.asarray(Image.open("runs/boxes/walk/4.jpg"))[12:68, 110].astype(int)
    assert (right[:, 0] - right[:, 2]).mean() > 150
    write_box_list("wrong.txt", [BoxRow("99.jpg", 1.0, (1, 2, 3, 4))])
    with pytest.raises(ValueError, match=r"wrong\.txt: 99\.jpg is no picture of walk"):
        PREDICT.main(["runs/no", "--video", "walk", "--boxes", "wrong.txt", *FLAGS])


def test_a_video_file_is_looked_at_as_its_frames(place, monkeypatch, capsys):
    place, _ = place
    monkeypatch.chdir(place)
    write_video(place / "film.avi", 9)
    names = ",".join(f"act{n}" for n in range(15))
    flags = ("--box", "5", "5", "50", "40", "--step", "1", "--classes", names)
    PREDICT.main(["runs/film", "--video", "film.avi", *FLAGS, *flags])
    found = read(place / "runs/film/film.json")
    assert [one["frames"][0] for one in found["windows"]] == [1, 3, 5]
    assert found["answer"].startswith("act")
    assert f"film.avi: {found['answer']}" in capsys.readouterr().out
    drawn = sorted(path.name for path in (place / "runs/film/film").iterdir())
    assert drawn == [f"{n:05d}.jpg" for n in range(1, 10)]


def test_clips_that_are_spread_over_their_videos_look_once(place, monkeypatch):
    place, _ = place
    monkeypatch.chdir(place)
    _network("merl", place / "merl", frames=4)
    (place / "walk" / "6.jpg").rename(place / "6.jpg")
    (place / "walk" / "6.jpg").write_bytes(b"no picture")
    weights = ("--weights", "merl/w.weights.h5")
    with pytest.raises(OSError, match=r"unreadable pictures, 1 in all: .*6\.jpg"):
        PREDICT.main(["runs/merl", "--video", "walk", *weights])
    (place / "6.jpg").replace(place / "walk" / "6.jpg")
    found = read(place / "runs/merl/walk.json")
    assert [one["frames"] for one in found["windows"]] == [[2, 5, 8, 11]]
    names = ("LookatShelf", "GlanceAtShelf", "ApproachtoShelf")
    with pytest.raises(ValueError, match="is of the classes ApproachtoShelf,Glance"):
        classes = ("--classes", ",".join(names))
        PREDICT.main(["runs/other", "--video", "walk", *weights, *classes])


def test_what_cannot_be_is_refused(place, monkeypatch):
    place, _ = place
    monkeypatch.chdir(place)
    with pytest.raises(ValueError, match=r"0\.jpg: might be overwritten"):
        PREDICT.main([".", "--video", "walk", *FLAGS])
    with pytest.raises(ValueError, match="must name the network's 15 actions"):
        PREDICT.main(["no", "--video", "walk", *FLAGS, "--classes", "a,b"])
    with pytest.raises(
        ValueError, match=r"0\.jpg must overlap the picture of 120 x 80"
    ):
        box = ("--box", "1000", "1000", "1100", "1200")
        PREDICT.main(["no", "--video", "walk", *FLAGS, *box])
    assert not (place / "no" / "walk").exists()
    with pytest.raises(ValueError, match="no such video: nothing"):
        PREDICT.main(["no", "--video", "nothing.mp4", *FLAGS])
