"""Where data sets come from, as far as their files tell."""

import hashlib

from deephar.experiment import origins


def test_what_is_no_authors_file_and_has_no_marker_is_of_unknown_origin(
    tmp_path, monkeypatch
):
    annotations = tmp_path / "annotations.mat"
    assert origins.origin_of(tmp_path) == "unknown"
    annotations.write_bytes(b"theirs")
    assert origins.origin_of(tmp_path) == "unknown"
    known = {("MPII", "annotations.mat"): ("x", hashlib.md5(b"theirs").hexdigest())}
    monkeypatch.setattr(origins, "AUTHORS_FILES", known)
    assert origins.origin_of(str(tmp_path)) == "owners"
    annotations.write_bytes(b"converted")
    assert origins.origin_of(tmp_path) == "unknown"
    (tmp_path / "generated.json").write_text("{}")
    assert origins.origin_of(tmp_path) == "generated"


def test_a_file_of_annotations_is_of_the_folder_that_it_lies_in_or_below(tmp_path):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "generated.json").write_text("{}")
    places = ("a/x.pkl", "a/b/x.json", "a/b/c/x.json", "x.json")
    for place in places:
        (tmp_path / place).write_bytes(b"")
    found = [origins.origin_of(tmp_path / place) for place in places]
    assert found == ["generated", "generated", "unknown", "unknown"]
