"""The installed package is found from anywhere."""

import importlib.metadata
import os
import subprocess
import sys

import pytest


def test_a_folder_named_deephar_is_not_taken_for_the_package(tmp_path):
    """As it lies beside whoever has cloned the repository and goes on from there."""
    try:
        version = importlib.metadata.version("deephar")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("deephar is not installed here")
    (tmp_path / "deephar").mkdir()
    known = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-c", "import deephar; print(deephar.__version__)"]
    done = subprocess.run(
        command, cwd=tmp_path, env=known, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, version), done.stderr
