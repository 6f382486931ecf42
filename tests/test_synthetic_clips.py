"""Generated people in motion: moves, worlds that cameras share, clips on disk."""

import numpy as np
import pytest
from PIL import Image
from scripts import load

from deephar.data.pennaction_format import ACTIONS, JOINT_NAMES, read_pennaction
from deephar.data.synthetic import (
    JOINTS,
    make_body,
    make_clip,
    make_move,
    make_person,
    perform,
    rasterize,
    shade,
    write_pennaction_clips,
)
from deephar.data.synthetic.body import LIMITS
from deephar.data.synthetic.film import Film
from deephar.data.synthetic.motion import key
from deephar.data.synthetic.penn_moves import PENN_MOVES
from deephar.data.synthetic.props import make_prop
from deephar.data.synthetic.render import Light
from deephar.data.synthetic.scene import look_at
from deephar.data.synthetic.stage import Shot, Stage, draw_surroundings

MOVES = {move.name: move for move in PENN_MOVES}
SIZE = (96, 72)
SMALL = {"frames": (3, 4), "size": (64, 48)}
LIGHT = Light(np.array([0.3, 0.2, 0.93]), 0.5, np.ones(3))


def joint(name):
    return JOINTS.index(name)


def show_of(name, seed=0, count=24, fps=15.0):
    rng = np.random.default_rng(seed)
    body = make_body(rng)
    return body, perform(rng, MOVES[name], body, count, fps)


def test_there_is_a_move_for_every_action_of_penn():
    assert tuple(MOVES) == ACTIONS


@pytest.mark.parametrize("name", ACTIONS)
def test_moves_are_smooth_and_keep_limits_and_limbs(name):
    count = int(60 * max(MOVES[name].seconds, 1))
    body, show = show_of(name, seed=3, count=count, fps=60.0)
    assert np.isfinite(show.joints).all()
    places = show.joints - show.joints[:, :1]
    speed = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    assert speed.max() < 250  # mm in a 60th of a second
    jerk = np.linalg.norm(np.diff(places, n=2, axis=0), axis=-1)
    assert jerk.max() < 150
    low = (show.joints[..., 2] - body.flesh).min(axis=1)
    assert low.min() > -1 and low.min() < 200


def test_a_move_passes_through_its_keys_and_cycles_repeat():
    for move in PENN_MOVES:
        curve = move.curve()
        times = move.times[: len(move.keys)]
        np.testing.assert_allclose(curve(times), move.keys, atol=1e-9)
        if move.cyclic:
            later = curve(move.seconds + 0.1)
            np.testing.assert_allclose(later, curve(0.1), atol=1e-9)
        assert (move.keys >= LIMITS[:, 0]).all() and (move.keys <= LIMITS[:, 1]).all()


def test_people_do_the_same_move_in_their_own_style():
    shows = [show_of("squat", seed)[1].joints for seed in range(4)]
    heights = [joints[:, 0, 2] / joints[:, 0, 2].max() for joints in shows]
    assert np.ptp([curve.argmin() for curve in heights]) > 0
    for curve in heights:
        assert curve.min() < 0.75


def test_some_people_are_left_handed():
    left = [show_of("tennis_serve", seed)[1].left for seed in range(40)]
    assert 5 < sum(left) < 20


def test_what_stands_on_the_floor_does_not_slide():
    for name in ("golf_swing", "squat", "strum_guitar", "situp"):
        body, show = show_of(name, seed=1)
        above = show.joints[..., 2] - body.flesh
        bearing = above[1:].argmin(axis=1)
        step = np.linalg.norm(np.diff(show.joints, axis=0), axis=-1)
        slid = step[np.arange(len(bearing)), bearing]
        assert np.median(slid) < 12, name


def test_hands_hold_what_they_hold():
    for name in ("golf_swing", "baseball_swing"):
        joints = show_of(name, seed=2)[1].joints
        apart = joints[:, joint("l_hand")] - joints[:, joint("r_hand")]
        assert np.median(np.linalg.norm(apart, axis=-1)) < 40, name
    hands = show_of("pullup")[1].joints[:, [joint("r_hand"), joint("l_hand")]]
    np.testing.assert_allclose(np.ptp(hands.mean(axis=1), axis=0), 0, atol=1e-6)


def test_hands_and_feet_are_on_the_floor_in_a_pushup():
    parts = [joint(f"{side}_{name}") for side in "rl" for name in ("hand", "foot")]
    for seed in range(6):
        body, show = show_of("pushup", seed)
        low = show.joints[..., 2] - body.flesh
        assert low[:, parts].max() < 100


def test_a_move_with_senseless_seconds_or_frames_is_refused():
    with pytest.raises(ValueError, match=r"'x' must begin with 0 and grow.*\[0.0, 0.0"):
        make_move("x", key(0.0), key(0.0))
    body = make_body(np.random.default_rng(0))
    with pytest.raises(ValueError, match="`count` must be at least 1.*count=0"):
        perform(np.random.default_rng(0), PENN_MOVES[0], body, 0, 15.0)


def camera_at(degrees, focal=150.0):
    turn = np.radians(degrees)
    place = np.array([4500 * np.cos(turn), 4500 * np.sin(turn), 1500.0])
    return look_at(place, np.array([0.0, 0, 900]), 0.0, focal, SIZE)


def test_all_cameras_see_the_same_walls():
    views = [camera_at(degrees) for degrees in (0, 95, 200, 290)]
    places = np.array([view.position[:2] for view in views])
    world = draw_surroundings(np.random.default_rng(4), places, outdoors=False)
    assert len(world.walls) == 4
    for view in views:
        seen = world.seen_by(view)
        points = np.stack([seen.x, seen.y], axis=-1)[~seen.floor].astype(float)
        off = points @ world.walls[:, :2].T - world.walls[:, 2]
        assert len(points) > 100
        assert np.abs(off).min(axis=1).max() < 2 and off.max() < 2
        inside = world.walls[:, :2] @ view.position[:2] < world.walls[:, 2]
        assert inside.all()


def test_a_shot_draws_what_a_whole_picture_would_show():
    rng = np.random.default_rng(2)
    person = make_person(rng)
    show = perform(rng, MOVES["tennis_serve"], person.body, 3, 15.0)
    held = make_prop(rng, show, person.body)
    view = camera_at(20)
    world = draw_surroundings(rng, view.position[None, :2], outdoors=False)
    film = Film(np.arange(256), 0.0, np.zeros((*SIZE[::-1], 3), np.int16))
    bare = Light(LIGHT.direction, 1.0, LIGHT.color)  # which throws no shadow
    solids = person.solids(show.joints[1], show.frames[1])
    shot = Shot(Stage(world, bare, held[1]), view, film)
    take = shot.take(show.joints[1], solids)
    assert take.picture.shape == (72, 96, 3)
    empty = Shot(Stage(world, bare, None), view, film)
    expected = empty.take(show.joints[1], held[1]).picture
    things, _ = rasterize(held[1], view)
    depth, index = rasterize(solids, view)
    index[depth >= things] = -1
    shade(expected, depth, index, solids, view, bare)
    different = (take.picture != expected).any(axis=-1)
    assert different.mean() < 0.01 and (index >= 0).sum() > 300
    x, y = take.corner
    rows, columns = take.depth.shape
    whole = np.minimum(depth, things)[y : y + rows, x : x + columns]
    np.testing.assert_allclose(take.depth, whole, rtol=1e-3)


def test_a_clip_is_a_function_of_its_key():
    first = list(make_clip((5, 0, 1), "squat", **SMALL))
    again = list(make_clip((5, 0, 1), "squat", **SMALL))
    other = list(make_clip((5, 1, 1), "squat", **SMALL))
    assert 3 <= len(first) <= 4
    for one, two in zip(first, again, strict=True):
        for value, same in zip(one, two, strict=True):
            np.testing.assert_array_equal(value, same)
    assert not np.array_equal(first[0][1], other[0][1])


def test_people_in_clips_are_large_and_whole():
    sizes, seen = [], []
    for i, action in enumerate(ACTIONS):
        for _, joints, visible in make_clip((9, 0, i), action, (2, 2), (80, 60)):
            assert (joints > 0).all() and (joints < (80, 60)).all(), action
            sizes.append(np.ptp(joints, axis=0).max() / 60)
            seen.append(visible.mean())
    assert np.median(sizes) > 0.5 and 0.7 < np.mean(seen) < 1


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("penn")
    write_pennaction_clips(folder, 3, 2, seed=6, **SMALL)
    return folder


def test_written_clips_read_back_with_exact_labels(penn):
    test, train, labels = read_pennaction(penn / "annotations.mat")
    assert labels == ACTIONS and (len(test), len(train)) == (2, 3)
    assert [video.number for video in (*train, *test)] == [1, 2, 3, 4, 5]
    assert [video.action for video in test] == [0, 1]
    clip = list(make_clip((6, 1, 1), ACTIONS[1], **SMALL))
    np.testing.assert_array_equal(test[1].joints, [joints for _, joints, _ in clip])
    np.testing.assert_array_equal(test[1].visible, [seen for _, _, seen in clip])
    for video in (*test, *train):
        assert video.joints.shape == (len(video.frames), len(JOINT_NAMES), 2)
        for number in video.frames:
            path = penn / "frames" / f"{video.number:04d}" / f"{number:06d}.jpg"
            with Image.open(path) as picture:
                assert picture.size == video.size == (64, 48)


def test_clips_do_not_depend_on_how_many_there_are_or_who_draws(penn, tmp_path):
    write_pennaction_clips(tmp_path, 2, 0, seed=6, workers=2, **SMALL)
    pictures = sorted((tmp_path / "frames").rglob("*.jpg"))
    assert len(pictures) >= 6
    for path in pictures:
        other = penn / path.relative_to(tmp_path)
        assert other.read_bytes() == path.read_bytes()


def test_only_generated_clips_are_overwritten(tmp_path):
    real = tmp_path / "frames" / "0001" / "000001.jpg"
    real.parent.mkdir(parents=True)
    real.write_text("a real picture")
    for overwrite, message in ((False, "must be empty"), (True, "did not generate.*")):
        with pytest.raises(FileExistsError, match=message):
            write_pennaction_clips(tmp_path, 1, 0, overwrite=overwrite, **SMALL)
    assert real.read_text() == "a real picture"
    folder = tmp_path / "new"
    write_pennaction_clips(folder, 2, 0, **SMALL)
    write_pennaction_clips(folder, 1, 0, overwrite=True, **SMALL)
    assert [path.name for path in (folder / "frames").iterdir()] == ["0001"]
    (folder / "frames" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="notes.txt"):
        write_pennaction_clips(folder, 1, 0, overwrite=True, **SMALL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": -1}, "`train` must be at least 0. Received: train=-1"),
        ({"train": 0, "test": 0}, "nothing to write. Received: train=0, test=0"),
        ({"workers": 0}, "`workers` must be at least 1"),
        ({"frames": (4, 3)}, r"smallest, largest.*frames=\(4, 3\)"),
        ({"size": (20, 400)}, r"at least 32 px. Received: size=\(20, 400\)"),
    ],
)
def test_senseless_numbers_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_pennaction_clips(tmp_path / "out", **{"train": 1, "test": 0, **arguments})
    assert not (tmp_path / "out").exists()


def test_the_script_writes_clips(tmp_path, capsys):
    main = load("datasets/PennAction/generate.py").main
    arguments = [str(tmp_path / "out"), "--train", "1", "--test", "1"]
    arguments += ["--workers", "1", "--frames", "2", "2", "--size", "48", "40"]
    assert main(arguments) == 0
    assert "1 training and 1 test videos" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "(--overwrite)" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
