"""A plan: commands that need and make files, and what of them is done.

A step leaves a stamp: its command and the md5 of what it read and wrote. It is done as
long as all of these are as they were, and is not run again.
"""

import dataclasses
import fnmatch
import functools
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import sys
from collections.abc import Container, Iterable, Mapping, Sequence

from deephar.utils.fs import md5_of, write_json

DONE, TO_DO, LACKS = "done", "to do", "lacks"
"""What can be said of a step: it is done, it can be run, something is missing for it.
"""

GO_ON, ANEW = "--resume", "--overwrite"
"""The flags of a training that goes on, and of one that replaces what is there."""


@dataclasses.dataclass(frozen=True)
class Extra:
    """Arguments that a command gets only where their files are.

    Attributes:
        words: the arguments; those that are paths as `pathlib.Path`.
        needs: files and folders that must be there for them; no step makes them.
    """

    words: tuple[str | pathlib.Path, ...]
    needs: tuple[pathlib.Path, ...]


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of a plan.

    Attributes:
        name: what it is called; unique in a plan.
        about: what it does, in words.
        command: a script and its arguments; those that are paths as `pathlib.Path`.
        needs: files and folders that must be there, and that decide what comes out.
        makes: files, or folders of files, that it writes.
        takes: minutes; None where that was not measured.
        resumes: whether it is a training, which takes `--resume` and `--overwrite`.
        gathers: files of earlier steps that the command takes as further arguments, as
            far as those steps are done.
        extras: further arguments for what need not be there.
        folder: folder of what this step alone writes. It is emptied before the step
            begins anew.
    """

    name: str
    about: str
    command: tuple[str | pathlib.Path, ...]
    needs: tuple[pathlib.Path, ...] = ()
    makes: tuple[pathlib.Path, ...] = ()
    takes: float | None = None
    resumes: bool = False
    gathers: tuple[pathlib.Path, ...] = ()
    extras: tuple[Extra, ...] = ()
    folder: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is to be done about a step.

    Attributes:
        state: DONE, TO_DO or LACKS.
        why: the reason, in words; of what is done, which of its inputs is gone.
        goes_on: whether a training was stopped half way and can go on.
        missing: what it lacks.
        without: what the extras lack that its command goes without.
    """

    state: str
    why: str = ""
    goes_on: bool = False
    missing: tuple[pathlib.Path, ...] = ()
    without: tuple[pathlib.Path, ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps in an order in which they can be run.

    Attributes:
        steps: each after those whose files it needs.
        out: folder of all that they make, of the stamps and of the logs.
        root: the folder in which the commands run.
        sources: for what no step makes: where it comes from, in words.
        spoilt: what is there but must not be used, and why.
    """

    steps: tuple[Step, ...]
    out: pathlib.Path
    root: pathlib.Path
    sources: Mapping[pathlib.Path, str] = dataclasses.field(default_factory=dict)
    spoilt: Mapping[pathlib.Path, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        makers = {}
        for step in self.steps:
            if step.name in (earlier.name for earlier in makers.values()):
                raise ValueError(f"`steps` must have names of their own: {step.name}")
            makers.update(dict.fromkeys(step.makes, step))
            strangers = [p for p in step.makes if not p.is_relative_to(self.out)]
            if strangers:
                raise ValueError(
                    f"`steps` must write to {self.out}. Received: {strangers[0]} of "
                    f"{step.name}"
                )
        seen = set()
        for step in self.steps:
            early = [p for p in (*step.needs, *step.gathers) if p in makers]
            early = [p for p in early if p not in seen]
            if early:
                raise ValueError(
                    f"`steps` must come after those whose files they need. Received: "
                    f"{step.name} before {makers[early[0]].name}"
                )
            seen.update(step.makes)
            self._check_folder(step, makers)

    def _check_folder(self, step: Step, makers: Mapping[pathlib.Path, Step]) -> None:
        if step.folder is None:
            return
        ours = [p for p, maker in makers.items() if p.is_relative_to(step.folder)]
        if self.out not in step.folder.parents or any(makers[p] != step for p in ours):
            raise ValueError(
                f"`folder` of {step.name} must lie below {self.out}, and no other step "
                f"may write there. Received: {step.folder}"
            )

    def maker(self, path: pathlib.Path) -> Step | None:
        """The step that makes a file; None for what has to be there."""
        return next((step for step in self.steps if path in step.makes), None)

    def choose(self, only: Sequence[str] = (), skip: Sequence[str] = ()) -> list[Step]:
        """The steps of some names, with those whose files they need.

        Args:
            only: names or patterns (`penn_*`) of what is wanted; none for all.
            skip: names or patterns of what is left out.

        Raises:
            ValueError: if a name or pattern is of no step.
        """
        wanted = self._named(only, "--only") if only else {s.name for s in self.steps}
        skipped = self._named(skip, "--skip") if skip else set()
        for step in reversed(self.steps):
            if step.name in wanted - skipped:
                makers = (self.maker(path) for path in step.needs)
                wanted |= {maker.name for maker in makers if maker is not None}
        return [step for step in self.steps if step.name in wanted - skipped]

    def _named(self, patterns: Iterable[str], flag: str) -> set[str]:
        names = [step.name for step in self.steps]
        found = set()
        for pattern in patterns:
            fits = fnmatch.filter(names, pattern)
            if not fits:
                raise ValueError(
                    f"{flag} must name steps, which are {', '.join(names)}. "
                    f"Received: {pattern}"
                )
            found.update(fits)
        return found

    def arguments(self, step: Step, gathered: Sequence[pathlib.Path] = ()) -> list[str]:
        """The command as one would type it in the plan's root, without `python`."""
        words = self._words(step, gathered, self._extras(step))
        return [self.show(part) for part in words]

    def line(self, step: Step, gathered: Sequence[pathlib.Path] = ()) -> str:
        """The command line as one would type it in the plan's root."""
        return shlex.join(["python", *self.arguments(step, gathered)])

    def show(self, part: str | pathlib.Path) -> str:
        """A path from the plan's root, if it lies there; else the argument as it is."""
        if isinstance(part, pathlib.Path) and part.is_relative_to(self.root):
            return str(part.relative_to(self.root))
        return str(part)

    def judge(self, step: Step, gathered: Sequence[pathlib.Path] = ()) -> Verdict:
        """Says whether a step is done, by its stamp and by what is there now.

        Args:
            step: one of the plan.
            gathered: those files of `step.gathers` that its command gets.
        """
        stamp = self._read_stamp(step)
        gone = self._gone(step, stamp)
        extras = self._extras(step, gone)
        without = self._unused(step, extras)
        why = self._change(step, stamp, gathered, gone)
        if not why and stamp["outputs"] is not None:
            remark = f"{self.show(gone[0])} is gone" if gone else ""
            return Verdict(DONE, remark, without=without)
        missing = tuple(path for path in step.needs if not self._usable(path))
        if missing:
            return Verdict(LACKS, self.show(missing[0]), missing=missing)
        if step.gathers and not gathered:
            return Verdict(LACKS, "there is nothing to gather yet")
        if gone:
            why = self._change(step, stamp, gathered)
            without = self._unused(step, self._extras(step))
        goes_on = not why and step.resumes
        return Verdict(TO_DO, why or "was stopped or failed", goes_on, without=without)

    def _change(
        self,
        step: Step,
        stamp: Mapping,
        gathered: Sequence[pathlib.Path],
        gone: Sequence[pathlib.Path] = (),
    ) -> str:
        """What is another than a step's stamp says; of what is gone, nothing is."""
        if not stamp:
            return "was not run yet"
        now = self._fingerprint(step, gathered, self._extras(step, gone))
        if stamp["command"] != now["command"]:
            return "its command is another than it was"
        lost = {self._key(path) for path in gone}
        changed = _first_difference(stamp["inputs"], now["inputs"], lost)
        if changed:
            return f"{changed} is another than it was"
        if stamp["outputs"] is None:
            return ""
        changed = _first_difference(stamp["outputs"], self._digests(step.makes))
        return f"{changed} is not what it wrote" if changed else ""

    def _gone(self, step: Step, stamp: Mapping) -> list[pathlib.Path]:
        """What a step has read by its stamp and what is not there any more."""
        read = [*step.needs, *(path for extra in step.extras for path in extra.needs)]
        read = [path for path in read if self._key(path) in stamp.get("inputs", ())]
        return [path for path in read if path not in self.spoilt and not is_there(path)]

    def _extras(self, step: Step, gone: Sequence[pathlib.Path] = ()) -> list[Extra]:
        """Those extras of a step whose files are there, or count as if they were."""
        there = {path for extra in step.extras for path in extra.needs}
        there = {path for path in there if path in gone or self._usable(path)}
        return [extra for extra in step.extras if there.issuperset(extra.needs)]

    def _unused(self, step: Step, extras: Sequence[Extra]) -> tuple[pathlib.Path, ...]:
        """What the other extras of a step lack."""
        others = [extra for extra in step.extras if extra not in extras]
        return tuple(p for e in others for p in e.needs if not self._usable(p))

    def begin(
        self, step: Step, verdict: Verdict, gathered: Sequence[pathlib.Path] = ()
    ) -> list[str]:
        """Puts on record that a step begins; returns its whole command.

        Unless it goes on, all that it wrote before is removed first, and its stamp
        says so: a training that is stopped at once must not find states of another.

        Raises:
            FileExistsError: if its folder holds files and no stamp says of which step.
        """
        if not verdict.goes_on:
            self._clear(step)
        inputs = self._fingerprint(step, gathered, self._extras(step))
        write_json(self._stamp(step), inputs)
        more = [GO_ON if verdict.goes_on else ANEW] if step.resumes else []
        return [sys.executable, *self.arguments(step, gathered), *more]

    def _clear(self, step: Step) -> None:
        folder, stamp = step.folder, self._stamp(step)
        if stamp.exists():
            write_json(stamp, {})
        elif folder is not None and is_there(folder):
            raise FileExistsError(
                f"{self.show(folder)}: holds files, but there is no stamp of "
                f"{step.name}, which would write there; remove the folder, or move it"
            )
        if folder is not None and is_there(folder):
            _empty(folder)
        for path in step.makes:
            if path.is_file():
                path.unlink()

    def finish(self, step: Step, seconds: float) -> None:
        """Puts on record that a step is done.

        Raises:
            FileNotFoundError: if it has not written what it should.
        """
        absent = [path for path in step.makes if not is_there(path)]
        if absent:
            raise FileNotFoundError(
                f"{self.show(absent[0])}: was not written, but the command ended well"
            )
        stamp = self._read_stamp(step)
        stamp |= {"outputs": self._digests(step.makes), "seconds": round(seconds, 1)}
        write_json(self._stamp(step), stamp)

    def log_of(self, step: Step) -> pathlib.Path:
        """Where the output of a step's command goes."""
        return self.out / "logs" / f"{step.name}.txt"

    def _stamp(self, step: Step) -> pathlib.Path:
        return self.out / "stamps" / f"{step.name}.json"

    def _read_stamp(self, step: Step) -> dict:
        try:
            stamp = json.loads(self._stamp(step).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        known = isinstance(stamp, dict) and {"command", "inputs", "outputs"} <= {*stamp}
        return stamp if known else {}

    def _words(
        self, step: Step, gathered: Sequence[pathlib.Path], extras: Sequence[Extra]
    ) -> list[str | pathlib.Path]:
        more = (word for extra in extras for word in extra.words)
        return [*step.command, *more, *gathered]

    def _fingerprint(
        self, step: Step, gathered: Sequence[pathlib.Path], extras: Sequence[Extra]
    ) -> dict:
        command = [self._key(part) for part in self._words(step, gathered, extras)]
        more = (path for extra in extras for path in extra.needs)
        inputs = self._digests((*step.needs, *more, *gathered))
        return {"command": command, "inputs": inputs, "outputs": None}

    def _digests(self, paths: Iterable[pathlib.Path]) -> dict[str, str | None]:
        return {self._key(path): digest(path) for path in paths}

    def _key(self, part: str | pathlib.Path) -> str:
        """An argument, the same wherever the plan's folders lie."""
        if isinstance(part, pathlib.Path) and part.is_relative_to(self.out):
            return str("OUT" / part.relative_to(self.out))
        return self.show(part)

    def _usable(self, path: pathlib.Path) -> bool:
        return path not in self.spoilt and is_there(path)


def is_there(path: pathlib.Path) -> bool:
    """Whether there is such a file, or such a folder with something in it."""
    if path.is_dir():
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    return path.is_file()


def digest(path: pathlib.Path) -> str | None:
    """What a file or folder holds, in 32 hexadecimal digits; None if it is not there.

    Of a file it is the md5. Of a folder it is that of the names in it and the sizes of
    its files: folders here have up to 60,000 files of annotations, or of pictures.
    """
    if path.is_dir():
        with os.scandir(path) as entries:
            rows = [(e.name, e.stat().st_size if e.is_file() else -1) for e in entries]
        text = "\n".join(f"{name} {size}" for name, size in sorted(rows))
        return hashlib.md5(text.encode()).hexdigest()
    if not path.is_file():
        return None
    state = path.stat()
    return _md5(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _md5(path: pathlib.Path, size: int, changed: int) -> str:
    """The md5 of a file, computed once for each size and time of its last change."""
    return md5_of(path)


def _empty(folder: pathlib.Path) -> None:
    """Removes all that is in a folder; of what links lead to, the links alone."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _first_difference(
    before: Mapping, now: Mapping, but: Container[str] = ()
) -> str | None:
    names = dict.fromkeys((*before, *now))
    differ = (n for n in names if n not in but and before.get(n) != now.get(n))
    return next(differ, None)
