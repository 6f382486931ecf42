"""The speed scripts, run as a user does, at the smallest size."""

import sys

import pytest
from scripts import load

common = load("exp/benchmark/common.py")


def test_ratios_are_taken_pair_by_pair():
    found = [
        ({"a_s": 2.0, "b_per_s": 10}, {"a_s": 1.0, "b_per_s": 5}),
        ({"a_s": 9.0, "b_per_s": 10}, {"a_s": 3.0, "b_per_s": 20}),
        ({"a_s": 4.0, "b_per_s": 10}, {"a_s": 4.0, "b_per_s": 10}),
    ]
    assert common.ratios(found) == {
        "a_s": {"median": 2.0, "lowest": 1.0, "highest": 3.0},
        "b_per_s": {"median": 1.0, "lowest": 0.5, "highest": 2.0},
    }


def test_only_figures_that_both_have_are_compared():
    ours = {"a_s": 2.0, "name": "x", "none": None, "zero_s": 0, "on": True, "c_s": 1}
    found = [(ours, {**ours, "c_s": "slow"})] * 2
    assert list(common.ratios(found)) == ["a_s"]


def test_times_leave_out_the_first_call_and_the_warm_up(monkeypatch):
    clock = iter([0, 9, 10, 15, 20, 21, 30, 32, 40, 47])
    monkeypatch.setattr(common.time, "perf_counter", lambda: next(clock))
    times = common.seconds(lambda: None, repeat=3, warm=1)
    assert times == {"first": 9, "median": 2, "fastest": 1, "slowest": 7}


def test_a_table_has_columns():
    rows = [("forward_s", 0.123456), ("pictures_per_s", 123456.7), ("who", "me")]
    assert common.table(rows).splitlines() == [
        "forward_s       0.1235",
        "pictures_per_s  123457",
        "who             me",
    ]


def test_a_command_that_speaks_json_is_compared_by_figures_another_by_wall_time():
    speak = [sys.executable, "-c", "print('hello'); print('{\"figures\": {\"a\": 6}}')"]
    result = common.compare([*speak, *"1234"], 'echo \'{"a": 3, "b": 2}\'', pairs=2)
    assert result["ratios"]["a"] == {"median": 2.0, "lowest": 2.0, "highest": 2.0}
    assert list(result["ratios"]) == ["a", "wall_s"]
    mute = common.compare([*speak, *"1234"], "true", pairs=1)
    assert list(mute["ratios"]) == ["wall_s"]


def test_a_command_that_fails_ends_the_comparison():
    with pytest.raises(ValueError, match="echo no; false: ended with status 1: no"):
        common.compare(["true"], "echo no; false", pairs=1)
