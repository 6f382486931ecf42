"""Plans: what begins anew finds nothing of before, and what is gone undoes nothing."""

import shutil

import pytest
import small_plan
from small_plan import make_plan, news, run_all

from deephar.plans import Extra, Plan, Step, foresee, plan_page, run, steps
from deephar.utils.fs import write_json

TRAIN = """
import pathlib, sys
folder, seed, flag = sys.argv[1:]
folder = pathlib.Path(folder)
folder.mkdir(parents=True, exist_ok=True)
state = folder / "checkpoints" / "state"
if flag == "--resume" and state.exists() and state.read_text() != seed:
    sys.exit("--seed was " + state.read_text())
state.parent.mkdir(exist_ok=True)
state.write_text(seed)
(folder / "weights").write_text(seed)
"""


@pytest.fixture
def out(tmp_path):
    """The folder of a plan that was not run yet."""
    return small_plan.place(tmp_path)


def training(out, seed):
    """A plan of one training, which goes on from its checkpoint, with its own seed."""
    (out.parent / "train.py").write_text(TRAIN)
    folder = out / "training"
    command = ("train.py", folder, seed)
    made = (folder / "weights",)
    step = Step("train", "trains", command, makes=made, resumes=True, folder=folder)
    return Plan((step,), out, out.parent)


def trained(out, seed):
    """Runs it; what came of it."""
    plan = training(out, seed)
    (outcome,) = run(plan, plan.steps)
    return outcome.state


def test_a_training_of_another_command_that_is_stopped_at_once_is_not_stuck(out):
    assert trained(out, "0") == "done"
    plan = training(out, "1")
    (step,) = plan.steps
    plan.begin(step, plan.judge(step))
    assert not list((out / "training").iterdir())
    assert plan.judge(step).goes_on
    assert trained(out, "1") == "done"
    assert (out / "training" / "weights").read_text() == "1"


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_stop_while_the_old_training_is_removed_leaves_none_that_goes_on(
    seed, out, monkeypatch
):
    trained(out, "0")
    (out / "training" / "weights").unlink()
    plan = training(out, "0")
    plan.begin(plan.steps[0], steps.Verdict("to do", goes_on=True))
    assert plan.judge(plan.steps[0]).goes_on

    def stop(folder):
        raise KeyboardInterrupt

    plan = training(out, "1")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(steps, "_empty", stop)
        plan.begin(plan.steps[0], plan.judge(plan.steps[0]))
    verdict = training(out, seed).judge(plan.steps[0])
    assert (verdict.why, verdict.goes_on) == ("was not run yet", False)
    assert trained(out, seed) == "done"


def test_a_folder_that_no_stamp_speaks_of_is_left_as_it_is(out, caplog):
    (out / "training").mkdir()
    (out / "training" / "mine").touch()
    assert [trained(out, "0"), trained(out, "0")] == ["failed", "failed"]
    assert "out/training: holds files, but there is no stamp of train" in caplog.text
    assert (out / "training" / "mine").exists()
    shutil.rmtree(out / "training")
    assert trained(out, "0") == "done"


def test_what_links_lead_to_is_not_removed(out, tmp_path):
    trained(out, "0")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (out / "training" / "link").symlink_to(tmp_path / "mine")
    assert trained(out, "1") == "done"
    assert not (out / "training" / "link").is_symlink()
    assert (tmp_path / "mine" / "file").exists()


@pytest.mark.parametrize("folder", [".", "made", "../elsewhere"])
def test_a_steps_folder_is_its_own(folder, out):
    made = [out / "made" / name for name in "ab"]
    first = Step("a", "", (), makes=(made[0],), folder=(out / folder).resolve())
    with pytest.raises(ValueError, match="`folder` of a must lie below .*/out, and no"):
        Plan((first, Step("b", "", (), makes=(made[1],))), out, out.parent)


def test_what_is_done_stays_done_when_what_it_read_is_removed(out, caplog):
    caplog.set_level("INFO")
    run_all(out)
    (out.parent / "input.txt").unlink()
    (out / "made" / "train").unlink()
    plan = make_plan(out)
    page = plan_page(plan, foresee(plan, plan.choose(skip=["train"])))
    assert "done     data              makes data (input.txt is gone)" in page
    assert "done     score             makes score (out/made/train is gone)" in page
    assert "is missing" not in page
    assert news(out, skip=["train"]) == []
    assert "score is done already (out/made/train is gone)" in caplog.text
    assert (out / "made" / "page").read_text() == "pageso"


def test_what_is_done_stays_done_when_what_it_needs_cannot_be_made_again(out):
    run_all(out)
    (out / "made" / "train").unlink()
    (out / "fail_train").touch()
    states = run_all(out)
    assert (states["train"], states["score"], states["page"]) == (
        *("failed", "done", "done"),
    )
    assert (out / "made" / "page").read_text() == "pageso"


def test_what_read_another_file_is_not_done_and_what_lost_its_own_is_not(out):
    run_all(out)
    (out.parent / "input.txt").unlink()
    (out / "made" / "data").unlink()
    assert run_all(out)["data"] == "lacks"
    (out.parent / "input.txt").write_text("two")
    assert news(out) == ["data", "train --overwrite"]


def with_extra(out):
    """A plan of one step, with further arguments where more.txt is."""
    more, made = out.parent / "more.txt", out / "made" / "one"
    more = Extra(("--more", more), (more,))
    command = ("work.py", out, "one", made)
    needs = (out.parent / "input.txt",)
    step = Step("one", "makes one", command, needs, (made,), extras=(more,))
    make_plan(out)
    return Plan((step,), out, out.parent, {more.needs[0]: "written by hand"})


def test_what_need_not_be_there_is_used_when_it_comes_and_may_go(out):
    more = out.parent / "more.txt"

    def state():
        plan = with_extra(out)
        (outcome,) = run(plan, plan.steps)
        assert outcome.state == "done"
        return (out / "began.txt").read_text(), plan_page(plan, foresee(plan, ()))

    began, page = state()
    assert began == "one\n" and "makes one (without more.txt)" in page
    assert "more.txt is missing\n         for one (a part of it)\n" in page
    assert page.endswith("written by hand")
    more.write_text("m")
    assert with_extra(out).judge(with_extra(out).steps[0]).why == (
        "its command is another than it was"
    )
    began, page = state()
    assert began == "one\none --more\n" and "without" not in page
    more.unlink()
    began, page = state()
    assert began == "one\none --more\n"
    assert "makes one (more.txt is gone)" in page and "missing" not in page
    more.write_text("n")
    assert state()[0].endswith("one --more\none --more\n")
    more.unlink()
    (out / "made" / "one").unlink()
    assert state()[0].endswith("--more\none\n")


def test_an_empty_stamp_is_that_of_a_step_that_was_not_run(out):
    trained(out, "0")
    write_json(out / "stamps" / "train.json", {})
    plan = training(out, "0")
    assert plan.judge(plan.steps[0]).why == "was not run yet"
    assert trained(out, "0") == "done"
