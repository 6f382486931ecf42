"""Streams of frames give what the whole model gives on each window."""

import numpy as np
import pytest
import tiny_spnet
from formula_weights import set_formula_weights
from tiny_merged import SIZE, build_merged, formula_clips
from tiny_videos import CLIP, TinyPredictor

from deephar.inference import ActionStream, ClipPredictor, Window
from deephar.inference.stream import reexpressed

LENGTH = 20


@pytest.fixture(scope="module", params=["merged 3D", "SPNet"])
def network(request):
    """A network of actions; tests/test_stream_benchmark.py has the merged one in 2D."""
    if request.param == "merged 3D":
        return build_merged(3, num_blocks=1)
    model, _ = tiny_spnet.build()
    set_formula_weights(model)
    return model


def test_a_stream_gives_what_the_whole_model_gives_on_each_window(network):
    predictor = ClipPredictor(network, 32)
    length = predictor.num_frames
    frames = formula_clips(1, (LENGTH, *SIZE))[0]
    stream, found = ActionStream(predictor), []
    for number, frame in enumerate(frames):
        scores = stream.push(["a"], predictor.describe_frames(frame[None]))
        assert bool(scores) == (number >= length - 1)
        found += scores.values()
    windows = [frames[i : i + length] for i in range(LENGTH - length + 1)]
    whole = [np.array(y) for y in network(np.stack(windows), training=False)]
    expected = np.stack(whole[-len(predictor.names) :], axis=1)
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(np.stack(found), expected, rtol=0, atol=1e-5)


def describe(*colours):
    """A description of each of some frames of numbers."""
    crops = [np.sin(colour + np.arange(12.0)).reshape(2, 2, 3) for colour in colours]
    return TinyPredictor().describe_frames(np.stack(crops))


def classify(*colours):
    """What `TinyPredictor` says of a clip of these frames, `(outputs, classes)`."""
    clip = [x[None].astype(np.float32) for x in describe(*colours)]
    return TinyPredictor().classify(*clip)[:, 0]


def run(stream, people):
    """Pushes frames, {key: colour} each; returns what each push returns."""
    return [
        stream.push(list(seen), describe(*seen.values()) if seen else [])
        for seen in people
    ]


def test_a_window_takes_every_second_frame_and_comes_every_third():
    stream = ActionStream(TinyPredictor(), step=2, every=3)
    assert stream.span == 2 * (CLIP - 1) + 1 == 7
    found = run(stream, [{"a": number} for number in range(14)])
    assert [n for n, scores in enumerate(found) if scores] == [6, 9, 12]
    for end in (6, 9, 12):
        expected = classify(end - 6, end - 4, end - 2, end)
        np.testing.assert_allclose(found[end]["a"], expected, atol=1e-6)


def test_early_scores_are_padded_by_the_first_frame():
    found = run(ActionStream(TinyPredictor(), early=True), [{7: 1.0}, {7: 2.0}])
    np.testing.assert_allclose(found[0][7], classify(1, 1, 1, 1), atol=1e-6)
    np.testing.assert_allclose(found[1][7], classify(1, 1, 1, 2), atol=1e-6)


def test_people_come_and_go_and_all_windows_go_through_the_head_at_once():
    predictor, sizes = TinyPredictor(), []
    stream, run_head = ActionStream(predictor), predictor.classify
    predictor.classify = lambda *x: (sizes.append(len(x[0])), run_head(*x))[1]
    people = [{"a": n, **({"b": 10 + n} if n > 1 else {})} for n in range(7)]
    found = run(stream, people)
    assert sizes == [1, 1, 2, 2]
    np.testing.assert_allclose(found[5]["b"], classify(12, 13, 14, 15), atol=1e-6)
    np.testing.assert_allclose(found[6]["a"], classify(3, 4, 5, 6), atol=1e-6)


def test_frames_without_the_person_repeat_the_last_one():
    seen = [{"a": 0}, {"a": 1}, {}, {"b": 5}, {"a": 4}]
    found = run(ActionStream(TinyPredictor()), seen)
    assert not any(found[:4])
    np.testing.assert_allclose(found[4]["a"], classify(1, 1, 1, 4), atol=1e-6)


def test_who_was_away_for_a_window_begins_anew_and_rows_are_used_again():
    stream = ActionStream(TinyPredictor())
    away = [{"a": n} for n in range(4)] + [{}] * (CLIP - 1) + [{"a": 9}] * CLIP
    found = run(stream, away)
    assert [bool(scores) for scores in found] == [n in (3, 10) for n in range(11)]
    stream.drop("a")
    stream.drop("never seen")
    assert run(stream, [{"a": 1}]) == [{}]
    run(stream, [{number: 0, number + 1: 0} for number in range(40)])
    assert {len(ring) for ring in stream._rings} == {8}


def test_a_window_that_moves_does_not_make_the_person_move():
    poses = np.random.default_rng(0).uniform(0, 200, (1, CLIP, 2, 3))
    boxes = np.array(
        [[0, 0, 50, 40], [9, 5, 50, 40], [7, 7, 25, 20], [3, 2, 100, 80.0]]
    )
    inside = poses - [0, 0, 100]
    inside[..., :2] = (poses[..., :2] - boxes[:, None, :2]) / boxes[:, None, 2:]
    inside[..., 2] = inside[..., 2] / boxes[:, None, 2] + 0.5
    found = reexpressed(inside.astype(np.float32), boxes[None])
    expected = (poses[..., :2] - [3, 2]) / [100, 80]
    np.testing.assert_allclose(found[..., :2], expected, atol=1e-5)
    np.testing.assert_allclose(found[..., 2], poses[..., 2] / 100 - 0.5, atol=1e-5)
    same = np.repeat(boxes[None, :1], CLIP, axis=1)
    assert reexpressed(inside.astype(np.float32), same).tobytes() == (
        inside.astype(np.float32).tobytes()
    )


def test_a_stream_re_expresses_poses_and_nothing_else():
    stream, pose = ActionStream(TinyPredictor()), describe(3)[0][0]
    for number in range(CLIP):
        moved, zoom = 10.0 * number, 2.0**number
        window = Window((moved + zoom, zoom), (2 * zoom, 2 * zoom))
        inside = (pose * 2 + [0, 0] - [moved, 0]) / (2 * zoom)
        found = stream.push("a", [inside[None], *describe(3)[1:]], [window])
    clip = [np.repeat(x[None], CLIP, axis=1) for x in (inside[None], *describe(3)[1:])]
    expected = TinyPredictor().classify(*clip)[:, 0]
    np.testing.assert_allclose(found["a"], expected, atol=1e-6)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match=r"`every` must be at least 1.*every=0"):
        ActionStream(TinyPredictor(), every=0)
    assert ActionStream(TinyPredictor(), None).step == 1
    stream = ActionStream(TinyPredictor())
    with pytest.raises(ValueError, match=r"`keys` must differ.*\['a', 'a'\]"):
        stream.push(["a", "a"], describe(1, 2))
    with pytest.raises(ValueError, match="must be pose, confidence, features.* 1 keys"):
        stream.push(["a"], describe(1, 2))
    with pytest.raises(ValueError, match="1 keys, 2 windows"):
        stream.push(["a"], describe(1), [Window((1, 1), (2, 2))] * 2)
