"""Plans: what is done is not repeated, what failed or was stopped goes on later."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest
import small_plan
from small_plan import began, make_plan, news, run_all

from deephar.plans import Plan, Step, clock, foresee, plan_page, run
from deephar.plans.lock import alone

ALL = ["data", "train --overwrite", "score", "other", "page"]


@pytest.fixture
def out(tmp_path):
    """The folder of a plan that was not run yet."""
    return small_plan.place(tmp_path)


def test_what_is_done_is_not_run_again(out):
    assert set(run_all(out).values()) == {"done"}
    assert began(out) == ALL
    times = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.parent.name == "made"}
    assert len(times) == 5 and news(out) == []
    assert times == {path: path.stat().st_mtime_ns for path in times}
    assert (out / "made" / "page").read_text() == "pageso"


def test_what_reads_a_changed_file_runs_again_and_what_reads_equal_ones_does_not(out):
    run_all(out)
    (out.parent / "input.txt").write_text("two")
    assert news(out) == ["data", "train --overwrite"]
    (out.parent / "input.txt").write_text("three, of the same first letter")
    assert news(out) == ["data"]


def test_a_changed_command_and_a_changed_or_lost_output_run_again(out):
    run_all(out)
    assert news(out, "--more") == ["other --more"]
    (out / "made" / "score").write_text("by another hand")
    (out / "made" / "train").unlink()
    foreseen = foresee(make_plan(out), [])
    reasons = {outcome.step.name: outcome.verdict.why for outcome in foreseen}
    assert reasons["train"] == "OUT/made/train is not what it wrote"
    assert news(out, "--more") == ["train --overwrite", "score"]


def test_a_plan_that_was_moved_is_still_done(out):
    run_all(out)
    moved = out.rename(out.with_name("moved"))
    assert news(moved) == []


def test_a_failure_leaves_the_rest_alone_and_is_shown(out, caplog):
    caplog.set_level("INFO")
    (out / "fail_train").touch()
    states = run_all(out)
    assert states == {
        **{"data": "done", "train": "failed", "score": "lacks"},
        **{"other": "done", "page": "done"},
    }
    assert "[ 2/5] train FAILED" in caplog.text
    assert "ended with status 1; log: out/logs/train.txt" in caplog.text
    assert "    | something is wrong with train" in caplog.text
    assert "[ 3/5] score not run: train failed" in caplog.text
    assert (out / "made" / "page").read_text() == "pageo"
    (out / "fail_train").unlink()
    assert news(out) == ["train --resume", "score", "page"]


def test_a_command_that_does_not_write_what_it_should_has_failed(out, caplog):
    command = ("-c", "print('well')")
    steps = (Step("idle", "does nothing", command, makes=(out / "made" / "idle",)),)
    (outcome,) = run(Plan(steps, out, out.parent), steps)
    assert outcome.state == "failed"
    assert "made/idle: was not written, but the command ended well" in caplog.text


def test_what_is_missing_is_told_with_its_source_and_the_rest_is_run(out):
    (out.parent / "input.txt").unlink()
    states = run_all(out)
    assert [name for name, state in states.items() if state == "lacks"] == [
        *("data", "train", "score")
    ]
    plan = make_plan(out)
    page = plan_page(plan, foresee(plan, list(plan.steps)))
    assert "\ninput.txt is missing" in page and "written by hand" in page
    assert "for data" in page and "for data, train" not in page
    assert page.count("done ") == 2 and "2 done" in page


def test_what_is_there_but_is_another_file_is_not_used(out):
    plan = make_plan(out)
    plan = dataclasses.replace(plan, spoilt={out.parent / "input.txt": "is of 1999"})
    outcomes = run(plan, list(plan.steps[:1]))
    assert outcomes[0].state == "lacks"
    assert "input.txt is of 1999" in plan_page(plan, outcomes)


def test_a_plan_can_be_shown_without_doing_anything(out):
    plan = make_plan(out)
    before = sorted(out.rglob("*"))
    page = plan_page(plan, foresee(plan, list(plan.steps)))
    assert sorted(out.rglob("*")) == before
    assert "to do    train             makes train (after data)" in page
    assert "makes other (was not run yet; about 2 min)" in page
    assert "python work.py out data out/made/data input.txt" in page
    assert page.endswith("5 to do")


def test_steps_are_chosen_by_name_with_what_they_need(out):
    assert news(out, only=["tr*"]) == ["data", "train --overwrite"]
    assert news(out, only=["score", "data"], skip=["data"]) == ["score"]
    states = run_all(out, skip=["other", "page"])
    assert states["other"] == "left out"
    with pytest.raises(ValueError, match="--only must name steps.*Received: sc0re"):
        make_plan(out).choose(["sc0re"])


def test_what_needs_a_step_that_is_left_out_says_so(out, caplog):
    caplog.set_level("INFO")
    assert run_all(out, only=["score"], skip=["train"])["score"] == "lacks"
    assert "score not run: train was left out" in caplog.text


def test_a_plan_must_be_in_order_and_write_to_its_folder(out):
    plan = make_plan(out)
    with pytest.raises(ValueError, match="Received: score before train"):
        dataclasses.replace(plan, steps=(plan.steps[0], *plan.steps[2:], plan.steps[1]))
    with pytest.raises(ValueError, match="names of their own: data"):
        dataclasses.replace(plan, steps=(plan.steps[0], plan.steps[0]))
    with pytest.raises(ValueError, match="must write to .*elsewhere"):
        dataclasses.replace(plan, out=out / "elsewhere")


def test_two_runs_do_not_work_in_one_folder(out):
    with alone(out / "lock"):
        with pytest.raises(OSError, match=f"works there .process {os.getpid()}"):
            run_all(out)
    assert news(out) == ALL


def _start(out):
    """Starts the plan in a process of its own; returns when its train is at work."""
    process = subprocess.Popen(
        [sys.executable, small_plan.__file__, str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log = out / "logs" / "train.txt"
    while process.poll() is None and not (log.exists() and log.read_text()):
        time.sleep(0.05)
    return process


def test_a_stopped_run_ends_its_step_and_goes_on_later(out):
    (out / "slow_train").write_text("600")
    process = _start(out)
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate()
    assert process.returncode not in (0, None), text
    assert "ending train" in text
    (out / "slow_train").unlink()
    assert news(out) == ["train --resume", *ALL[2:]]


def test_a_step_that_outlives_a_killed_run_is_waited_for(out, caplog):
    caplog.set_level("INFO")
    (out / "slow_train").write_text("1")
    process = _start(out)
    process.kill()
    process.communicate()
    (out / "slow_train").unlink()
    assert news(out) == ["train --resume", *ALL[2:]]
    assert "waiting for the step train of a run that was killed" in caplog.text


def test_times_are_short():
    assert [clock(s) for s in (0, 59.6, 3599, 3661)] == [
        *("0:00", "1:00", "59:59", "1:01:01")
    ]


def test_a_terminal_shows_time_and_the_end_of_the_log(out, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    (out / "slow_train").write_text("1.2")
    run_all(out, only=["train"])
    shown = [line.strip() for line in capsys.readouterr().err.split("\r")]
    assert "0:01  slow now" in shown and shown[-2:] == ["", ""]


def _run_words(out, words):
    """Runs one command of Python words; its log."""
    steps = (Step("one", "says something", ("-c", words)),)
    (outcome,) = run(Plan(steps, out, out.parent), steps)
    return outcome.state, (out / "logs" / "one.txt").read_text()


NOISE = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795284735.349632   10172 port.cc:153] oneDNN custom operations are on.
I0000 00:00:1795284735.350028   10172 cudart_stub.cc:31] Could not find cuda drivers
2026-11-21 18:00:00.123456: I tensorflow/core/cpu_feature_guard.cc:210] optimized
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow
E0000 00:00:1795284741.413893   10172 cuda_platform.cc:52] failed call to cuInit: 303
"""


def test_the_shown_end_of_a_log_is_without_tensorflows_start(out, caplog):
    words = f"import sys; print({NOISE!r} * 4); sys.exit('E1: out of memory')"
    state, log = _run_words(out, words)
    assert state == "failed" and log.count(NOISE) == 4
    assert caplog.messages[-1] == "    | E1: out of memory"


@pytest.mark.parametrize("given, seen", [(None, "3"), ("1", "1")])
def test_steps_run_tensorflow_quietly_unless_told_otherwise(
    given, seen, out, monkeypatch
):
    name = "TF_CPP_MIN_LOG_LEVEL"
    monkeypatch.delenv(name, raising=False)
    if given is not None:
        monkeypatch.setenv(name, given)
    words = f"import os; print(os.environ['{name}'], 'HOME' in os.environ)"
    monkeypatch.setenv("HOME", str(out))
    assert _run_words(out, words) == ("done", f"{seen} True\n")
