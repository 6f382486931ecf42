"""People of a video: looked at in one batch, followed, recognised and lifted."""

import numpy as np
import pytest
from test_lifting_inference import network
from test_lifting_stream import whole
from tiny_videos import CLIP, LABELS, TinyPredictor

from deephar.inference import (
    Action,
    ActionStream,
    LiftingStream,
    Looked,
    VideoPredictor,
    Window,
)
from deephar.inference.people import Detection, GivenBoxes
from deephar.inference.tracking import Tracker
from deephar.inference.video import bounded, stays
from deephar.utils.pose import pa16j2d

SIZE = (640, 480)
BODY = np.random.default_rng(3).uniform(-40, 40, (16, 2))
"""A person, px around the middle."""


def picture(*people):
    """A picture whose first pixels tell where people are."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for number, (x, y) in enumerate(people):
        pixels[0, number] = (x // 4, y // 4, 255)
    return pixels


def people_in(pixels):
    return [(4.0 * x, 4.0 * y) for x, y, there in np.asarray(pixels)[0, :9] if there]


class Eyes:
    """Looks at such pictures: sees who is closest to the middle of a window."""

    poselayout = pa16j2d

    def __init__(self):
        self.windows = []

    def window(self, size, box=None):
        if box is None:
            return Window((size[0] / 2, size[1] / 2), (max(size), max(size)))
        x1, y1, x2, y2 = box
        side = 1.25 * max(x2 - x1, y2 - y1)
        return Window(((x1 + x2) / 2, (y1 + y2) / 2), (side, side))

    def look(self, pictures, windows):
        self.windows.append([Window(*window) for window in windows])
        joints = np.zeros((1, len(windows), 16, 3))
        poses = np.zeros((len(windows), 16, 2), np.float32)
        for row, (image, window) in enumerate(zip(pictures, windows, strict=True)):
            center, size = np.array(window.center), np.array(window.size)
            offsets = [np.subtract(p, center) for p in people_in(image)]
            offset = min(offsets, key=np.linalg.norm, default=size)
            seen = (np.abs(offset) < size / 2).all()
            joints[0, row, :, :2] = center + offset + BODY
            joints[0, row, :, 2] = 0.9 if seen else 0.05
            poses[row] = (offset + BODY) / size + 0.5
        one = np.ones((len(windows), 16, 1), np.float32)
        described = (poses, one, np.repeat(one, 3, axis=2))
        widths = [window[1][0] for window in windows]
        return Looked(joints, [Window(*w) for w in windows], widths, described)

    def action(self, scores, frames):
        by_name = dict(zip(TinyPredictor.names, scores, strict=True))
        return Action(LABELS, by_name, "m", frames)


class Boxes:
    """Detects the people of such pictures."""

    def __init__(self):
        self.asked = []

    def detect(self, pixels, number):
        self.asked.append(number)
        return [
            Detection((x - 40, y - 40, x + 40, y + 40), 2.0)
            for x, y in people_in(pixels)
        ]


def walking(count):
    """Two people, one of whom sways while the other walks to the right."""
    return [((100, 100 + 8 * (n % 2)), (200 + 8 * n, 300)) for n in range(count)]


def test_all_are_followed_and_looked_at_in_one_batch():
    eyes, boxes = Eyes(), Boxes()
    video = VideoPredictor(eyes, boxes, detect_every=4, source="walk.mp4")
    for number, people in enumerate(walking(30), 1):
        (found,) = video.step(picture(*people), time=number / 10)
        assert (found.source, found.number, found.time) == (
            *("walk.mp4", number),
            number / 10,
        )
        assert found.size == SIZE and [p.id for p in found.people] == [1, 2]
        for person, place in zip(found.people, people, strict=True):
            np.testing.assert_allclose(person.pose.joints, place + BODY, atol=1e-9)
    assert boxes.asked == list(range(1, 31, 4))
    assert [len(windows) for windows in eyes.windows] == [2] * 32
    assert found.people[0].score is None


def test_a_window_stays_while_the_person_is_well_inside():
    eyes, still = Eyes(), ActionStream(TinyPredictor())
    video = VideoPredictor(eyes, Boxes(), actions=still)
    for people in walking(30):
        video.step(picture(*people))
    places = eyes.windows[2:]
    assert len({windows[0] for windows in places}) == 1
    assert 3 <= len({windows[1] for windows in places}) <= 12
    window = Window((100, 100), (150, 150))
    assert stays(window, Window((120, 100), (150, 150)))
    assert stays(window, window, [(170, 100, 190, 120)])
    assert not stays(window, window, [(0, 0, 9, 9), (160, 100, 180, 120)])
    assert not stays(window, Window((130, 100), (150, 150)))
    assert not stays(window, Window((100, 100), (100, 100)))
    assert not stays(window, Window((100, 100), (225, 225)))


def test_without_actions_a_window_is_where_the_person_is_expected():
    eyes = Eyes()
    video = VideoPredictor(eyes, Boxes())
    for people in walking(9):
        video.step(picture(*people))
    places = eyes.windows[2:]
    assert len({windows[1] for windows in places}) == len(places) == 9


def test_given_people_are_numbered_and_nobody_else_is_there():
    boxes = {
        number: [(x - 40, y - 40, x + 40, y + 40) for x, y in people]
        for number, people in enumerate(walking(6), 1)
    }
    boxes[2], boxes[4] = [], [Detection(boxes[4][1], 0.7)]
    video = VideoPredictor(Eyes(), GivenBoxes(boxes), follow=False)
    found = [video.step(picture(*people))[0].people for people in walking(7)]
    ids = [[person.id for person in people] for people in found]
    assert ids == [[1, 2], [], [1, 2], [2], [1, 2], [1, 2], []]
    assert found[4][1].box == boxes[5][1] and found[3][0].score == 0.7


def test_a_box_is_that_of_the_detector_in_the_same_frame():
    video = VideoPredictor(Eyes(), Boxes(), detect_every=3)
    for number, ((x, y), other) in enumerate(walking(7)):
        ((person, _),) = [f.people for f in video.step(picture((x, y), other))]
        told = ((x - 40, y - 40, x + 40, y + 40), 2.0)
        assert (person.box, person.score) == (told if number % 3 == 0 else (None,) * 2)


def test_windows_neither_vanish_nor_grow_without_end():
    window = Window((30, 20), (10, 8))
    assert bounded(window, SIZE) == ((30, 20), (16, 12.8))
    assert bounded(window._replace(size=(0.1, 0.08)), (1, 1)) == ((30, 20), (16, 12.8))
    assert bounded(window._replace(size=(4000, 3000)), SIZE).size == (1280, 960)
    assert bounded(window._replace(size=(300, 200)), SIZE).size == (300, 200)


def test_actions_are_those_of_the_poses_in_the_last_window():
    video = VideoPredictor(Eyes(), Boxes(), actions=ActionStream(TinyPredictor()))
    people = walking(20)
    for number, places in enumerate(people, 1):
        (found,) = video.step(picture(*places), number)
        if number < CLIP:
            assert [person.action for person in found.people] == [None, None]
            continue
        for row, person in enumerate(found.people):
            assert person.action.frames == (number - CLIP + 1, number)
            x1, y1, x2, y2 = person.pose.box
            joints = np.array([p[row] + BODY for p in people[number - CLIP : number]])
            inside = (joints - [x1, y1]) / [x2 - x1, y2 - y1]
            ones = np.ones((1, CLIP, 16, 3))
            expected = TinyPredictor().classify(inside[None], ones[..., :1], ones)
            for name, scores in zip(TinyPredictor.names, expected[:, 0], strict=True):
                np.testing.assert_allclose(
                    person.action.scores[name], scores, atol=1e-5
                )


def test_an_answer_of_before_a_gap_is_not_shown_after_it():
    actions = ActionStream(TinyPredictor(), every=3)
    video, here = VideoPredictor(Eyes(), Boxes(), actions=actions), ((100, 100),)
    people = [here] * (CLIP + 2) + [()] * 2 + [here] * 5 + [()] * CLIP + [here] * CLIP
    found = [video.step(picture(*places))[0].people for places in people]
    last = [one[0].action and one[0].action.frames[1] if one else 0 for one in found]
    assert last[CLIP - 1 : CLIP + 4] == [CLIP, CLIP, CLIP, 0, 0]
    assert last[CLIP + 4 : CLIP + 9] == [None, *[CLIP + 6] * 3, CLIP + 9]
    assert last[-CLIP:] == [None] * (CLIP - 1) + [len(people)]
    assert {one[0].id for one in found if one} == {1}


def test_a_person_beside_a_followed_one_is_found():
    boxes = {n: [(170, 140, 230, 260), (238, 140, 298, 260)][: n // 3] for n in (5, 8)}
    video = VideoPredictor(Eyes(), GivenBoxes({1: boxes[5], **boxes}))
    frames = [video.step(picture((200, 200), (268, 200)))[0] for _ in range(9)]
    assert [len(found.people) for found in frames] == [1] * 7 + [2] * 2


def test_boxes_outside_the_picture_are_passed_over_and_told_once(caplog):
    box, out = (60, 60, 140, 140), (700, 10, 740, 90)
    video = VideoPredictor(Eyes(), GivenBoxes([box, out]))
    for _ in range(3):
        (found,) = video.step(picture((100, 100)))
        assert [person.id for person in found.people] == [1]
    assert caplog.text.count("frame 1: passed over, outside: (700.0, 10.0") == 1
    assert caplog.text.count("passed over") == 1


def test_a_phantom_does_not_keep_a_person_out():
    class Once(Boxes):
        def detect(self, pixels, number):
            return super().detect(pixels, number)[: 1 if number <= 3 else None][-1:]

    eyes, places = Eyes(), ((100, 100), (500, 300))
    video = VideoPredictor(eyes, Once(), Tracker(most=1), detect_every=2)
    found = [video.step(picture(*places))[0].people for _ in range(15)]
    assert [[one.id for one in people] for people in found] == [[1]] * 12 + [[2]] * 3


def test_lifted_poses_come_late_and_belong_to_their_frames():
    model = network()
    lifting = LiftingStream([model], pa16j2d)
    video, people = VideoPredictor(Eyes(), Boxes(), lifting=lifting), walking(12)
    found = [video.step(picture(*places), 3 * n) for n, places in enumerate(people, 1)]
    assert [len(now) for now in found] == [0] * 4 + [1] * 8
    found = [one for now in found for one in now] + video.finish()
    assert [one.number for one in found] == list(range(3, 37, 3))
    for row in range(2):
        track = np.array([places[row] + BODY for places in people])
        poses = [one.people[row].pose_3d.joints for one in found]
        np.testing.assert_allclose(poses, whole([model], track), atol=0.01)
    assert video.finish() == []


def test_a_short_video_is_lifted_too_and_no_frame_is_lost():
    video = VideoPredictor(Eyes(), Boxes(), lifting=LiftingStream([network()], pa16j2d))
    assert video.step(picture((300, 200))) == video.step(picture()) == []
    first, second = video.finish()
    assert np.isfinite(first.people[0].pose_3d.joints).all() and second.people == ()


def test_who_has_left_is_forgotten_and_nobody_is_found_where_nobody_is():
    actions = ActionStream(TinyPredictor())
    video = VideoPredictor(Eyes(), Boxes(), actions=actions)
    for people in walking(6) + [((100, 100),)] * 40:
        (found,) = video.step(picture(*people))
    assert [person.id for person in found.people] == [1]
    assert video._windows.keys() == video._doing.keys() == {1}
    for _ in range(40):
        (found,) = video.step(picture())
    assert found.people == () and not video._windows and not video._doing


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`detect_every` must be at least 1.*=0"):
        VideoPredictor(Eyes(), Boxes(), detect_every=0)
    with pytest.raises(ValueError, match="needs an ActionPredictor.*looker=object"):
        VideoPredictor(object(), Boxes(), actions=ActionStream(TinyPredictor()))
    video = VideoPredictor(Eyes(), Boxes())
    video.step(picture(), 5)
    with pytest.raises(ValueError, match="must be larger than before, 5.*number=5"):
        video.step(picture(), 5)
