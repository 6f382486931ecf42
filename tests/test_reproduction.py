"""What there is to reproduce: commands that scripts take, and sources of files."""

import dataclasses
import shutil
import sys

import pytest
from scripts import REPOSITORY, load

from deephar import experiment, plans
from deephar.checkpoints import KNOWN
from deephar.experiment import from_nothing, reproduction
from deephar.plans.lock import alone


@pytest.fixture
def places(tmp_path):
    """Folders of which none is there yet."""
    folders = [tmp_path / name for name in ("out", "datasets", "weights")]
    return reproduction.Places(REPOSITORY, *folders)


class Parsed(Exception):
    """Raised where a script would begin to work."""


def begin(*_, **__):
    raise Parsed


@pytest.fixture
def parses(monkeypatch):
    """Whether a script takes a command line, up to the point where it would begin."""
    monkeypatch.setattr("deephar.experiment.run.open_run", begin)
    monkeypatch.setattr("deephar.experiment.training.open_run", begin)
    monkeypatch.setattr("deephar.data.synthetic.command.generate", begin)
    scripts = {}

    def parse(script, *flags):
        monkeypatch.setattr(sys, "argv", [script, *flags])
        if script not in scripts:
            scripts[script] = load(script)
        module = scripts[script]
        if hasattr(module, "parse"):
            return module.parse(list(flags))
        with pytest.raises(Parsed):
            module.main(list(flags))

    return parse


@pytest.mark.parametrize("size", from_nothing.SIZES)
def test_the_scripts_take_the_commands_of_the_generated_plan(size, places, parses):
    plan = from_nothing.generated(places, size)
    for step in plan.steps:
        more = step.gathers[:1]
        parses(*plan.arguments(step, more), *["--resume"] * step.resumes)
    assert {step.name for step in plan.steps} >= set(from_nothing.SIZES[size])
    assert plan.steps[-1].gathers


def test_the_scripts_take_the_commands_of_the_papers_plan(places, parses):
    plan = reproduction.published(places)
    for step in plan.steps:
        parses(*plan.arguments(step, step.gathers[:1]))
    files = {path.name for step in plan.steps for path in step.needs}
    assert files >= {published.file for published in KNOWN.values()}


def test_all_that_is_missing_has_a_source(places):
    plan = reproduction.published(places)
    outcomes = plans.foresee(plan, list(plan.steps))
    assert {outcome.state for outcome in outcomes} == {"lacks"}
    page = plans.plan_page(plan, outcomes)
    assert page.count(" is missing") == len(plan.sources)
    assert "v0.1/weights_PE_MPII_cvpr18_19-09-2017.h5" in page
    assert "md5 d6b85ba4b8a3fc9d05c8ad73f763d999, about 59 MB" in page
    assert "by a browser" in page
    assert "v0.3/penn_pred_bboxes_16f.json (md5 30b124a9" in page
    assert "see datasets/NTU/README.md" in page


def test_weights_of_another_content_than_published_are_not_used(places):
    places.weights.mkdir()
    (places.weights / KNOWN["mpii"].file).write_bytes(b"broken off")
    plan = reproduction.published(places)
    page = plans.plan_page(plan, plans.foresee(plan, list(plan.steps)))
    path = places.weights / KNOWN["mpii"].file
    md5 = "6e4b770fb45a09a1197cee06e84e2db7"
    assert f"{path} has the md5 {md5}, not that of the published" in page


def test_the_authors_boxes_are_used_with_their_annotations_alone(places):
    folder = places.datasets / "PennAction"
    folder.mkdir(parents=True)
    (folder / "annotations.mat").write_bytes(b"made here")
    (folder / reproduction.BOXES).write_bytes(b"theirs")
    plan = reproduction.published(places)
    (reason,) = plan.spoilt.values()
    assert reason == "counts videos as the authors' annotations.mat, not this one"


def fill(*paths):
    """Makes files; folders, of names without a dot, with a file in each."""
    for path in paths:
        path = path if path.suffix else path / "0001.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)


def finish(plan, step):
    """Does as if a step had been run."""
    (plan.out / "stamps").mkdir(parents=True, exist_ok=True)
    plan.begin(step, plan.judge(step))
    fill(*step.makes)
    plan.finish(step, 1)


def named(plan, name):
    """The step of a name."""
    return next(step for step in plan.steps if step.name == name)


OPTIONAL = [
    ("penn_spnet", "PennAction", "mpii", "MPII"),
    ("speed", "PennAction", "mpii", "MPII"),
    ("ntu_spnet", "NTU", "h36m", "Human3.6M"),
]


@pytest.mark.parametrize("name, data, flag, further", OPTIONAL)
def test_spnet_is_scored_without_the_data_of_poses_and_again_when_they_come(
    name, data, flag, further, places, parses
):
    plan = dataclasses.replace(reproduction.published(places), spoilt={})
    step = named(plan, name)
    parts = reproduction.DATA
    fill(step.needs[0], *(places.datasets / data / p for p in parts[data]))
    assert plan.judge(step).why == "was not run yet"
    assert f"--{flag}" not in plan.arguments(step)
    parses(*plan.arguments(step))
    finish(plan, step)
    assert plan.judge(step).state == "done"
    fill(*(places.datasets / further / p for p in parts[further]))
    assert plan.judge(step).state == "to do"
    args = parses(*plan.arguments(step))
    assert getattr(args, flag) == str(places.datasets / further)
    finish(plan, step)
    shutil.rmtree(places.datasets)
    assert plan.judge(step).state == "done"


@pytest.mark.parametrize("name", ["mpii", "h36m", "penn", "ntu"])
def test_drawn_data_whose_pictures_are_removed_are_drawn_again(name, places):
    plan = from_nothing.generated(places)
    step = named(plan, f"{name}_data")
    finish(plan, step)
    assert plan.judge(step).state == "done"
    labels, pictures = step.makes
    shutil.rmtree(pictures)
    assert (
        plan.judge(step).why == f"OUT/data/{name}/{pictures.name} is not what it wrote"
    )
    users = [s for s in plan.steps if labels in s.needs]
    assert len(users) >= 3 and all(pictures in user.needs for user in users)


def test_all_steps_have_folders_of_their_own(places):
    for plan in (reproduction.published(places), from_nothing.generated(places)):
        folders = [step.folder for step in plan.steps]
        assert len({*folders} - {None}) == len(plan.steps)
        assert all(p.parent == s.folder for s in plan.steps for p in s.makes)


def test_every_readme_that_is_named_is_there():
    for data in reproduction.DATA:
        assert (REPOSITORY / "datasets" / data / "README.md").is_file()


def test_the_script_shows_its_plan_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    load("exp/reproduce.py").main(["out", "--generated", "--plan"])
    page = capsys.readouterr().out
    assert "to do    mpii_pose" in page
    assert f"{tmp_path}/out/training/mpii_pose" in page
    assert not list(tmp_path.iterdir())


def test_a_second_run_ends_in_a_message_and_leaves_the_log_of_the_first(
    tmp_path, capsys, quiet
):
    script = load("exp/reproduce.py")
    out, flags = tmp_path / "out", ["--only", "tables"]
    script.main([str(out), *flags])
    log = (out / "log.txt").read_text()
    assert "tables not run: there is nothing to gather yet" in log
    assert log in capsys.readouterr().out
    with alone(out / "lock"), pytest.raises(SystemExit, match="another run works"):
        experiment.run_script(lambda: script.main([str(out), *flags]))
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    assert (out / "log.txt").read_text() == log


def test_flags_that_do_not_go_together_are_refused(capsys):
    parse = load("exp/reproduce.py").parse
    with pytest.raises(SystemExit):
        parse(["--size", "tiny"])
    assert "--size and --seed are for --generated" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse(["--generated", "--weights", "w"])
    assert "for what is not --generated" in capsys.readouterr().err
