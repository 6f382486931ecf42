"""What every test may ask for."""

import logging
import os
import pathlib

import pytest
from browser import browser as browser
from browser import page as page
from tiny_datasets import whole as whole

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def golden():
    """Folder of the small reference values that travel with the project."""
    return REPOSITORY / "tests" / "golden"


@pytest.fixture(scope="session")
def shared():
    """Folder of larger reference values and samples beside the checkout."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip(f"the folder of larger reference values is absent: {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_model():
    """A small 2D pose network with weights; not to be changed."""
    from formula_weights import set_formula_weights
    from weight_files import build

    model = build()
    set_formula_weights(model)
    return model


@pytest.fixture(scope="session")
def tiny_file(tiny_model, tmp_path_factory):
    """Its weights in the layout of the original; not to be changed."""
    from deephar import checkpoints

    path = tmp_path_factory.mktemp("weights") / "good.h5"
    checkpoints.save_weights(tiny_model, path)
    return path


@pytest.fixture(scope="session")
def tiny_file3(tiny_model, tmp_path_factory):
    """Its weights in the form of Keras 3; not to be changed."""
    from deephar import checkpoints

    path = tmp_path_factory.mktemp("weights3") / "good.weights.h5"
    checkpoints.save_weights(tiny_model, path)
    return path


@pytest.fixture(scope="session")
def clip_folders(tmp_path_factory):
    """Tiny folders of clips: {"penn", "h36m", "ntu": folder}; not to be changed."""
    import tiny_clips

    root = tmp_path_factory.mktemp("clips")
    return {
        "penn": tiny_clips.write_tiny_penn(root / "penn"),
        "h36m": tiny_clips.write_tiny_h36m(root / "h36m"),
        "ntu": tiny_clips.write_tiny_ntu(root / "ntu"),
    }


@pytest.fixture
def here(place, monkeypatch, quiet):
    """The folder `place` of a module of tests, as the current one."""
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def quiet():
    """Puts logging back as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    for handler in logging.root.handlers:
        handler.close()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
