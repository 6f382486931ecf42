"""Generated data sets tell that they are, and how they were made."""

import json
import shlex

import pytest
from scripts import load

from deephar.data.marker import is_generated

SMALL = {
    "MPII": "--train 1 --valid 1 --frontal 0.5 --seed 3",
    "Human3.6M": "--train 1 --valid 1 --frames 1 1 --step 5 64 --size 64 64 --seed 4",
    "PennAction": "--train 1 --test 1 --frames 2 2 --size 48 40 --seed 5",
    "COCO": "--train 1 --valid 1 --frontal 0.5 --seed 7",
    "MERL": "--train 5 --test 5 --frames 2 2 --size 64 48 --seed 8",
    "lifting": "--seconds 0.04 --seed 9",
    "NTU": "--train 1 --test 1 --frames 1 1 --seed 6",
}


@pytest.mark.parametrize("kind", SMALL)
def test_the_marker_has_the_command_that_makes_the_same_files(kind, tmp_path, capsys):
    main = load(f"datasets/{kind}/generate.py").main
    first, second = tmp_path / "first", tmp_path / "second"
    assert not is_generated(first)
    assert main([str(first), "--workers", "1", *SMALL[kind].split()]) == 0
    assert is_generated(first) and is_generated(str(first))
    marker = json.loads((first / "generated.json").read_text())
    assert marker["kind"] == kind and marker["seed"] == int(SMALL[kind][-1])
    assert marker["command"] == f"python datasets/{kind}/generate.py OUT {SMALL[kind]}"
    words = [
        word.replace("OUT", str(second)) for word in shlex.split(marker["command"])
    ]
    assert main([*words[2:], "--workers", "1"]) == 0
    names = {path.relative_to(first) for path in first.rglob("*.*")}
    assert names == {path.relative_to(second) for path in second.rglob("*.*")}
    for name in names:
        if (first / name).is_file():
            assert (first / name).read_bytes() == (second / name).read_bytes()
    capsys.readouterr()
    assert load("datasets/check.py").main([kind, str(first)]) == 0
    assert "wrong" not in capsys.readouterr().out


def test_the_marker_tells_of_what_overwrote_the_folder(tmp_path):
    main = load("datasets/MPII/generate.py").main
    numbers = ["--train", "1", "--valid", "0", "--workers", "1"]
    assert main([str(tmp_path), *numbers]) == 0
    assert main([str(tmp_path), *numbers, "--seed", "7", "--overwrite"]) == 0
    assert json.loads((tmp_path / "generated.json").read_text())["seed"] == 7
