"""Runs a plan: one step after the other, stoppable at any moment, in one process only.

A step is a process of its own. Its output goes to its log; a stop reaches it, and its
children, too. Were this process killed without a word, a step at work would go on; it
holds the lock, so that the next run waits for it.
"""

import collections
import contextlib
import dataclasses
import logging
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from deephar.plans.lock import alone, hold
from deephar.plans.steps import DONE, LACKS, TO_DO, Plan, Step, Verdict

logger = logging.getLogger(__name__)

FAILED, LEFT_OUT = "failed", "left out"
"""What else can come of a step."""

_TAIL = 20
"""Lines of a log that are shown of a step that failed."""
_PATIENCE = 20
"""Seconds that a step has to end after Ctrl-C."""
_WIDTH = 100
_QUIET = "TF_CPP_MIN_LOG_LEVEL"
"""Steps get it as 3, errors that end them alone, unless it is set."""
_NOISE = re.compile(
    r"WARNING: All log messages before absl::InitializeLog"
    r"|To enable the following instructions: "
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IW] "
    r"|[IW]\d{4} \d\d:\d\d:\S+ +\d+ \S+\.cc:\d+\] "
    r"|E\d{4} .*(failed call to cuInit|Unable to register cu\w+ factory)"
)
"""What TensorFlow says of itself when it starts; why a step failed is not in it."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a step.

    Attributes:
        step: the step.
        verdict: DONE, before or now; LACKS, FAILED or LEFT_OUT; of what is foreseen
            also TO_DO.
    """

    step: Step
    verdict: Verdict

    @property
    def state(self) -> str:
        """The state of the verdict."""
        return self.verdict.state


def foresee(plan: Plan, chosen: Sequence[Step]) -> list[Outcome]:
    """What a run would do; changes nothing.

    Args:
        plan: the plan.
        chosen: those of its steps that would be run.
    """
    outcomes: dict[str, Outcome] = {}
    for step in plan.steps:
        verdict = _assess(plan, step, outcomes)
        outcomes[step.name] = Outcome(step, _if_chosen(verdict, step, chosen))
    return list(outcomes.values())


def run(
    plan: Plan, chosen: Sequence[Step], ready: Callable[[], None] | None = None
) -> list[Outcome]:
    """Runs what is not done of the chosen steps.

    A step that fails does not end the run; what needs its files is not run.

    Args:
        plan: the plan.
        chosen: those of its steps that are to be run.
        ready: called when no other run works in the plan's folder, before the steps.

    Returns:
        What came of every step of the plan.

    Raises:
        OSError: if another run works in the plan's folder, or it cannot be written to.
        KeyboardInterrupt: after Ctrl-C, or a signal that asks to end.
    """
    for folder in ("logs", "stamps"):
        (plan.out / folder).mkdir(parents=True, exist_ok=True)
    with _stoppable(), alone(plan.out / "lock") as lock:
        if ready is not None:
            ready()
        return _Run(plan, chosen, lock).steps()


class _Run:
    """A run under way."""

    def __init__(self, plan: Plan, chosen: Sequence[Step], lock):
        self.plan, self.chosen, self.lock = plan, chosen, lock
        self.outcomes: dict[str, Outcome] = {}
        self.begun = time.monotonic()

    def steps(self) -> list[Outcome]:
        for step in self.plan.steps:
            verdict = _assess(self.plan, step, self.outcomes)
            if verdict.state == TO_DO and step in self.chosen:
                verdict = self._run(step, verdict)
            elif verdict.state == LACKS and step in self.chosen:
                logger.info("%s not run: %s", self._place(step), verdict.why)
            elif step in self.chosen:
                remark = f" ({verdict.why})" if verdict.why else ""
                logger.info("%s is done already%s", self._place(step), remark)
            verdict = _if_chosen(verdict, step, self.chosen)
            self.outcomes[step.name] = Outcome(step, verdict)
        return list(self.outcomes.values())

    def _place(self, step: Step) -> str:
        number = self.chosen.index(step) + 1
        return f"[{number:2d}/{len(self.chosen)}] {step.name}"

    def _run(self, step: Step, verdict: Verdict) -> Verdict:
        place, log = self._place(step), self.plan.log_of(step)
        gathered = _gathered(self.plan, step, self.outcomes)
        what = "goes on" if verdict.goes_on else "begins"
        takes = "" if step.takes is None else f", about {step.takes:g} min"
        logger.info("%s %s (%s): %s%s", place, what, verdict.why, step.about, takes)
        logger.info("        %s", self.plan.line(step, gathered))
        try:
            command = self.plan.begin(step, verdict, gathered)
        except FileExistsError as error:
            logger.error("%s FAILED: %s", place, error)
            return Verdict(FAILED, str(error))
        start = time.monotonic()
        status = self._call(step, command, log, "ab" if verdict.goes_on else "wb")
        seconds = time.monotonic() - start
        try:
            if status != 0:
                raise OSError(f"its command ended with status {status}")
            self.plan.finish(step, seconds)
        except OSError as error:
            why = f"{error}; log: {self.plan.show(log)}"
            logger.error("%s FAILED after %s: %s", place, clock(seconds), why)
            logger.error("%s", _tail(log))
            return Verdict(FAILED, why)
        elapsed = clock(time.monotonic() - self.begun)
        ahead = self._next(step)
        logger.info("%s took %s; %s so far; %s", place, clock(seconds), elapsed, ahead)
        return Verdict(DONE)

    def _next(self, step: Step) -> str:
        later = self.chosen[self.chosen.index(step) + 1 :]
        return f"next: {later[0].name}" if later else "that was the last"

    def _call(
        self, step: Step, command: list[str], log: pathlib.Path, mode: str
    ) -> int:
        """Runs a command to its end; ends it, and its children, if this is stopped."""
        with open(log, mode) as output:
            process = subprocess.Popen(
                command,
                cwd=self.plan.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={_QUIET: "3", **os.environ},
                start_new_session=True,
                pass_fds=() if self.lock is None else (self.lock.fileno(),),
            )
            try:
                hold(self.lock, step.name, process.pid)
                return self._watch(process, log)
            finally:
                if process.poll() is None:
                    logger.info("ending %s, which can take some seconds", step.name)
                    _end(process)

    def _watch(self, process: subprocess.Popen, log: pathlib.Path) -> int:
        """Waits; on a terminal with a line that shows time and the end of the log."""
        if not sys.stderr.isatty():
            return process.wait()
        start = time.monotonic()
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(1)
                _show(f"        {clock(time.monotonic() - start)}  {_last(log)}")
        finally:
            _show("")


def _assess(plan: Plan, step: Step, outcomes: dict[str, Outcome]) -> Verdict:
    """What is to be done about a step, by what came, or will come, of earlier ones."""

    def made_by(paths, *states):
        makers = [(path, plan.maker(path)) for path in paths]
        makers = [(path, maker) for path, maker in makers if maker is not None]
        return [path for path, m in makers if outcomes[m.name].state in states]

    verdict = plan.judge(step, _gathered(plan, step, outcomes))
    coming = made_by(step.needs, TO_DO)
    lacking = made_by(step.needs, FAILED, LACKS)
    lacking += [p for p in verdict.missing if p not in (*coming, *lacking)]
    if lacking and verdict.state != DONE:
        why = _lack(plan, lacking[0], outcomes)
        return Verdict(LACKS, why, missing=tuple(lacking))
    if coming:
        makers = dict.fromkeys(plan.maker(path).name for path in coming)
        return Verdict(TO_DO, f"after {', '.join(makers)}")
    if made_by(step.gathers, TO_DO):
        return Verdict(TO_DO, "gathers what is done by then")
    return verdict


def _gathered(plan: Plan, step: Step, outcomes: dict) -> list[pathlib.Path]:
    """Those of the files that a step gathers whose steps are done."""
    done = {name for name, outcome in outcomes.items() if outcome.state == DONE}
    return [path for path in step.gathers if plan.maker(path).name in done]


def _if_chosen(verdict: Verdict, step: Step, chosen: Sequence[Step]) -> Verdict:
    if verdict.state == DONE or step in chosen:
        return verdict
    return dataclasses.replace(verdict, state=LEFT_OUT)


def _lack(plan: Plan, path: pathlib.Path, outcomes: dict) -> str:
    """Why a needed file is not there."""
    maker = plan.maker(path)
    if maker is None:
        return f"{plan.show(path)} {plan.spoilt.get(path, 'is not there')}"
    outcome = outcomes[maker.name]
    what = {FAILED: "failed", LEFT_OUT: "was left out"}.get(outcome.state, "cannot run")
    return f"{maker.name} {what}"


def plan_page(plan: Plan, outcomes: Sequence[Outcome]) -> str:
    """The steps with their states and commands, and where to get what they lack.

    Args:
        plan: the plan.
        outcomes: what `foresee` or `run` returned.
    """
    rows = []
    for outcome in outcomes:
        step, remarks = outcome.step, [outcome.verdict.why]
        if step.takes is not None and outcome.state != DONE:
            remarks.append(f"about {step.takes:g} min")
        if outcome.state != LEFT_OUT:
            remarks += [f"without {plan.show(p)}" for p in outcome.verdict.without[:1]]
        remark = "; ".join(filter(None, remarks))
        remark = f" ({remark})" if remark else ""
        rows.append(f"{outcome.state:9}{step.name:18}{step.about}{remark}")
        if outcome.state not in (DONE, LEFT_OUT):
            rows.append(f"{'':9}{plan.line(step)}")
    counts = collections.Counter(outcome.state for outcome in outcomes)
    rows.append(", ".join(f"{count} {state}" for state, count in counts.items()))
    for path, names in _missing(plan, outcomes).items():
        fault = plan.spoilt.get(path, "is missing")
        rows += [f"{plan.show(path)} {fault}", f"{'':9}for {', '.join(names)}"]
        if path in plan.sources:
            rows.append(f"{'':9}{plan.sources[path]}")
    return "\n".join(rows)


def _missing(plan: Plan, outcomes: Sequence[Outcome]) -> dict[pathlib.Path, list[str]]:
    """What is not there, or not to be used, and the steps that it is for."""
    found: dict[pathlib.Path, list[str]] = {}
    for outcome in outcomes:
        name, verdict = outcome.step.name, outcome.verdict
        lacking = verdict.missing if outcome.state == LACKS else ()
        for path in lacking:
            if plan.maker(path) is None:
                found.setdefault(path, []).append(name)
        for path in verdict.without if outcome.state != LEFT_OUT else ():
            found.setdefault(path, []).append(f"{name} (a part of it)")
    return found


def clock(seconds: float) -> str:
    """A time as minutes and seconds, or hours, minutes and seconds: "1:02:03"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    )


def _show(line: str) -> None:
    """Shows a line on the terminal in place of the one before."""
    sys.stderr.write(f"\r{line[:_WIDTH]:{_WIDTH}}\r")
    sys.stderr.flush()


def _lines(log: pathlib.Path) -> list[str]:
    """The last lines of a log, without noise.

    Of a line that is rewritten in place it is what it ends as.
    """
    with open(log, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 20_000))
        text = file.read().decode(errors="replace")
    lines = (line.rstrip("\b\r\n").split("\r")[-1] for line in text.split("\n"))
    lines = (line.replace("\b", "") for line in lines)
    return [line for line in lines if line.strip() and not _NOISE.match(line)]


def _tail(log: pathlib.Path) -> str:
    return "\n".join(f"    | {line}" for line in _lines(log)[-_TAIL:])


def _last(log: pathlib.Path) -> str:
    return next(iter(_lines(log)[-1:]), "")


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Lets signals that ask to end do what Ctrl-C does, in the background too.

    A hangup that is ignored, as under nohup, stays so.
    """

    def stop(number, frame):
        raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        numbers.append(hangup)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen) -> None:
    """Ends a process and its children: asks as Ctrl-C does, then kills."""
    try:
        _send(process, signal.SIGINT)
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        logger.warning("it did not end in %d s and is killed", _PATIENCE)
    finally:
        _send(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _send(process: subprocess.Popen, number: int) -> None:
    """Sends a signal to a step's process and all its children."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
