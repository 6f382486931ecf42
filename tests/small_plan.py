"""A plan of small commands, to be run, stopped and run again.

    python tests/small_plan.py OUT

runs it in OUT. The commands note in OUT/began.txt that they began.
"""

import logging
import pathlib
import sys

from deephar.plans import Plan, Step, run

WORK = """
import pathlib, sys, time
out, name, made, *rest = sys.argv[1:]
with open(f"{out}/began.txt", "a") as file:
    file.write(" ".join([name, *[w for w in rest if w.startswith("-")]]) + "\\n")
read = [pathlib.Path(p) for p in rest if not p.startswith("-")]
if (pathlib.Path(out) / f"fail_{name}").exists():
    sys.exit("something is wrong with " + name)
if (pathlib.Path(out) / f"slow_{name}").exists():
    print("slow now", flush=True)
    time.sleep(float((pathlib.Path(out) / f"slow_{name}").read_text()))
pathlib.Path(made).parent.mkdir(exist_ok=True)
pathlib.Path(made).write_text(name + "".join(p.read_text()[:1] for p in read))
"""


def make_plan(out, *extra) -> Plan:
    """data -> train -> score; other; page of score and other.

    Args:
        out: folder of the plan; input.txt beside it is what data needs.
        *extra: further arguments of `other`.
    """
    out = pathlib.Path(out).resolve()
    root = out.parent
    (root / "work.py").write_text(WORK)

    def step(name, needs=(), more=(), **options):
        made = out / "made" / name
        command = ("work.py", out, name, made, *needs, *more)
        return Step(name, f"makes {name}", command, tuple(needs), (made,), **options)

    data = step("data", [root / "input.txt"])
    train = step("train", data.makes, resumes=True)
    score = step("score", train.makes)
    other = step("other", more=extra, takes=2)
    page = step("page", gathers=(*score.makes, *other.makes))
    steps = (data, train, score, other, page)
    return Plan(steps, out, root, {root / "input.txt": "written by hand"})


def began(out) -> list[str]:
    """The commands that began so far, and their flags."""
    path = pathlib.Path(out) / "began.txt"
    return path.read_text().splitlines() if path.exists() else []


def place(folder) -> pathlib.Path:
    """The folder, in another one, of a plan that was not run yet."""
    (folder / "input.txt").write_text("one")
    (folder / "out").mkdir()
    return folder / "out"


def run_all(out, *extra, only=(), skip=()):
    """Runs the plan; what came of each step, by name."""
    plan = make_plan(out, *extra)
    outcomes = run(plan, plan.choose(only, skip))
    return {outcome.step.name: outcome.state for outcome in outcomes}


def news(out, *extra, **chosen):
    """Runs the plan; which commands began."""
    before = len(began(out))
    run_all(out, *extra, **chosen)
    return began(out)[before:]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    plan = make_plan(sys.argv[1])
    run(plan, list(plan.steps))
