"""States of a training on disk: whole or passed over."""

import errno
import logging
import math

import numpy as np
import pytest

from deephar.checkpoints.state import read_state, write_state


def write(folder, epoch, step=0):
    arrays = {"a": np.arange(1000.0) + epoch, "b": np.array(step, np.int64)}
    return write_state(folder, epoch, step, arrays, {"loss": math.nan, "x": 0.1})


def test_a_state_comes_back_as_it_was(tmp_path):
    write(tmp_path / "new", 2, 7)
    arrays, record = read_state(tmp_path / "new")
    np.testing.assert_array_equal(arrays["a"], np.arange(1000.0) + 2)
    assert arrays["b"] == 7
    assert (record["epoch"], record["step"], record["x"]) == (2, 7, 0.1)
    assert math.isnan(record["loss"])


def test_a_folder_keeps_the_last_two(tmp_path):
    (tmp_path / ".state-00000-0000007.npz.part").write_text("half, by a death")
    for place in ((0, 0), (0, 5), (0, 10), (1, 0)):
        last = write(tmp_path, *place)
    assert last.name == "state-00001-0000000.npz"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["state-00000-0000010.npz", "state-00001-0000000.npz"]


def test_no_state_is_none(tmp_path):
    assert read_state(tmp_path / "nowhere") is None


def damage_end(path):
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - 100)


def damage_middle(path):
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [damage_end, damage_middle])
def test_a_damaged_state_is_passed_over_which_the_log_says(tmp_path, caplog, damage):
    write(tmp_path, 1)
    damage(write(tmp_path, 2))
    with caplog.at_level(logging.WARNING):
        _, record = read_state(tmp_path)
    assert record["epoch"] == 1
    assert "a damaged checkpoint is passed over" in caplog.text
    assert "state-00002-0000000.npz" in caplog.text


def test_a_damaged_state_does_not_take_the_place_of_a_whole_one(tmp_path):
    write(tmp_path, 1)
    damage_end(write(tmp_path, 3))
    write(tmp_path, 1, 5)
    damage_end(write(tmp_path, 2))
    assert read_state(tmp_path)[1]["step"] == 5


def test_only_damaged_states_are_an_error(tmp_path):
    damage_end(write(tmp_path, 1))
    with pytest.raises(OSError, match=r"no checkpoint can be read: .*state-00001"):
        read_state(tmp_path)


def test_a_state_that_cannot_be_written_leaves_those_before(tmp_path, monkeypatch):
    write(tmp_path, 1)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["state-00001-0000000.npz"]
