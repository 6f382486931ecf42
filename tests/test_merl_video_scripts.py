"""MERL's actions: training, scores, the sliding window, on tiny videos."""

import contextlib
import io
import json
import pickle

import numpy as np
import pytest
from browser import read_through
from PIL import Image
from scripts import load
from tiny_boxes import BOX, SIZE, STEP, action_entries, pickled_people

from deephar import checkpoints, experiment
from deephar.config import DataConfig
from deephar.data.box_lists import BoxRow, read_box_list, write_box_list
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.models.action import OUTPUTS
from deephar.utils.modes import TEST_MODE

TRAIN = load("exp/merl/train_merl_video.py")
VALIDATE = load("exp/merl/val_merl_video.py")
DEMO = load("exp/merl/predict_demo_video.py")
SHELF = ("ApproachtoShelf", "GlanceAtShelf", "LookatShelf")
SMALL = ("--size", "32", "--num-block", "1", "--ksize", "3", "--stem", "vgg16")
SMALL += ("--context", "0")
STEPS = ("--batch-size", "2", "--steps-per-epoch", "2", "--workers", "1")
QUIET = ("--verbose", "0", "--bn-momentum", "0.9", "--seed", "3")
LAST = "weights_last.weights.h5"


def train(*flags):
    TRAIN.main([*flags, *STEPS, *QUIET])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, weights of a pose part, and a run in which everything learns.

    The third test video is too short for a clip.
    """
    place = tmp_path_factory.mktemp("merl")
    data = place / "datasets" / "MERL"
    lengths = (12, 9, 8)
    for name, frames in (("train_2", lengths), ("test_2", (9, 5, 3))):
        videos = zip(SHELF, (f"{name}_{n}" for n in SHELF), frames, strict=True)
        (data / f"{name}.json").parent.mkdir(parents=True, exist_ok=True)
        (data / f"{name}.json").write_text(json.dumps(action_entries(data, videos)))
    reach = (("ReachToShelf", 9), ("RetractFromShelf", 8))
    people = pickled_people(data / "images", reach)
    (data / "prepare_train_merl.pkl").write_bytes(pickle.dumps(people))
    settings = experiment.default_settings("coco")
    settings |= {"size": 32, "blocks": 1, "ksize": 3, "stem": "vgg16", "context": 0}
    pose = experiment.build_network("coco", settings)
    (place / "runs" / "merl_singleperson").mkdir(parents=True)
    checkpoints.save_weights(pose, place / "runs" / "merl_singleperson" / LAST)
    experiment.write_json(place / "runs/merl_singleperson/model.json", settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        train("--log-dir", "runs/all", "--epochs", "1", "--num-frames", "4")
    return place


def read(path):
    return json.loads(path.read_text())


def test_everything_learns_by_the_actions_loss(place):
    settings = read(place / "runs/all/model.json")
    pose = str(place / "runs" / "merl_singleperson" / LAST)
    model = experiment.build_network("merl", settings, pose_weights=pose)
    part = model.get_layer("frame_model")
    first = [v.numpy() for v in part.weights]
    experiment.load_network(model, place / "runs/all" / LAST, "merl")
    learned = [
        not np.array_equal(v, w) for v, w in zip(first, part.weights, strict=True)
    ]
    assert sum(learned) > len(first) / 2


@pytest.fixture
def lessons(place, monkeypatch):
    """What would be learned."""
    monkeypatch.chdir(place)
    lessons = []
    catch = "deephar.experiment.merl_actions.train_clips"
    monkeypatch.setattr(catch, lambda run, lesson: lessons.append(lesson))
    return lessons


@pytest.mark.parametrize(
    ("flags", "learns"), [((), True), (("--freeze-poses",), False)]
)
def test_the_pose_part_learns_unless_it_is_frozen(lessons, flags, learns):
    train("runs/none", *flags)
    (lesson,) = lessons
    assert (lesson.learns_poses, lesson.pose_loss) == (learns, False)
    assert lesson.clips.get_length(TEST_MODE) == 3
    assert lesson.test_clips.anno_path.endswith("test_2.json")


PICKLED = ("--anno-path", "datasets/MERL/prepare_train_merl.pkl", "--freeze-poses")
POSE = ("--weights-pose-path", f"runs/merl_singleperson/{LAST}")


def test_a_pickle_has_classes_of_its_own_and_no_scores_are_no_error(lessons, place):
    train("runs/pickle", *PICKLED, *POSE, "--frames", "4")
    (lesson,) = lessons
    assert lesson.settings["classes"] == "ReachToShelf,RetractFromShelf"
    assert (lesson.settings["actions"], lesson.settings["size"]) == (2, 32)
    assert lesson.clips.action_labels == ("ReachToShelf", "RetractFromShelf")
    assert lesson.test_clips is None
    log = (place / "runs/pickle/log.txt").read_text()
    assert "prepare_val_merl.pkl: is not there, so there will be no scores" in log
    assert "no scores, and so no --patience" in log


def test_epochs_are_scored_on_the_file_of_the_same_classes(lessons, place):
    data = place / "datasets/MERL"
    held_out = data / "prepare_val_merl.pkl"
    held_out.write_bytes((data / "prepare_train_merl.pkl").read_bytes())
    train("runs/pickles", *PICKLED, *POSE)
    held_out.unlink()
    (lesson,) = lessons
    assert lesson.test_clips.anno_path.endswith("prepare_val_merl.pkl")
    entries = [
        {**one, "action": one["action"].replace("At", "To")}
        for one in read(data / "train_2.json")
    ]
    (data / "glance.json").write_text(json.dumps(entries))
    classes = ("--classes", "ApproachtoShelf,GlanceToShelf,LookatShelf")
    train("runs/glance", "--anno-path", f"{data}/glance.json", *classes, *POSE)
    assert lessons[1].test_clips is None
    log = (place / "runs/glance/log.txt").read_text()
    assert "no file of these classes is known, so there will be no scores" in log


@pytest.fixture
def bare(place):
    """Weights of a merged network of which nothing is known."""
    path = place / "bare" / "w.h5"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((place / "runs/all" / LAST).read_bytes())
    return ("--weights-path", str(path))


def settings_of(*flags):
    return experiment.merl_settings(experiment.parse_merl_evaluation("", "r", flags))


def test_there_are_as_many_classes_as_actions(lessons, place, bare):
    five = settings_of(*bare, "--classes", "A,B,C,D,E")
    assert (five["actions"], five["classes"]) == (5, "A,B,C,D,E")
    with pytest.raises(ValueError, match="--classes must name the network's 5 actions"):
        settings_of(*bare, "--num-actions", "5")
    with pytest.raises(ValueError, match=r"network's 3 actions. Received: A,B,C,D"):
        weights = ("--weights-action-path", str(place / "runs/all" / LAST))
        train("runs/no", *weights, "--classes", "A,B,C,D")
    train("runs/bare", *PICKLED, "--weights-action-path", bare[1])
    assert lessons[0].settings["classes"] == "ReachToShelf,RetractFromShelf"
    assert lessons[0].settings["actions"] == 2


def test_weights_that_go_on_with_other_classes_are_told(lessons, place):
    weights = ("--weights-action-path", str(place / "runs/all" / LAST))
    turned = ",".join(reversed(SHELF))
    train("runs/turned", *weights, "--classes", turned)
    assert lessons[0].settings["classes"] == turned
    log = (place / "runs/turned/log.txt").read_text()
    assert f"has learned the classes {','.join(SHELF)} and goes on with {turned}" in log
    train("runs/same", *weights)
    assert "has learned" not in (place / "runs/same/log.txt").read_text()


def test_a_network_is_tested_on_the_file_of_its_classes(place, bare, monkeypatch):
    monkeypatch.chdir(place)
    reach = ("--classes", "ReachToShelf,RetractFromShelf")
    with pytest.raises(FileNotFoundError, match=r"prepare_val_merl\.pkl"):
        VALIDATE.main(["--log-dir", "runs/no", *bare, *reach])
    with pytest.raises(ValueError, match=r"give --val-anno-path .* Received: .*A,B,C"):
        VALIDATE.main(["runs/no", *bare, "--classes", "A,B,C"])


def test_a_clip_of_six_frames_is_refused_by_the_flag():
    settings = experiment.default_settings("merl")
    settings |= {"size": 32, "blocks": 1, "frames": 6}
    with pytest.raises(ValueError, match="--frames: Half of `num_temp_frames`"):
        experiment.build_network("merl", settings)


def test_epochs_are_scored_on_other_videos_by_m(place):
    scores = read(place / "runs/all/scores.json")
    assert set(scores) == {"1"}
    assert list(scores["1"]["outputs"])[-3:] == ["m", "mmm", "mmmvvv"]
    assert scores["1"]["accuracy"] == scores["1"]["outputs"]["m"]
    assert scores["1"]["videos"] == 3
    settings = read(place / "runs/all/model.json")
    assert settings["classes"] == ",".join(SHELF)
    assert (settings["frames"], settings["actions"], settings["blocks"]) == (4, 3, 1)


def test_the_recipe_and_the_flags_are_the_forks():
    args = experiment.parse_merl_training("", "runs", [])
    assert (args.batch_size, args.epochs, args.patience) == (2, 1000, 10)
    assert (args.optimizer, args.lr, args.momentum) == ("sgd", 1e-3, 0.95)
    assert (args.lr_drops, args.num_joints, args.logdir) == ([], 16, "runs")
    fork = ("--num-frames", "4", "--num-actions", "5", "--learning-rate", "0.1")
    args = experiment.parse_merl_training(
        "", "runs", [*fork, "--num-block", "2", "--weights-action-path", "w.h5"]
    )
    assert (args.frames, args.actions, args.lr, args.blocks) == (4, 5, 0.1, 2)
    assert args.weights == "w.h5"


def test_weights_to_begin_with_must_be_somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"neither weights_merl_061\.h5 nor"):
        train("run", "--epochs", "1")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--frozen-features",), "--frozen-features needs --no-augmentation"),
        (("--frozen-features", "--no-augmentation"), "needs --freeze-poses"),
        (("--num-joints", "17"), "invalid choice: 17"),
        (("--classes", "one"), "must be different names, at least two"),
        (("--classes", "one,ONE"), "must be different names, at least two"),
    ],
)
def test_flags_that_cannot_be_are_refused(capsys, flags, message):
    with pytest.raises(SystemExit):
        train("run", *flags)
    assert message in capsys.readouterr().err


def test_a_head_of_other_actions_is_refused(place, monkeypatch):
    monkeypatch.chdir(place)
    with pytest.raises(ValueError, match="must name the network's 5 actions"):
        train("runs/no", "--num-actions", "5")


@pytest.fixture(scope="module")
def said(place):
    """What a validation to the folder `runs/val` printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        VALIDATE.main(["runs/val", "--weights-file", f"runs/all/{LAST}", "--report"])
    return printed.getvalue()


def test_the_validation_writes_three_confusions(place, said, monkeypatch):
    monkeypatch.chdir(place)
    scores = read(place / "runs/val/evaluation.json")
    assert scores["videos"] == scores["clips"] == 3
    assert scores["too_short"] == ["LookatShelf_test_2_LookatShelf"]
    assert [row[-1] for row in scores["confusion"]] == [0, 0, 1]
    kept = read(place / "runs/all/scores.json")["1"]
    assert scores["outputs"] == kept["outputs"]
    assert set(scores["confusions_apart"]) == {"mmm", "mmmvvv"}
    assert scores["receipt"]["classes"] == ",".join(SHELF)
    for output in ("m", "mmm", "mmmvvv"):
        assert f"| {output}: true action" in said
    assert "original" not in said and "paper" not in said
    names = {path.name for path in (place / "runs/val").iterdir()}
    assert names >= {"evaluation.md", "confusion.png", "confusion_mmmvvv.png"}
    page = (place / "runs/val/report.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 2 and "confusions of merged" not in page
    assert 'aria-label="confusions of appearance, as merged (mmmvvv)"' in page
    classes = ("--classes", "GlanceAtShelf,ApproachtoShelf,LookatShelf")
    with pytest.raises(ValueError, match="is of the classes ApproachtoShelf,Glance"):
        VALIDATE.main(["runs/no", "--weights-file", f"runs/all/{LAST}", *classes])


@pytest.mark.usefixtures("said")
def test_a_browser_shows_the_report_of_actions(place, page):
    heads = read_through(page, place / "runs/val/report.html")
    assert heads[1:4] == ["By output", "By action", "Best and worst cases"]
    assert page.locator("img").count() == 2


@pytest.fixture(scope="module")
def boxes(place):
    """Lists of boxes of a person who walks: one of nine pictures, one of three."""
    folder = place / "boxes"
    folder.mkdir()
    pictures = sorted((place / "datasets/MERL/actions/GlanceAtShelf").glob("train*/*"))
    pictures.sort(key=lambda path: int(path.stem))
    rows = []
    for number, path in enumerate(pictures):
        x1, y1, x2, y2 = BOX
        box = (x1 + STEP * number, y1, x2 + STEP * number, y2)
        rows.append(BoxRow(str(path.relative_to(place)), 0.9, box))
    write_box_list(folder / "walk.txt", rows)
    write_box_list(folder / "short.tsv", rows[:3])
    return folder


def scores_of(folder):
    head, *rows = (folder / "scores.tsv").read_text().splitlines()
    return head.split("\t"), [row.split("\t") for row in rows]


def test_a_window_slides_over_a_list_of_boxes(place, boxes, monkeypatch):
    monkeypatch.chdir(place)
    weights = ("--weights", f"runs/all/{LAST}")
    DEMO.main(["runs/demo", *weights, "boxes/walk.txt"])
    head, rows = scores_of(place / "runs/demo/walk")
    assert head == ["number", "picture", "answer", "moved_px", *SHELF]
    assert [row[0] for row in rows] == [str(n) for n in range(4, 10)]
    assert {row[3] for row in rows} == {f"{3 * STEP:.1f}"}
    drawn = sorted(path.name for path in (place / "runs/demo/walk").glob("*.jpg"))
    assert drawn == [f"{n:05d}.jpg" for n in range(4, 10)]
    drawing = np.asarray(Image.open(place / "runs/demo/walk/00009.jpg")).astype(int)
    left = drawing[56:72, 36]  # the left side of the box of frame 9
    assert (left[:, 0] - left[:, 2]).mean() > 60

    settings = read(place / "runs/all/model.json")
    model = experiment.build_network("merl", settings, f"runs/all/{LAST}")
    pictures, _, corners = zip(*read_box_list("boxes/walk.txt"), strict=True)
    video = BoxedVideo("walk", None, pictures, SIZE, np.array(corners))
    clips = BoxedClips(".", [video], DataConfig((32, 32)), clip_size=4)
    clip = clips.get_data(0, TEST_MODE, frame_list=[5, 6, 7, 8])["frame"]
    found = model(clip[None], training=False)[OUTPUTS.index("m")][0]
    np.testing.assert_allclose([float(x) for x in rows[-1][4:]], found, atol=1e-4)


def test_a_folder_of_lists_the_rule_of_moving_and_what_cannot_be_read(
    place, boxes, monkeypatch
):
    monkeypatch.chdir(place)
    rows = read_box_list("boxes/walk.txt")
    rows[1] = rows[1]._replace(picture="nothing.jpg")
    write_box_list("boxes/holes.txt", rows)
    absent = [row._replace(picture=f"{row.box[0]}.jpg") for row in rows[:3]]
    write_box_list("boxes/gone.txt", absent)
    moving = ("--moving-px", str(2.5 * STEP), "--moving-class", "LookAtShelf")
    weights = ("--weights", f"runs/all/{LAST}")
    with pytest.raises(OSError, match=r"unreadable pictures, 4 in all: .*nothing\.jpg"):
        DEMO.main(["runs/lists", "boxes", *weights, *moving])
    _, holes = scores_of(place / "runs/lists/holes")
    assert [row[0] for row in holes] == [str(n) for n in range(6, 10)]
    assert not (place / "runs/lists/gone").exists()
    _, walk = scores_of(place / "runs/lists/walk")
    assert {row[2] for row in walk} == {"LookatShelf"}
    (one,) = scores_of(place / "runs/lists/short")[1]
    assert one[2] == SHELF[int(np.argmax([float(x) for x in one[4:]]))]
    log = (place / "runs/lists/log.txt").read_text()
    assert "short.tsv: has too few pictures for a window, 3" in log
    with pytest.raises(ValueError, match="--moving-class must be one of Approach"):
        wrong = ("--moving-px", "2", "--moving-class", "Run")
        DEMO.main(["runs/no", "boxes", *weights, *wrong])


def test_lists_are_read_before_anything_is_looked_at(place, boxes, monkeypatch):
    monkeypatch.chdir(place)
    (place / "bad").mkdir()
    first, *rows = read_box_list("boxes/walk.txt")
    (place / "bad/nothing.h5").touch()
    demo = ("runs/bad", "bad", "--weights", "bad/nothing.h5")
    for row, message in (
        (first._replace(box=(121, 0, 140, 9)), r"must overlap the picture of 120 x 80"),
        (first._replace(picture="bad/x.jpg"), r"unreadable pictures, 1 in all"),
    ):
        write_box_list("bad/one.txt", [row])
        with pytest.raises((OSError, ValueError), match=message):
            DEMO.main([*demo])
    write_box_list("bad/one.tsv", rows)
    with pytest.raises(ValueError, match="bad: the lists must differ in their names"):
        DEMO.main([*demo])
    assert [path.name for path in (place / "runs/bad").iterdir() if path.is_dir()] == []
