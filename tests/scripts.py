"""Runs the project's scripts as a user does, or calls their main."""

import concurrent.futures
import importlib.util
import json
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


def run(script: str, *arguments, cwd) -> subprocess.CompletedProcess:
    """Runs a script of the repository from another folder.

    Args:
        script: its path in the repository.
        *arguments: its command line.
        cwd: the folder to run in.
    """
    command = [sys.executable, str(REPOSITORY / script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=600
    )


def run_together(calls: dict) -> dict:
    """Calls functions, two at once; returns what each returns by the same names.

    For processes that a module waits for: alone, each of them leaves a core idle.
    """
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = {name: pool.submit(call) for name, call in calls.items()}
    return {name: one.result() for name, one in found.items()}


def read_json(*path):
    """What a JSON file holds; `path` is its name, or the parts of it."""
    return json.loads(pathlib.Path(*path).read_text(encoding="utf-8"))


def load(script: str):
    """Imports a script as a module, to call its functions in this process."""
    path = REPOSITORY / script
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
