"""browse: pages of what data sets hold."""

import html
import json
import re
import shutil

import numpy as np
import pytest
from browser import watched, width_beyond
from tiny_custom import content, write_tiny_custom
from tiny_datasets import WRITERS
from tiny_lifting import write_tiny_lifting

from deephar.commands import browse, check_data, sheets
from deephar.commands.browse_lifting import take_piece
from deephar.data.lifting import Sequence as Track
from deephar.data.lifting_loaders import Sides
from deephar.data.showing import Shown
from deephar.pages.histograms import bars, histogram, stacked_bars
from deephar.utils.pose import INVALID, h36m17j, pa16j2d


def look(capsys, name, folder, out, *options):
    """Returns the page and what was printed."""
    clips = [] if name in ("MPII", "COCO") else ["--clip-size", "4"]
    browse.main([name, str(folder), "--out", str(out), *clips, *options])
    return out.read_text(encoding="utf-8"), capsys.readouterr().out


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return write_tiny_custom(tmp_path_factory.mktemp("own"))


@pytest.mark.parametrize("name", WRITERS)
def test_every_data_set_has_a_page(whole, tmp_path, capsys, name):
    out = tmp_path / "page.html"
    options = ("--samples", "2", "--split", "train")
    text, said = look(capsys, name, whole / name, out, *options)
    assert said.startswith(f"{out}: train: ") and said.endswith(" samples\n")
    shown = int(re.search(r"(\d+) samples", said)[1])
    assert text.count("<img ") == shown >= 2
    assert text.count("<svg ") >= 4 and "What is there" in text
    assert ("<canvas" in text) == (name in ("Human3.6M", "NTU"))
    assert "All, " not in text  # Human3.6M's name of no action


def test_the_same_seed_gives_the_same_page(whole, tmp_path, capsys):
    out = tmp_path / "page.html"
    options = ("--samples", "2", "--split", "train", "--overwrite")
    first, _ = look(capsys, "MPII", whole / "MPII", out, *options)
    assert look(capsys, "MPII", whole / "MPII", out, *options)[0] == first
    plain, _ = look(capsys, "MPII", whole / "MPII", out, *options, "--no-augmentation")
    assert "turned" in first and "turned" not in plain


def test_what_is_missing_stands_on_the_page(whole, tmp_path, capsys):
    folder = shutil.copytree(whole / "MPII", tmp_path / "MPII")
    (folder / "images" / "v1.jpg").unlink()
    (folder / "images" / "v0.jpg").write_bytes(b"no picture")
    text, said = look(capsys, "MPII", folder, tmp_path / "page.html")
    assert said.endswith("6 samples, 2 more cannot be read\n")
    for part in ("1 picture missing", "v1.jpg", "v0.jpg", "2 of the samples chosen"):
        assert part in text


def test_own_data_have_a_page_and_mistakes_stop_it(own, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(browse, "MOST", 1)
    text, said = look(capsys, "custom", own, tmp_path / "page.html")
    assert "train: people, train: videos, valid: people" in said
    assert "left_end" in text and "jump, frames " in text
    assert "Of 1 of the 3 videos, spread evenly (--all for all)" in text
    wrong = content()
    wrong["pictures"][0]["people"][0]["joints"]["tail"] = [1, 2]
    damaged = write_tiny_custom(tmp_path / "wrong", wrong)
    with pytest.raises(ValueError, match=r"data\.json:\d+:.*tail"):
        look(capsys, "custom", damaged, tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_names_in_data_are_text_on_the_page(tmp_path, capsys, page):
    nasty = "<script>window.bad = 1</script>$x$"
    data = json.loads(json.dumps(content()).replace("left_end", nasty))
    data["actions"], data["clips"][0]["action"] = [nasty, "sit"], nasty
    data["clips"] = data["clips"][:1]
    out = tmp_path / "page.html"
    text, _ = look(capsys, "custom", write_tiny_custom(tmp_path, data), out)
    assert nasty not in text and text.count(html.escape(nasty)) >= 3
    seen = watched(page)
    page.goto(out.as_uri())
    assert page.evaluate("window.bad") is None and not seen


def test_a_browser_shows_sheets_that_fit_a_telephone(whole, tmp_path, capsys, page):
    out = tmp_path / "page.html"
    options = ("--samples", "2", "--dataconf", "human36m_dataconf")
    assert (
        "sides of 20 to 89 px" in look(capsys, "NTU", whole / "NTU", out, *options)[0]
    )
    seen = watched(page)
    for width in (1000, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(out.as_uri())
        assert width_beyond(page) <= 0
    assert page.locator("h2").all_inner_texts()[:3] == [
        *("What is there", "What is missing or wrong", "train: videos"),
    ]
    strips = page.locator(".grid .scroll img")
    assert strips.count() == 4 and strips.first.bounding_box()["width"] >= 560
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 100)")
    assert not seen


def test_mistakes_are_told(whole, tmp_path, capsys):
    out = tmp_path / "page.html"
    out.touch()
    with pytest.raises(FileExistsError, match="--overwrite replaces it"):
        browse.main(["MPII", str(whole / "MPII"), "--out", str(out)])
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        browse.main(["MPII", str(tmp_path / "x"), "--out", str(tmp_path / "new")])
    with pytest.raises(FileNotFoundError, match="no folder to write the page to"):
        browse.main(["MPII", str(whole), "--out", str(tmp_path / "no" / "a.html")])
    options = ["--out", str(tmp_path / "new"), "--split", "test"]
    with pytest.raises(ValueError, match="must have samples of the part test"):
        browse.main(["MPII", str(whole / "MPII"), *options])
    with pytest.raises(ValueError, match="--dataconf x: `name` must be one of mpii"):
        browse.main(["MPII", str(whole / "MPII"), *options, "--dataconf", "x"])
    with pytest.raises(SystemExit):
        browse.parse(["MPII", "x", "--seed", "-1"])
    assert "--seed must be at least 0: -1" in capsys.readouterr().err
    for parse in (browse.parse, check_data.parse):
        with pytest.raises(SystemExit):
            parse(["MPII", str(tmp_path), "--clip-size", "5"])
        told = capsys.readouterr().err
        assert "--clip-size is of data sets with clips, not of MPII" in told


def test_files_of_lifting_have_a_page(tmp_path, capsys):
    folder, out = write_tiny_lifting(tmp_path / "data"), tmp_path / "page.html"
    browse.main(["lifting", str(folder), "--out", str(out), "--samples", "3"])
    text = out.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"{out}: data_2d_h36m_gt.npz\n"
    assert (text.count("<img "), text.count("<canvas ")) == (3, 3)
    assert "243 frames" in text and "WalkDog" in text
    with pytest.raises(SystemExit):
        browse.parse(["lifting", str(folder), "--split", "train"])
    assert "--split is of data sets with pictures" in capsys.readouterr().err
    with pytest.raises(ValueError, match="tracks to show. Received: missing: "):
        (tmp_path / "empty").mkdir()
        browse.main(["lifting", str(tmp_path / "empty"), "--out", str(tmp_path / "b")])


def test_a_piece_of_a_track_is_what_the_loader_gives():
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (9, 17, 2)).astype(np.float32)
    track = Track("S1", "Walking", 2, points, random.uniform(1, 2, (9, 17, 3)))
    left, right = h36m17j.joints_left, h36m17j.joints_right
    sides = Sides(left, right, left, right)
    plain = take_piece(track, sides, 5, False, (1,))
    middle = int(np.abs(points - plain.keypoints[2]).sum(axis=(1, 2)).argmin())
    np.testing.assert_array_equal(points[middle], plain.keypoints[2])
    np.testing.assert_allclose(plain.pose[1:], track.positions[middle, 1:])
    assert not plain.pose[0].any() and plain.title == "S1, Walking, camera 2"
    drawn = [take_piece(track, sides, 5, True, (n,)) for n in range(9)]
    one = next(piece for piece in drawn if piece.mirrored)
    assert any(not piece.mirrored for piece in drawn)
    same = sides.mirror_keypoints(one.keypoints[2])
    assert (points == same).all(axis=(1, 2)).any()


def shown(frames, **changes):
    poses = np.full((frames, 16, 3), INVALID)
    poses[:, 0], poses[..., 2] = (16, 16, 1), 0
    poses[:, 0, 2] = 1
    values = dict(key=4, name="a.jpg", numbers=(), action="", mirrored=False)
    values |= dict(angle=0.0, zoom=0.5, poses=poses)
    values["frames"] = np.full((frames, 32, 32, 3), 90, np.uint8)
    return Shown(**{**values, **changes})


def test_a_joint_is_drawn_where_it_is():
    picture = sheets.sheet_picture(shown(1), pa16j2d)
    assert picture.shape == (224, 224, 3)
    assert picture[112, 112].tolist() != [90, 90, 90]
    assert (picture[:80] == 90).all() and (picture[:, 150:] == 90).all()


def test_a_clip_is_a_strip_of_eight_frames():
    assert sheets.sheet_picture(shown(3), pa16j2d).shape == (144, 3 * 147 - 3, 3)
    assert sheets.sheet_picture(shown(20), pa16j2d).shape == (144, 8 * 147 - 3, 3)


def test_captions_tell_what_was_drawn():
    assert sheets.caption(shown(1)) == "4: a.jpg, 1 of 16 joints, 0.50×"
    one = shown(2, numbers=(3, 5), action="jump", mirrored=True, angle=-15.2)
    told = "4: a.jpg, jump, frames 3 to 5 by 2, 1 of 16 joints, turned -15°, mirrored"
    assert sheets.caption(one) == f"{told}, 0.50×"


def test_histograms_draw_whole_numbers_one_by_one():
    axes = histogram([1, 1, 2, 4], "joints", "people").axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2, 1, 0, 1]
    for count, drawn in ((9, 6), (999, 30)):
        axes = histogram(np.arange(count) / 7, "px", "people").axes[0]
        assert len(axes.patches) == drawn
    with pytest.raises(ValueError, match="finite numbers, at least one"):
        histogram([], "px", "people")


def test_bars_are_as_long_as_their_numbers():
    axes = bars({"a": 3, "b": 5}, "videos").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [3, 5]
    axes = stacked_bars({"a": (50, 20, 10)}, "%", ("in", "hid", "out"), 108).axes[0]
    assert [bar.get_x() for bar in axes.patches] == [0, 50, 70]
    assert axes.get_legend_handles_labels()[1] == ["in", "hid", "out"]
    with pytest.raises(ValueError, match="one to three numbers for each name"):
        bars({}, "videos")
