"""Imports point one way: the table of rooms, held against the source itself."""

import ast
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "deephar"

# What each room of the package may import of the others.
ROOMS = {
    "utils": set(),
    "config": set(),
    "activations": {"utils"},
    "losses": {"objectives", "utils"},
    "objectives": {"utils"},
    "optimizers": set(),
    "measures": {"utils"},
    "layers": {"activations", "utils"},
    "models": {
        *("config", "layers", "activations", "losses", "objectives", "optimizers"),
        *("checkpoints", "utils"),
    },
    "data": {"config", "utils"},
    "evaluation": {"measures", "utils", "config", "data", "pages"},
    "plans": {"utils"},
    "pages": {"utils"},
    "callbacks": {"evaluation", "checkpoints", "utils"},
    "devices": {"utils"},
    "frameworks": {"utils"},
    "trainer": {
        *("callbacks", "checkpoints", "data.loader", "devices", "losses", "utils"),
    },
    "checkpoints": {"layers", "config", "utils"},
    "networks": {"models", "checkpoints", "config", "data", "utils"},
    "inference": {
        *("models", "networks", "layers", "checkpoints", "utils", "config", "data"),
        "frameworks",
    },
    "experiment": {
        *("utils", "config", "models", "checkpoints", "evaluation", "trainer"),
        *("callbacks", "data", "devices", "inference", "losses", "networks"),
        *("frameworks", "optimizers", "pages", "plans"),
    },
    "demo": {
        *("data", "frameworks", "inference", "models", "networks", "pages", "utils"),
    },
    "commands": {
        *(
            "checkpoints",
            "config",
            "data",
            "demo",
            "evaluation",
            "experiment",
            "frameworks",
        ),
        *("inference", "models", "networks", "pages", "utils"),
    },
    "__main__": {"commands"},
}
VERSION = "deephar.__version__"
"""Every room may know it."""
FRAMEWORKS = {"keras", "tensorflow", "torch", "jax"}
WITHOUT_FRAMEWORK = {"utils", "config", "measures", "data", "pages", "plans"}
TENSORFLOW = {
    *("trainer", "devices", "frameworks", "data.loader"),
    *("experiment.training", "inference.running"),
    *("inference.export", "inference.exported"),
}
OUTSIDE = {"exp", "datasets", "tests", "weights"}


def module_name(path):
    """Name of a file's module within the package: `data.loader`, `layers`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {
    name: ast.parse(path.read_text(encoding="utf-8"), str(path))
    for name, path in SOURCES.items()
}


def imports(name):
    """Yields the full name of every module that a module imports, wherever it does."""
    package = ("deephar." + name).rstrip(".").split(".")
    if SOURCES[name].name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def inside(module, names):
    return any(module == name or module.startswith(name + ".") for name in names)


def test_the_table_points_one_way():
    order = []
    while len(order) < len(ROOMS):
        free = {
            room
            for room, others in ROOMS.items()
            if {other.split(".")[0] for other in others} <= set(order)
        }
        assert free > set(order), f"a circle beyond {order}"
        order = sorted(free)
    assert "data" not in ROOMS["models"] and "models" not in ROOMS["data"]


def test_every_module_is_in_a_room():
    assert {name.split(".")[0] for name in SOURCES} - {""} <= set(ROOMS)


@pytest.mark.parametrize("name", [name for name in SOURCES if name])
def test_a_room_imports_only_what_the_table_allows(name):
    room = name.split(".")[0]
    wrong = {
        module
        for module in imports(name)
        if inside(module, {"deephar"})
        and module != VERSION
        and not inside(module.removeprefix("deephar."), ROOMS[room] | {room})
    }
    assert not wrong


@pytest.mark.parametrize("name", SOURCES)
def test_frameworks_stay_in_their_rooms(name):
    found = {module for module in imports(name) if inside(module, FRAMEWORKS)}
    if not inside(name, TENSORFLOW):
        found_tensorflow = {m for m in found if not inside(m, {"keras"})}
        assert not found_tensorflow
    if name.split(".")[0] in WITHOUT_FRAMEWORK and name != "data.loader":
        assert not found


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_in_the_package_imports_what_is_outside(name):
    assert not {module for module in imports(name) if inside(module, OUTSIDE)}


def faults(tree):
    """Yields (line, what) for everything that the house does without."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield node.lineno, "star import"
        elif isinstance(node, ast.Assert):
            yield node.lineno, "assert"
        elif isinstance(node, ast.Global):
            yield node.lineno, "global"
        elif isinstance(node, ast.ExceptHandler):
            caught = "all" if node.type is None else ast.unparse(node.type)
            passed_on = ast.unparse(node.body[-1]) == "raise"
            if caught in ("all", "Exception", "BaseException") and not passed_on:
                yield node.lineno, f"except {caught}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            yield node.lineno, "print"
        elif isinstance(node, ast.Attribute) and node.attr == "Lambda":
            yield node.lineno, "Lambda layer"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path":
            yield node.lineno, "sys.path"


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_does_without(name):
    assert not list(faults(TREES[name]))


def test_faults_are_found():
    source = """
from os import *
assert 1
global x
print(1)
sys.path.append(2)
keras.layers.Lambda(f)
try:
    pass
except Exception:
    pass
except:
    pass
try:
    pass
except BaseException:
    raise
"""
    assert [line for line, _ in sorted(faults(ast.parse(source)))] == [
        *(2, 3, 4, 5, 6, 7, 10, 12)
    ]


def test_importing_the_package_is_silent_and_light():
    command = (
        "import sys, deephar, deephar.utils, deephar.config, deephar.measures;"
        "sys.exit(bool({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
