"""What every test may ask for."""

import os
import pathlib

import pytest

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
