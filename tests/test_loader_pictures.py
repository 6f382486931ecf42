"""BatchLoader where pictures cannot be read: an error, the next sample, or a mark."""

import contextlib
import gc
import logging
import weakref

import numpy as np
import pytest
from test_loader import CONFIG, equal, pose_loader, stream_of
from tiny_mpii import write_tiny_mpii

from deephar.data import MpiiSinglePerson, PictureError
from deephar.utils.modes import TRAIN_MODE, VALID_MODE


@pytest.fixture
def broken(tmp_path):
    """Training picture 2 and validation picture 1 are cut short."""
    folder = write_tiny_mpii(tmp_path / "MPII", 5, 3)
    for name in ("t2.jpg", "v1.jpg"):
        path = folder / "images" / name
        path.write_bytes(path.read_bytes()[:900])
    return MpiiSinglePerson(folder, CONFIG)


def test_an_unreadable_picture_is_an_error_by_default(broken):
    batches = pose_loader(broken, VALID_MODE, shuffle=False)
    with pytest.raises(PictureError, match=r"v1\.jpg"):
        batches[0]
    assert batches.take_errors() == {}


def test_tf_data_raises_what_went_wrong_as_it_was(broken):
    batches = pose_loader(broken, VALID_MODE, shuffle=False)
    stream = iter(batches.as_dataset(0, 2, workers=2))
    with pytest.raises(PictureError, match=r"cannot read the picture .*v1\.jpg"):
        batches.next_batch(stream)


def test_an_error_does_not_outlive_its_handling_nor_keep_the_stream(broken):
    batches = pose_loader(broken, VALID_MODE, shuffle=False)
    stream = iter(batches.as_dataset(0, 2, workers=2))
    known = weakref.ref(stream)
    gc.disable()
    try:
        with contextlib.suppress(PictureError):
            batches.next_batch(stream)
        del stream
        assert known() is None
    finally:
        gc.enable()


def test_training_takes_the_next_sample_for_an_unreadable_one(broken, caplog):
    keys = ["pose", "keypoints", "readable"]
    batches = pose_loader(broken, keys=keys, shuffle=False, on_error="skip")
    _, (_, keypoints, readable) = batches.get_batch(0, 1)
    assert (readable == 1).all()
    assert np.array_equal(keypoints[0], keypoints[1])
    assert np.array_equal(keypoints[0], broken.get_data(3, TRAIN_MODE)["keypoints"])
    (path, message), *others = batches.take_errors().items()
    assert path.endswith("t2.jpg") and path in message and not others
    assert batches.take_errors() == {}


def test_skipping_gives_the_same_stream_for_any_number_of_workers(broken):
    one, four = (
        stream_of(pose_loader(broken, on_error="skip"), 1, 6, workers)
        for workers in (1, 4)
    )
    assert all(equal(a, b) for a, b in zip(one, four, strict=True))


def test_skipping_gives_up_where_nothing_can_be_read(broken):
    for path in (broken.picture(i, TRAIN_MODE) for i in range(5)):
        with open(path, "wb"):
            pass
    batches = pose_loader(broken, on_error="skip")
    with pytest.raises(OSError, match=r"5 samples in a row.*t\d\.jpg"):
        batches[0]


def test_evaluation_marks_an_unreadable_picture_and_keeps_its_labels(broken):
    keys = ["keypoints", "readable"]
    batches = pose_loader(
        broken, VALID_MODE, keys, shuffle=False, on_error="mark", seed=5
    )
    (frame,), (keypoints, readable) = batches[0]
    assert readable.tolist() == [[1], [0]]
    assert readable.dtype == np.float32
    assert (frame[1] == -1).all() and frame[0].max() > 0
    assert (keypoints[1] > 0).all()
    assert not np.array_equal(keypoints[0], keypoints[1])
    assert [path[-6:] for path in batches.take_errors()] == ["v1.jpg"]


def test_an_inner_loader_marks_its_own_pictures(broken):
    keys, options = ["readable"], {"shuffle": False, "on_error": "mark"}
    inner = pose_loader(broken, VALID_MODE, keys, **options)
    outer = pose_loader(inner, VALID_MODE, keys, **options)
    assert outer[0][1][0].tolist() == [[[1], [0]], [[1], [1]]]
    inner = pose_loader(broken, VALID_MODE, keys, shuffle=False)
    with pytest.raises(PictureError, match=r"v1\.jpg"):
        pose_loader(inner, VALID_MODE, keys, **options)[0]


def test_a_missing_picture_is_marked_too(broken, tmp_path):
    (tmp_path / "MPII" / "images" / "v0.jpg").unlink()
    batches = pose_loader(
        broken, VALID_MODE, ["readable"], shuffle=False, on_error="mark"
    )
    assert batches[0][1][0].tolist() == [[0], [0]]
    errors = batches.take_errors()
    assert any("no such picture" in message for message in errors.values())
    assert sorted(path[-6:] for path in errors) == ["v0.jpg", "v1.jpg"]


def test_unreadable_pictures_are_logged(broken, caplog):
    caplog.set_level(logging.DEBUG, "deephar.data")
    pose_loader(broken, VALID_MODE, on_error="skip")[0]
    assert "v1.jpg" in caplog.text


def test_an_outer_loader_hands_on_what_an_inner_one_marked(broken):
    inner = pose_loader(broken, VALID_MODE, ["pose"], shuffle=False, on_error="mark")
    expected = inner.get_data(0, VALID_MODE)["readable"]
    outer = pose_loader(inner, VALID_MODE, ["pose", "readable"], shuffle=False)
    _, (_, readable) = outer[0]
    assert 0 in expected
    np.testing.assert_array_equal(readable[0], expected)
