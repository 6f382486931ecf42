"""Who is who from frame to frame."""

import dataclasses

import numpy as np
import pytest

from deephar.inference.results import Person, Pose
from deephar.inference.tracking import Tracker
from deephar.utils.pose import pa16j2d

NAMES = tuple(pa16j2d.joint_names)
BODY = np.column_stack([np.tile([-12, 12], 8), np.linspace(-60, 60, 16)])


def person(x, y=150.0, shape=BODY, confidence=1.0):
    pose = Pose(shape + (x, y), np.full(16, confidence), (0, 0, 9, 9), NAMES)
    return Person(pose)


def ids(people):
    return [one.id for one in people]


def walkers(seed, frames=80):
    """Two people, with noise, who pass; the one behind is not found meanwhile."""
    rng = np.random.default_rng(seed)
    speed, shapes = rng.uniform(3, 9, 2), BODY * rng.uniform(0.85, 1.15, (2, 1, 2))
    signs = np.array([1, -1])
    for number in range(frames):
        places = 300 + signs * speed * (number - frames / 2)
        noisy = shapes + rng.normal(0, 3, (2, *BODY.shape))
        both = [person(places[k], 150 + rng.normal(0, 2), noisy[k]) for k in (0, 1)]
        yield both[:1] if abs(places[0] - places[1]) < 30 else both


@pytest.mark.parametrize("seed", range(20))
def test_ids_are_stable_through_a_crossing(seed):
    tracker, frames = Tracker(), list(walkers(seed))
    found = [ids(tracker.update(people)) for people in frames]
    assert found == [[1, 2] if len(people) == 2 else [1] for people in frames]
    assert [1] in found and tracker.ids == (1, 2)


def test_people_come_in_any_order_and_keep_it():
    tracker = Tracker()
    assert ids(tracker.update([person(100), person(300)])) == [1, 2]
    assert ids(tracker.update([person(302), person(500), person(98)])) == [2, 3, 1]


def test_who_was_away_for_a_moment_is_known_again():
    tracker = Tracker(patience=10)
    for x in range(100, 160, 5):
        tracker.update([person(x)])
    for _ in range(10):
        assert tracker.update([]) == [] and tracker.ids == (1,)
    assert ids(tracker.update([person(210)])) == [1]


def test_an_id_is_not_given_twice():
    tracker = Tracker(patience=3)
    for _ in range(5):
        tracker.update([person(100)])
    for _ in range(4):
        tracker.update([])
    assert tracker.ids == ()
    assert ids(tracker.update([person(100)])) == [2]


def test_who_was_seen_once_is_soon_forgotten():
    tracker = Tracker(patience=15)
    tracker.update([person(100)])
    tracker.update([])
    assert tracker.ids == (1,)
    tracker.update([])
    assert tracker.ids == ()


def test_a_stray_pose_where_somebody_is_expected_is_nobody_new():
    tracker = Tracker()
    tracker.update([person(100)])
    assert ids(tracker.update([person(101), person(140, shape=BODY / 3)])) == [1, None]
    assert ids(tracker.update([person(102), person(300)])) == [1, 2]


def test_somebody_beside_a_followed_person_is_followed_too():
    tracker = Tracker()
    tracker.update([person(100)])
    assert ids(tracker.update([person(100), person(140)])) == [1, 2]


def test_whose_box_was_given_is_followed_wherever_that_is():
    tracker, child = Tracker(), person(100, shape=BODY / 3)
    tracker.update([person(100)])
    assert ids(tracker.update([person(100), child])) == [1, None]
    scored = dataclasses.replace(child, score=1.0)
    assert ids(tracker.update([person(100), scored], detected=[1])) == [1, None]
    assert ids(tracker.update([person(100), child], detected=[1])) == [1, 2]


def test_who_is_not_confirmed_gives_way_to_somebody_who_is_detected():
    def found(confirmed, looks, sure, detected=(1,)):
        tracker = Tracker(most=1)
        tracker.update([person(100, confidence=0.7)])
        for _ in range(looks):
            tracker.confirm(confirmed)
        people = [person(100, confidence=0.7), person(300, confidence=sure)]
        return ids(tracker.update(people, detected=detected))

    assert found([], 5, 0.8) == [None, 2]
    assert found([], 4, 0.8) == found([1], 5, 0.8) == found([], 5, 0.6) == [1, None]
    assert found([], 5, 0.8, detected=()) == [1, None]


@pytest.mark.parametrize("score, kept", [(0.8, False), (None, True)])
def test_what_a_detector_points_to_only_once_is_nobody(score, kept):
    tracker = Tracker()
    doubtful = dataclasses.replace(person(100), score=score)
    ids(tracker.update([doubtful], detected=[0]))
    for _ in range(7):
        tracker.confirm([])
        assert ids(tracker.update([doubtful])) == [1]
    tracker.confirm([])
    assert ids(tracker.update([doubtful])) == [1 if kept else None]
    assert tracker.ids == ((1,) if kept else ())


def test_whom_a_detector_finds_again_is_followed_on():
    tracker = Tracker()
    found = dataclasses.replace(person(100), score=0.8)
    tracker.update([found], detected=[0])
    tracker.confirm([1])
    for _ in range(12):
        tracker.confirm([])
        assert ids(tracker.update([found])) == [1]


def test_no_more_people_are_followed_than_asked_for():
    tracker = Tracker(most=2)
    people = [person(x) for x in (100, 300, 500)]
    assert ids(tracker.update(people)) == [1, 2, None]
    assert ids(tracker.update(people[::-1])) == [None, 2, 1]


def test_a_moving_person_is_expected_ahead():
    tracker = Tracker()
    for number in range(1, 101):
        tracker.update([person(100 + 4 * number)], number / 25)
    ((number, (x1, y1, x2, y2)),) = tracker.expected((640, 360))
    assert number == 1
    np.testing.assert_allclose((x1 + x2) / 2, 504, atol=0.5)
    np.testing.assert_allclose([(y1 + y2) / 2, x2 - x1, y2 - y1], [150, 144, 144])
    (_, later) = tracker.expected((640, 360), 105 / 25)[0]
    np.testing.assert_allclose((later[0] + later[2]) / 2, 520, atol=1)


def test_who_has_left_the_picture_is_not_expected():
    tracker = Tracker()
    tracker.update([person(100), person(800)])
    assert [number for number, _ in tracker.expected((640, 360))] == [1]


def test_the_tracks_of_a_long_video_are_few():
    tracker, rng = Tracker(), np.random.default_rng(0)
    for number in range(400):
        tracker.update([person(*rng.uniform(0, 600, 2))])
        assert len(tracker.ids) < 12, number


def test_frames_go_on_in_time():
    tracker = Tracker()
    tracker.update([person(100)], 0.5)
    with pytest.raises(ValueError, match="later than the last one, 0.5. Received: now"):
        tracker.update([person(100)], 0.5)


def test_people_without_a_pose_are_refused():
    with pytest.raises(ValueError, match=r"Received: none of the people \[1\]"):
        Tracker().update([person(100), Person(None)])


@pytest.mark.parametrize("wrong", [{"patience": -1}, {"least": 0}, {"most": 0}])
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="`patience` must be at least 0"):
        Tracker(**wrong)
