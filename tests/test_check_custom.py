"""check-data custom: counts of own data, mistakes by line, and the JSON Schema."""

import json

import pytest
from PIL import Image
from tiny_custom import content, write_tiny_custom
from video_files import write_video

from deephar.commands import check_data as check


def run(capsys, *argv):
    """Returns the exit status and what was printed."""
    status = check.main(["custom", *map(str, argv)])
    return status, capsys.readouterr().out


def test_sound_data_is_counted(tmp_path, capsys):
    path = write_tiny_custom(tmp_path)
    status, text = run(capsys, path, "--json")
    found = json.loads(text)
    train = found["parts"]["train"]
    assert (status, found["wrong"], found["missing"], found["extra"]) == (0, [], [], [])
    assert (train["pictures"], train["people"], train["clips"]) == (2, 3, 3)
    assert train["people without a joint"] == 1 and train["joints"] == 4 * 26
    assert train["joints hidden"] == 26 and train["joints never labelled"] == 0
    assert train["actions"] == {"jump": 2, "sit": 1} and found["pictures_read"] == 3
    assert train["spans without an action"] == 1
    assert train["spans shorter than 8 frames"] == 3
    assert run(capsys, tmp_path)[1].endswith("  3 pictures read\nsound\n")


def test_mistakes_are_told_by_line_and_what_is_beside_too(tmp_path, capsys):
    data = content()
    data["pictures"][1]["people"][0]["joints"]["paw"] = [1, 2]
    path = write_tiny_custom(tmp_path, data)
    (tmp_path / "images/2.png").write_bytes(b"damaged")
    (tmp_path / "images/more.png").write_bytes(b"")
    (tmp_path / "other.json").write_text("[]")
    line = path.read_text().split('"paw"')[0].count("\n") + 1
    status, text = run(capsys, tmp_path)
    assert status == 1 and text.endswith("not sound\n")
    assert (
        f"wrong: {path}:{line}: " in text
        and "joints.paw must be a joint of the lay" in text
    )
    assert text.count("pictures[2].file must be a picture") == 1
    assert "as it is said to be: cannot identify image file" in text
    assert "images: 1 pictures without annotations, the first more.png" in text
    assert f"extra: {tmp_path / 'other.json'}: of another format" in text


def test_a_picture_that_ends_early_is_told_at_its_place(tmp_path, capsys):
    path = write_tiny_custom(tmp_path)
    Image.effect_noise((80, 72), 99).save(tmp_path / "images/2.png", "JPEG")
    whole = (tmp_path / "images/2.png").read_bytes()
    (tmp_path / "images/2.png").write_bytes(whole[: len(whole) // 2])
    status, text = run(capsys, path)
    line = path.read_text().split("images/2.png")[0].count("\n") + 1
    place = f"wrong: {path}:{line}: pictures[2].file must be a whole picture: "
    assert status == 1 and text.count("wrong: ") == 1 and place in text
    assert "  2 pictures read\n" in text


def test_depths_and_dimensions_that_do_not_fit_are_told(tmp_path, capsys):
    data = content()
    data["layout"] = {**data["layout"], "dim": 3}
    path = write_tiny_custom(tmp_path, data)
    status, text = run(capsys, path)
    told = f"missing: {path} has no depth (joints_3d) for its dim 3"
    assert status == 1 and told in text
    depths = {"top": [0, 0, 3000], "foot": [1, 2, 3500.0]}
    data["pictures"][0]["people"][0]["joints_3d"] = depths
    status, text = run(capsys, write_tiny_custom(tmp_path, data))
    assert status == 0 and " 2 joints with depth" in text and "extra" not in text
    data["layout"]["dim"] = 2
    status, text = run(capsys, write_tiny_custom(tmp_path, data))
    assert status == 0 and "2 joints with depth, which a layout of dim 2" in text


def test_one_action_alone_is_told(tmp_path, capsys):
    data = {**content(), "actions": ["sit"]}
    del data["clips"]
    status, text = run(capsys, write_tiny_custom(tmp_path, data))
    assert status == 0 and "one action, sit; a network tells two or more" in text


def test_videos_count_and_their_mistakes_too(tmp_path, capsys):
    write_video(tmp_path / "v.mp4", 5, rate=10)
    one = {"video": "v.mp4", "split": "test", "action": "sit"}
    clips = [{**one, "name": "v"}, {**one, "name": "w", "video": "no.mp4"}]
    path = write_tiny_custom(tmp_path, {**content(), "clips": clips})
    status, text = run(capsys, path, "--clip-size", "6", "--json")
    test = json.loads(text)["parts"]["test"]
    assert (status, test["clips"], test["actions"]) == (1, 2, {"sit": 2})
    assert test["spans shorter than 6 frames"] == 1
    assert (
        "clips[1].video must be a video that is there" in json.loads(text)["wrong"][0]
    )


def test_the_schema_takes_what_is_sound_and_refuses_what_is_not(capsys):
    jsonschema = pytest.importorskip("jsonschema", reason="the extra test has it")
    status, text = run(capsys, "--schema")
    validator = jsonschema.Draft202012Validator(json.loads(text))
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    assert status == 0 and list(validator.iter_errors(content())) == []
    for key, value in {"layout": "cat", "split": "val", "clips": [{}]}.items():
        assert list(validator.iter_errors({**content(), key: value}))
    data = content()
    data["pictures"][0]["people"][0]["joints"]["top"] = [1, 2, 2]
    assert list(validator.iter_errors(data))


def test_flags_that_do_not_fit_are_refused(tmp_path, capsys):
    for argv, message in (
        (["custom"], "the folder is missing"),
        (["COCO", "--schema"], "--schema is of custom, without a folder"),
        (["custom", str(tmp_path / "no")], "no such file or folder"),
    ):
        with pytest.raises(SystemExit):
            check.parse(argv)
        assert message in capsys.readouterr().err
