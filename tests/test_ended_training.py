"""A training that ends in the middle of an epoch ends the process, too."""

import pathlib
import subprocess
import sys

import pytest
from scripts import run_together

SCRIPT = pathlib.Path(__file__).with_name("ended_training.py")
ENDS = {
    "unreadable": (1, "error: no picture"),
    "interrupted": (130, "interrupted; the run folder keeps"),
}


def ended(how):
    command = [sys.executable, str(SCRIPT), how]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def processes():
    return run_together({how: lambda how=how: ended(how) for how in ENDS})


@pytest.mark.parametrize("how", ENDS)
def test_a_process_ends_though_batches_are_being_made(processes, how):
    status, message = ENDS[how]
    assert processes[how].returncode == status
    assert message in processes[how].stderr
