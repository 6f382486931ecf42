"""exp/tables.py: the papers' tables as a page, CSVs and figures."""

import csv
import re

import numpy as np
import pytest
import result_files
from PIL import Image
from result_files import write
from scripts import load

from deephar.evaluation.paper_tables import TABLES, fill, paper_figure
from deephar.evaluation.papers import PAPER_H36M
from deephar.evaluation.results import read_results

SCRIPT = load("exp/tables.py")
HEAD = ["paper", "measured strict", "measured as the original counts", "data"]
HEAD += ["weights md5", "command", "date"]
DRAWN = {"origin": "generated", "data": "drawn"}


def _lines(*files):
    return fill(read_results(files)[0])


def _page(tmp_path, *arguments):
    SCRIPT.main([*map(str, arguments), "--out", str(tmp_path / "out")])
    return (tmp_path / "out" / "tables.md").read_text()


def _tables(page):
    """The tables of a page: rows of cells, the head first, by the heading above."""
    found, heading = {}, None
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| "):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.setdefault(heading, []).append(cells)
    return found


def _csv(folder, table):
    with open(folder / f"{table}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["coco", "merl", "merl_actions"])
def test_a_result_without_a_table_of_the_papers_is_named_and_no_mistake(
    kind, tmp_path, capsys
):
    file = write(tmp_path / "run", {"receipt": result_files.receipt(kind, "coco")})
    page = _page(tmp_path, tmp_path / "run")
    said = f"{file}: of data that the papers have no table of"
    assert said in page
    assert f"0 results\n{said}" in capsys.readouterr().out


def test_without_results_every_row_of_the_papers_says_not_run(tmp_path):
    (tmp_path / "none").mkdir()
    page = _page(tmp_path, tmp_path / "none")
    tables = _tables(page)
    assert all(head[1:] == HEAD for head, *_ in tables.values())
    rows = {cells[0]: cells[1:] for cells in tables["human36m (CVPR 2018), 7 crops"]}
    assert rows["SittingDown"] == ["70.9", "not run", "not run", "-", "-", "-", "-"]
    glance = {row[0].split(": ")[1]: row[1:3] for row in tables["At a glance"][1:]}
    assert glance == {
        "mpii (CVPR 2018), validation people, 1 crop": ["89.1", "not run"],
        "mpii (CVPR 2018), test people, 7 crops, mirrored": ["91.2", "not run"],
        "human36m (CVPR 2018), 1 crop": ["55.1", "not run"],
        "human36m (CVPR 2018), 7 crops": ["53.2", "not run"],
        "penn (CVPR 2018), annotated boxes, one clip": ["98.6", "not run"],
        "penn (CVPR 2018), annotated boxes, many clips": ["98.6", "not run"],
        "penn (CVPR 2018), boxes of a file, many clips": ["97.4", "not run"],
        "ntu (CVPR 2018), cs, annotated boxes, one clip": ["85.5", "not run"],
        "ntu (CVPR 2018), cs, annotated boxes, many clips": ["85.5", "not run"],
    }
    assert "holds no evaluation.json" in page and not list(tmp_path.glob("out/*.png"))
    assert {
        row["state"] for name in TABLES for row in _csv(tmp_path / "out", name)
    } == {"not run"}


def test_a_measured_row_has_all_seven_columns(tmp_path):
    write(tmp_path / "run", result_files.actions("penn", boxes="truth"))
    page = _page(tmp_path, tmp_path / "run")
    _, row, *_ = _tables(page)["penn (CVPR 2018)"]
    assert row[1:6] == ["98.6", "50.0", "75.0", "datasets/X", "d6b85ba4"]
    assert row[6:] == ["[1](#receipt-1)", "2026-03-02 10:00"]
    assert "### Receipt 1\n\n```\npython exp/eval.py runs/penn --weights w.h5\n" in page
    kept = _csv(tmp_path / "out", "penn")[0]
    assert kept["command"] == "python exp/eval.py runs/penn --weights w.h5"
    assert kept["weights_md5"] == result_files.MD5 and kept["origin"] == "owners"
    assert (kept["paper"], kept["measured_strict"]) == ("98.6", "50.0")


def test_generated_data_are_never_set_beside_the_paper(tmp_path):
    write(tmp_path / "run", result_files.mpii(**DRAWN))
    page = _page(tmp_path, tmp_path / "run")
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    total = [row for row in rows if row[0] == "total"]
    assert [row[1:3] for row in total] == [
        ["89.1", "not run"],
        ["not comparable", "88.0"],
    ]
    assert total[1][4] == "**generated**: drawn"
    measured = [r for r in _csv(tmp_path / "out", "mpii") if r["state"] == "measured"]
    assert {(row["paper"], row["origin"]) for row in measured} == {("", "generated")}
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"mpii_generated.png"}


def test_data_of_unknown_origin_stand_beside_the_paper_and_say_so(tmp_path):
    write(tmp_path / "run", result_files.mpii(origin="unknown", data="mine"))
    page = _page(tmp_path, tmp_path / "run")
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    (total,) = [row for row in rows if row[0] == "total"]
    assert total[1:3] == ["89.1", "88.0"]
    assert total[4] == "**of unknown origin**: mine"
    assert "- **of unknown origin**: the annotations are neither" in page
    assert _csv(tmp_path / "out", "mpii")[0]["origin"] == "unknown"


def test_another_network_is_not_set_beside_the_paper(tmp_path):
    write(tmp_path / "run", result_files.mpii(other_settings={"size": 32, "blocks": 1}))
    write(tmp_path / "penn", result_files.actions(other_settings={"blocks": 1}))
    page = _page(tmp_path, tmp_path)
    tables = _tables(page)
    rows = tables["mpii (32 px, 1 block), validation people, 1 crop"]
    totals = [row[1:3] for row in rows if row[0] == "total"]
    assert totals == [["not comparable: other network", "88.0"]]
    rows = tables["mpii (CVPR 2018), validation people, 1 crop"]
    assert [row[1:3] for row in rows if row[0] == "total"] == [["89.1", "not run"]]
    assert tables["penn (1 block)"][1][1] == "not comparable: other network"
    outputs = tables["penn (1 block), annotated boxes, one clip"]
    assert {row[1] for row in outputs[1:]} == {"not comparable: other network"}
    (own,) = [
        row
        for row in _csv(tmp_path / "out", "mpii")
        if row["state"] == "measured" and row["row"] == "total"
    ]
    assert (own["paper"], own["other_settings"]) == ("", "size 32, blocks 1")


def test_published_weights_go_before_newer_ones(tmp_path):
    known = {"published": "mpii", "date": "2026-01-01"}
    write(tmp_path / "published", result_files.mpii(pckh=0.891, **known))
    write(tmp_path / "newer", result_files.mpii(pckh=0.5))
    newest = {"origin": "unknown", "date": "2026-09-09"}
    write(tmp_path / "newest", result_files.mpii(pckh=0.6, **newest))
    page = _page(tmp_path, tmp_path)
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    assert [row[1:3] for row in rows if row[0] == "total"] == [["89.1", "89.1"]]
    assert re.findall(r"- total: (\S+) strict", page) == ["50.0", "60.0"]


def test_the_frames_of_both_tasks_are_shown(tmp_path):
    pose = result_files.human36m("ntu_spnet")
    known = {"data": {"ntu": "N", "h36m": "H"}, "protocol": "cs"}
    known["origin"] = {"ntu": "unknown", "h36m": "owners"}
    scores = result_files.multitask("ntu", pose, frames="one in 60", **known)
    write(tmp_path / "run", scores)
    page = _page(tmp_path, tmp_path / "run")
    rows = _tables(page)["ntu_spnet (TPAMI 2020), 1 crop"]
    assert [row[4] for row in rows if row[0] == "Eating"] == ["H, one in 60"]


def test_the_newest_of_several_results_stands_in_the_table(tmp_path):
    for day, pckh in (("2026-01-01", 0.5), ("2026-01-03", 0.7), ("2026-01-02", 0.6)):
        write(tmp_path / day, result_files.mpii(pckh=pckh, date=day))
    page = _page(tmp_path, tmp_path)
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    assert [row[2] for row in rows if row[0] == "total"] == ["70.0"]
    earlier = re.findall(r"- total: (\S+) strict", page)
    assert earlier == ["60.0", "50.0"]
    kept = [row for row in _csv(tmp_path / "out", "mpii") if row["row"] == "total"]
    assert [(row["measured_strict"], row["shown"]) for row in kept[:3]] == [
        *(("70.0", "yes"), ("60.0", "no"), ("50.0", "no"))
    ]


def test_ways_to_look_at_videos_are_rows_of_their_own(tmp_path):
    files = [
        write(tmp_path / "one", result_files.actions(date="2026-01-01")),
        write(tmp_path / "many", result_files.actions(multi_clip=True)),
    ]
    lines = [line for line in _lines(*files) if line.table == "penn"]
    assert [(line.row, line.shown) for line in lines if line.measured] == [
        ("annotated boxes, one clip", True),
        ("annotated boxes, many clips", True),
    ]


def test_outputs_come_in_the_order_of_their_network(tmp_path):
    names = ("p1", "p2", "v1", "v2", "m")
    files = [
        write(tmp_path / "small", result_files.actions("ntu", protocol="cs")),
        write(tmp_path / "large", result_files.actions(outputs=names)),
    ]
    lines = [li for li in _lines(*files) if li.table == "ablation" and li.measured]
    rows = [line.row for line in lines if line.part.startswith("penn ")]
    assert rows == [*names, "best output on these videos"]


def test_a_wrong_file_is_named_and_the_page_is_written(tmp_path):
    write(tmp_path / "good", result_files.mpii())
    wrong = write(tmp_path / "wrong", {"receipt": {}})
    with pytest.raises(ValueError, match="1 of 2 files left out:\n.*wrong/evaluation"):
        _page(tmp_path, tmp_path)
    page = (tmp_path / "out" / "tables.md").read_text()
    assert f"- {wrong}: the receipt's" in page.partition("## Left out")[2]
    assert "88.0" in page


def test_text_of_a_receipt_does_not_break_a_table(tmp_path):
    write(tmp_path / "run", result_files.mpii(data="a|b\nc"))
    page = _page(tmp_path, tmp_path / "run")
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    assert {len(row) for row in rows} == {8} and rows[1][4] == "a\\|b c"


def test_cuts_have_their_times_and_machine(tmp_path):
    write(tmp_path / "run", result_files.speed(2))
    page = _page(tmp_path, tmp_path / "run")
    head, first, *_ = _tables(page)["penn_spnet (TPAMI 2020)"][-4:]
    assert head[1:6] == [
        "prediction",
        "frames/s",
        "ms a frame",
        "parameters",
        "machine",
    ]
    assert first[1:6] == ["1", "60.0", "16.67", "100,000", "two CPU cores"]
    kept = _csv(tmp_path / "out", "speed")[0]
    assert kept["device"] == "two CPU cores"
    assert float(kept["ms_upper_quartile"]) == pytest.approx(1000 / 59)


def test_figures_of_weights_that_were_chosen_by_scores_are_marked(tmp_path):
    write(tmp_path / "run", result_files.mpii(weights_chosen="by the scores"))
    page = _page(tmp_path, tmp_path / "run")
    rows = _tables(page)["mpii (CVPR 2018), validation people, 1 crop"]
    assert [row[2:4] for row in rows if row[0] == "total"] == [["88.0 †", "89.0 †"]]
    assert "- weights_chosen: by the scores" in page
    assert _csv(tmp_path / "out", "mpii")[0]["weights_chosen"] == "by the scores"


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        (result_files.mpii(), "mpii.png"),
        (result_files.human36m(), "human36m.png"),
        (result_files.human36m(**DRAWN), "human36m_generated.png"),
        (result_files.speed(3, **DRAWN), "speed_generated.png"),
    ],
)
def test_figures_are_drawn_of_what_was_measured(tmp_path, scores, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "speed.png").write_bytes(b"of earlier results")
    write(tmp_path / "run", scores)
    page = _page(tmp_path, tmp_path / "run")
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == [name]
    assert f"]({name})" in page
    with Image.open(tmp_path / "out" / name) as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_the_papers_figures_stand_beside_their_own_setting():
    h36m = "human36m (CVPR 2018), 7 crops"
    assert paper_figure("human36m", f"{h36m}, mirrored", "Eating") == 47.6
    assert paper_figure("human36m", f"{h36m}, 1 refinement", "Eating") is None
    assert paper_figure("human36m", "human36m (CVPR 2018), 1 crop", "Eating") is None
    one = "mpii (CVPR 2018), validation people, 1 crop"
    assert paper_figure("mpii", f"{one}, mirrored", "total") is None
    assert paper_figure(
        "ablation", "ntu (CVPR 2018), cs, annotated boxes, one clip", "m"
    )
    assert not paper_figure("ntu", "ntu (CVPR 2018), cv", "annotated boxes, one clip")
    assert not paper_figure(
        "penn", "penn_spnet (TPAMI 2020)", "whole picture, one clip"
    )
    whole = paper_figure("penn", "penn (CVPR 2018)", "whole picture, one clip")
    assert whole == pytest.approx(97.4)


def test_the_papers_figures_by_action_average_to_its_mean():
    mean = np.mean(list(PAPER_H36M["actions"].values()))
    assert len(PAPER_H36M["actions"]) == 15
    assert mean == pytest.approx(PAPER_H36M["multi_crop"], abs=0.05)
