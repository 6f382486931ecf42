"""Tiny folders of all data sets of pictures, for the commands that look at them."""

import pytest
from tiny_boxes import write_tiny_merl
from tiny_clips import write_tiny_h36m, write_tiny_ntu, write_tiny_penn
from tiny_coco import write_both_parts
from tiny_mpii import write_tiny_mpii

WRITERS = {
    "MPII": write_tiny_mpii,
    "COCO": write_both_parts,
    "MERL": write_tiny_merl,
    "Human3.6M": write_tiny_h36m,
    "PennAction": write_tiny_penn,
    "NTU": write_tiny_ntu,
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Folders of sound data sets; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    for name, write in WRITERS.items():
        write(folder / name)
    return folder
