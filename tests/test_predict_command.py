"""`python -m deephar predict`, from the command line to the files."""

import types

import av
import cv2
import keras
import numpy as np
import pytest
from PIL import Image
from scripts import read_json as read
from tiny_watching import LABELS, action_predictor, pose_predictor
from video_files import write_timed_video, write_video

from deephar.checkpoints.lifting import save_network
from deephar.commands import eyes, outputs, predict, progress, watching
from deephar.data import sources
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.inference.schema import validate
from deephar.models import lifting
from deephar.utils.pose import pa17j3d

TIMES = [0, 40, 80, 200, 240, 400, 440, 480]


@pytest.fixture(scope="module")
def tiny():
    return {"PosePredictor": pose_predictor(), "ActionPredictor": action_predictor()}


@pytest.fixture
def place(tmp_path, monkeypatch, tiny, quiet):
    """The current folder; whatever the weights, tiny networks look."""
    monkeypatch.chdir(tmp_path)
    settings = {"acts": "penn_spnet", "small_action": "penn_spnet"}
    monkeypatch.setattr(
        eyes,
        "weights_settings",
        lambda name, _: (name, {"network": settings.get(name, "mpii")}),
    )
    for kind, predictor in tiny.items():
        monkeypatch.setattr(
            getattr(eyes, kind), "load", lambda *_, found=predictor, **__: found
        )
    return tmp_path


def picture(path, size=(64, 48), level=90):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, (level, 60, 30)).save(path)
    return str(path)


def frames_of(path):
    """Times of a video's pictures, s, and whether it has sound."""
    with av.open(str(path)) as video:
        sound = bool(video.streams.audio)
        return [frame.time for frame in video.decode(video=0)], sound


def read_json(path):
    """What a document says; it must be of the form that it should have."""
    found = read(path)
    validate(found)
    return found


def people(document):
    return [len(frame["people"]) for frame in document["frames"]]


def test_a_picture_becomes_a_drawing_and_a_document(place, capsys):
    predict.main([picture(place / "a.png")])
    with Image.open("runs/predict/a.jpg") as drawn:
        assert drawn.size == (320, 240) and drawn.getcolors(60000) is not None
        assert np.asarray(drawn).std() > 10
    found = read_json("runs/predict/a.json")
    assert people(found) == [1] and found["weights"] == "tiny_pose"
    assert found["complete"] and found["layout"]["joint_names"][3] == "head"
    head = found["frames"][0]["people"][0]["pose"]["joints"]["head"]
    assert head["x"] == pytest.approx(32, abs=3) and head["confidence"] == 0.9
    said = capsys.readouterr().out
    assert "pose: weights small_pose (2D poses in pictures, 16 joints; learned " in said
    assert "generated people only" in said and "1 of 1 frame, people in 1" in said
    assert said.endswith("\n  runs/predict/a.jpg, runs/predict/a.json\n")


def test_a_folder_becomes_a_folder_and_one_document(place):
    for name in ("b.png", "a.jpg", "c.png"):
        picture(place / "pictures" / name)
    predict.main(["pictures", "--out", "out", "--people", "1"])
    names = sorted(path.name for path in (place / "out/pictures").iterdir())
    assert names == ["a.jpg", "b.jpg", "c.jpg"]
    found = read_json("out/pictures.json")
    assert [f["source"][-5:] for f in found["frames"]] == ["a.jpg", "b.png", "c.png"]


def test_a_video_becomes_a_video_with_its_times_and_sound(place):
    sound = ("aac", 0, 520, 16000)
    write_timed_video(place / "film.mp4", TIMES, sound=sound)
    predict.main(["film.mp4", "--out", "out"])
    times, has_sound = frames_of("out/film.mp4")
    assert has_sound
    np.testing.assert_allclose(times, np.array(TIMES) / 1000, atol=0.002)
    found = read_json("out/film.json")
    assert people(found) == [1] * 8
    assert [frame["people"][0]["id"] for frame in found["frames"]] == [1] * 8
    actions = [frame["people"][0]["action"] for frame in found["frames"]]
    frames = [action["frames"] for action in actions]
    assert frames == [[1, 1], [1, 2], [1, 3], [1, 4], [2, 5], [3, 6], [4, 7], [5, 8]]
    assert actions[0]["labels"] == list(LABELS)


def test_clips_keep_their_step_in_time_where_frames_are_left_out():
    looker = action_predictor()
    looker.step = 6
    eye = eyes.Eye(looker, LABELS, None)
    steps = {every: eye.actions(every).step for every in (1, 2, 4, 9, 40)}
    assert steps == {1: 6, 2: 3, 4: 2, 9: 1, 40: 1}


def test_some_frames_of_a_video_are_looked_at(place):
    write_timed_video(place / "film.mp4", TIMES)
    predict.main(["film.mp4", "--every", "3", "--frames", "2", "--model", "pose"])
    found = read_json("runs/predict/film.json")
    assert [frame["number"] for frame in found["frames"]] == [1, 4]
    assert found["frames"][0]["people"][0]["action"] is None
    assert frames_of("runs/predict/film.mp4")[0] == pytest.approx([0, 0.2])
    assert found["complete"] is False and found["device"]
    settings = found["settings"]
    assert (settings["every"], settings["frames"], settings["detect_every"]) == (
        3,
        2,
        5,
    )
    assert (settings["detector"], settings["refine"], settings["box"]) == (
        *("auto", 1, None),
    )


def test_a_folder_with_a_rate_is_a_video(place):
    for number in range(5):
        picture(place / "frames" / f"{number}.png", level=50 * number)
    predict.main(["frames", "--rate", "10", "--no-json", "--weights", "acts"])
    assert frames_of("runs/predict/frames.mp4")[0] == pytest.approx(np.arange(5) / 10)
    assert not (place / "runs/predict/frames.json").exists()


def test_a_video_is_lifted_by_a_checkpoint(place, capsys):
    keras.utils.set_random_seed(1)
    save_network(lifting.build(17, 2, 17, (3, 3), channels=4), "lift.bin")
    write_timed_video(place / "film.mp4", TIMES)
    predict.main(["film.mp4", "--model", "pose", "--lift", "lift.bin"])
    found = read_json("runs/predict/film.json")
    assert [frame["number"] for frame in found["frames"]] == list(range(1, 9))
    assert people(found) == [1] * 8 and found["lift"] == "lift.bin"
    joints = [frame["people"][0]["pose_3d"]["joints"] for frame in found["frames"]]
    assert [len(pose) for pose in joints] == [17] * 8
    assert joints[0]["pelvis"] == [0, 0, 0]
    assert "lift: weights lift.bin" in capsys.readouterr().out
    save_network(lifting.build(3, 2, 17, (3, 3), channels=4), "few.bin")
    for flags, message in {
        "few.bin": "--lift few.bin: must take the key points.* Received: 3 key",
        "lift.bin --causal": "--causal: lift.bin is of a network that is not causal",
    }.items():
        with pytest.raises(ValueError, match=message):
            predict.main(["film.mp4", "--out", "other", "--lift", *flags.split()])
    with pytest.raises(
        ValueError, match="--lift must be a checkpoint as train_lifting"
    ):
        predict.main(["film.mp4", "--lift", "film.mp4", "--out", "other"])


def test_poses_in_space_are_not_lifted(place, monkeypatch):
    in_space = types.SimpleNamespace(poselayout=pa17j3d)
    monkeypatch.setattr(eyes.PosePredictor, "load", lambda *_, **__: in_space)
    write_video(place / "film.mp4", 2)
    with pytest.raises(ValueError, match="own 3D poses. Received: --lift small_lift"):
        predict.main(["film.mp4", "--model", "pose", "--lift"])


def test_ctrl_c_leaves_a_video_and_a_document(place, monkeypatch):
    write_timed_video(place / "film.mp4", TIMES)
    step = watching._Frames.step

    def interrupted(self, frame):
        if frame.number == 5:
            raise KeyboardInterrupt
        return step(self, frame)

    monkeypatch.setattr(watching._Frames, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict.main(["film.mp4"])
    assert len(frames_of("runs/predict/film.mp4")[0]) == 4
    found = read_json("runs/predict/film.json")
    assert people(found) == [1] * 4 and found["complete"] is False


def test_boxes_tell_where_people_are(place):
    picture(place / "a.png", (200, 100))
    both = ["--box", *"10 10 60 90".split(), "--box", *"120 20 180 80".split()]
    predict.main(["a.png", *both, "--refine", "0"])
    found = read_json("runs/predict/a.json")["frames"][0]["people"]
    assert [person["box"] for person in found] == [[10, 10, 60, 90], [120, 20, 180, 80]]


def test_a_picture_that_a_box_misses_is_told_and_the_others_done(place, capsys):
    for name, size in {"1": (640, 480), "2": (64, 48), "3": (640, 480)}.items():
        picture(place / "mix" / f"{name}.png", size)
    box = ["--box", *"400 300 600 400".split()]
    with pytest.raises(
        OSError, match="mix: 1 of 3 pictures could not be.*2.png: A box"
    ):
        predict.main(["mix", *box, "--refine", "0"])
    found = read_json("runs/predict/mix.json")
    assert people(found) == [1, 0, 1] and not found["complete"]
    errors = [frame["error"] for frame in found["frames"]]
    assert errors[::2] == [None, None] and errors[1].startswith("A box must overlap")
    assert len(list((place / "runs/predict/mix").iterdir())) == 3
    picture(place / "1.png")
    (place / "runs/predict/1.json").write_text("kept")
    with pytest.raises(ValueError, match="A box must overlap"):
        predict.main(["1.png", *box, "--overwrite"])
    assert (place / "runs/predict/1.json").read_text() == "kept"
    said = capsys.readouterr().out
    assert "runs/predict/mix, runs/predict/mix.json" in said and "1.json" not in said


def test_a_list_of_boxes_is_a_source(place):
    names = [picture(place / f"{n}.png", (200, 100)) for n in range(2)]
    rows = [
        BoxRow("0.png", 0.7, (10, 10, 60, 90)),
        BoxRow("0.png", 1, (99, 9, 180, 80)),
    ]
    write_box_list("boxes.tsv", [*rows, BoxRow(names[1], 1, (9, 9, 70, 80))])
    predict.main(["boxes.tsv", "--no-draw"])
    found = read_json("runs/predict/boxes.json")
    assert people(found) == [2, 1] and found["complete"]
    assert [p["score"] for p in found["frames"][0]["people"]] == [0.7, 1.0]
    assert not (place / "runs/predict/boxes").exists()


def test_boxes_of_a_list_go_to_the_frames_of_their_name(place, caplog):
    write_video(place / "film.mp4", 4, (200, 100))
    rows = [BoxRow(f"0000{n}.jpg", 0.5, (8 + n, 10, 60, 90)) for n in (2, 3, 9)]
    write_box_list("boxes.txt", rows)
    predict.main(["film.mp4", "--boxes", "boxes.txt", "--no-draw"])
    found = read_json("runs/predict/film.json")
    assert people(found) == [0, 1, 1, 0]
    (person,) = found["frames"][2]["people"]
    assert (person["id"], person["box"], person["score"]) == (1, [11, 10, 60, 90], 0.5)
    assert "boxes of 1 pictures were not used, the first is number 9" in caplog.text
    for number in (5, 7):
        picture(place / "more" / f"{number}.jpg", (200, 100))
    write_box_list("other.txt", [rows[0]._replace(picture="7.jpg")])
    predict.main(["more", "--boxes", "other.txt", "--no-draw"])
    assert people(read_json("runs/predict/more.json")) == [0, 1]
    with pytest.raises(ValueError, match="--boxes boxes.txt: 00002.jpg is no picture"):
        predict.main(["more", "--boxes", "boxes.txt", "--out", "out"])


class FakeViewer:
    """A window that is closed after some pictures."""

    left = waits = 0

    def __init__(self):
        self.open = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False

    def show(self, drawing):
        assert drawing.dtype == np.uint8
        FakeViewer.left -= 1
        self.open = FakeViewer.left > 0
        return self.open

    def wait(self):
        FakeViewer.waits += 1
        return self.open


def test_a_window_that_is_closed_ends_it(place, monkeypatch):
    monkeypatch.setattr(watching, "Viewer", FakeViewer)
    FakeViewer.left = 2
    write_video(place / "film.mp4", 6)
    predict.main(["film.mp4", picture(place / "a.png"), "--show", "--no-draw"])
    found = read_json("runs/predict/film.json")
    assert len(found["frames"]) == 2 and found["complete"] is False
    assert not (place / "runs/predict/a.json").exists()


def test_a_window_shows_each_picture_until_a_key_is_pressed(place, monkeypatch):
    monkeypatch.setattr(watching, "Viewer", FakeViewer)
    FakeViewer.left, FakeViewer.waits = 9, 0
    pictures = [picture(place / "more" / f"{n}.png") for n in range(3)]
    predict.main(["more", picture(place / "a.png"), "--show", "--no-draw"])
    assert FakeViewer.waits == len(pictures) + 1
    assert read_json("runs/predict/more.json")["complete"]


def test_stills_are_drawn_each_by_itself_and_a_slow_one_told_once(
    place, monkeypatch, capsys
):
    made = []
    overlay = outputs.Overlay
    monkeypatch.setattr(
        outputs, "Overlay", lambda *a, **k: made.append(1) or overlay(*a, **k)
    )
    monkeypatch.setattr(progress, "_EVERY", {True: 0.0, False: 0.0})
    for number in range(2):
        picture(place / "more" / f"{number}.png")
    predict.main(["more", "--no-json"])
    assert len(made) == 2
    said = capsys.readouterr().out
    assert said.count("2 of 2 frames") == said.count("1 of 2 frames") == 1


def test_of_a_source_no_more_is_read_than_is_wanted(place, monkeypatch):
    for number in range(12):
        picture(place / "more" / f"{number}.png")
    read = []
    monkeypatch.setattr(
        sources, "_open", lambda p: read.append(p) or np.full((48, 64, 3), 9, np.uint8)
    )
    predict.main(["more", "--frames", "2", "--every", "5", "--no-draw"])
    assert len(read) == 6


def test_a_camera_is_watched_until_it_ends(place, monkeypatch):
    class Camera:
        def __init__(self, number):
            self.left = 5

        def isOpened(self):
            return True

        def read(self):
            self.left -= 1
            return self.left >= 0, np.full((48, 64, 3), 80, np.uint8)

        def get(self, what):
            return 25.0

        def set(self, what, value):
            return True

        def release(self):
            self.left = 0

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    predict.main(["0", "--frames", "3"])
    assert people(read_json("runs/predict/camera0.json")) == [1] * 3
    assert len(frames_of("runs/predict/camera0.mp4")[0]) == 3
