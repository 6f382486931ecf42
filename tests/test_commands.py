"""python -m deephar: the table of commands, their help, and how they end."""

import argparse
import re
import subprocess
import sys
import types

import pytest
from scripts import REPOSITORY

import deephar
from deephar import commands


@pytest.fixture
def called(monkeypatch):
    """Puts a command `try-it` in the table; returns what it is called with."""
    calls = []

    def add(main):
        module = types.SimpleNamespace(main=lambda argv: calls.append(argv) or main())
        monkeypatch.setitem(sys.modules, "deephar.commands.try_it", module)
        monkeypatch.setitem(commands.COMMANDS, "try-it", "is for this test")
        return calls

    return add


def test_the_help_names_every_command_and_starts_no_framework():
    heavy = "{'keras', 'tensorflow', 'torch', 'jax', 'matplotlib'}"
    code = (
        "import sys, runpy; sys.argv = ['', '--help']\n"
        "try:\n    runpy.run_module('deephar', run_name='__main__')\n"
        f"except SystemExit as end:\n    sys.exit(end.code or len({heavy} & "
        "{*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name, about in commands.COMMANDS.items():
        assert f"  {name:15}  {about}\n" in done.stdout


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_has_a_help_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as end:
        commands.main([name, "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert text.startswith(f"usage: python -m deephar {name}")
    assert re.search(rf"^ *python -m deephar {name} \S", text, re.MULTILINE)


def test_without_a_command_there_is_the_help(capsys):
    assert commands.main([]) == 0
    assert capsys.readouterr().out == commands.overview()


def test_the_version_is_told(capsys):
    assert commands.main(["--version"]) == 0
    assert capsys.readouterr().out == f"deephar {deephar.__version__}\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("predcit", "predcit: there is no such command. Did you mean predict?"),
        ("check_data", "Did you mean check-data?"),
        ("xyz", "xyz: there is no such command. There are predict, info,"),
    ],
)
def test_an_unknown_command_ends_with_the_nearest(name, said, capsys):
    assert commands.main([name]) == 2
    assert said in capsys.readouterr().err


def test_a_command_gets_its_flags_and_gives_the_status(called):
    calls = called(lambda: 3)
    assert commands.main(["try-it", "--a", "b"]) == 3
    called(lambda: None)
    assert commands.main(["try-it"]) == 0
    assert calls == [["--a", "b"], []]


@pytest.mark.parametrize("kind", [ValueError, OSError, FloatingPointError])
def test_a_mistake_of_the_user_ends_in_a_message(kind, called):
    def fail():
        raise kind("there is no such thing")

    called(fail)
    with pytest.raises(SystemExit, match="^error: there is no such thing$"):
        commands.main(["try-it"])


def test_ctrl_c_ends_with_its_status(called):
    def stop():
        raise KeyboardInterrupt

    called(stop)
    with pytest.raises(SystemExit) as end:
        commands.main(["try-it"])
    assert end.value.code == 130


def test_another_error_keeps_its_trace(called):
    def fail():
        raise argparse.ArgumentError(None, "a fault of ours")

    called(fail)
    with pytest.raises(argparse.ArgumentError):
        commands.main(["try-it"])
