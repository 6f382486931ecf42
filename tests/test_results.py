"""What the results of evaluations say, as figures of the papers' tables."""

import json

import pytest
import result_files
from result_files import write

from deephar.evaluation.paper_tables import paper_figure
from deephar.evaluation.receipts import Receipt
from deephar.evaluation.results import KINDS, find_files, read_result, read_results
from deephar.inference.crops import MULTI_CROP


def _figures(folder, scores):
    found = read_result(write(folder, scores))
    return {(one.table, one.part, one.row): (one.strict, one.original) for one in found}


def test_pckh_is_given_by_body_part_and_in_total(tmp_path):
    figures = _figures(tmp_path, result_files.mpii(pckh=0.875))
    part = "mpii (CVPR 2018), validation people, 1 crop"
    assert {key[:2] for key in figures} == {("mpii", part)}
    rows = {key[2]: values for key, values in figures.items()}
    assert rows["hip"] == (pytest.approx(90), None)
    assert rows["total"] == pytest.approx((87.5, 88.5))
    assert rows["total, best block"] == (None, pytest.approx(89.5))


def test_a_body_part_without_annotated_joints_has_no_figure(tmp_path):
    scores = result_files.mpii()
    scores["per_joint"]["l_hip"] = None
    rows = {key[2]: values for key, values in _figures(tmp_path, scores).items()}
    assert rows["hip"] == (None, None) and rows["knee"][0] == pytest.approx(80)


def test_another_threshold_is_another_part(tmp_path):
    figures = _figures(tmp_path, result_files.mpii() | {"threshold": 0.2})
    assert all(part.endswith("1 crop, PCKh@0.2") for _, part, _ in figures)


def test_errors_in_space_are_given_by_action_and_as_means(tmp_path):
    figures = _figures(tmp_path, result_files.human36m(looking="7 crops"))
    rows = {key[2]: values for key, values in figures.items()}
    assert rows["Walking"] == (63, 61) and rows["mean of frames"] == (60, 58)
    assert rows["P-MPJPE, mean of actions"] == (46, None)
    assert {key[1] for key in figures} == {"human36m (CVPR 2018), 7 crops"}


def test_accuracies_are_given_by_boxes_clips_and_output(tmp_path):
    scores = result_files.actions(multi_clip=True, boxes="b.json")
    figures = _figures(tmp_path, scores)
    network, way = "penn (CVPR 2018)", "boxes of a file, many clips"
    assert figures["penn", network, way] == (50, 75)
    assert figures["ablation", f"{network}, {way}", "v1"] == (25, 50)
    best = "best output on these videos"
    assert figures["ablation", f"{network}, {way}", best] == (None, 75)
    assert len(figures) == 5


def test_actions_looked_at_in_another_way_have_a_row_of_their_own(tmp_path):
    part, more = "penn (CVPR 2018)", {"steps": [1, 3], "recipe_step": 2}
    scores = result_files.actions(multi_clip=True, **more) | {"flip": False}
    row = "annotated boxes, many clips, not mirrored, step 1 and 3 instead of 2"
    assert ("penn", part, row) in _figures(tmp_path, scores)
    for place in ((part, row), (part, "annotated boxes, many clips, mirrored")):
        assert paper_figure("penn", *place) is None
    assert paper_figure("penn", part, "annotated boxes, many clips") == 98.6
    assert paper_figure("ablation", f"{part}, {row}", "m") is None


def test_errors_of_other_frames_are_another_part(tmp_path):
    figures = _figures(tmp_path, result_files.human36m(frames="one in 5000"))
    part = "human36m (CVPR 2018), 1 crop, one in 5000"
    assert {key[1] for key in figures} == {part}
    assert paper_figure("human36m", part, "mean of frames") is None
    crops = "human36m (CVPR 2018), 7 crops"
    assert paper_figure("human36m", crops, "mean of frames") == 53.2
    assert paper_figure("human36m", f"{crops}, every frame", "Eating") is None


@pytest.mark.parametrize("split", ["cs", "cv"])
def test_ntu_has_a_part_for_each_split(tmp_path, split):
    figures = _figures(tmp_path, result_files.actions("ntu", protocol=split))
    assert ("ntu", f"ntu (CVPR 2018), {split}") in {key[:2] for key in figures}


def test_both_tasks_have_their_own_tables_and_data(tmp_path):
    scores = result_files.multitask(
        pose=result_files.mpii("penn_spnet"),
        data={"penn": "P", "mpii": "M"},
        origin={"penn": "owners", "mpii": "generated"},
    )
    found = read_result(write(tmp_path, scores))
    tables = {one.table: (one.data, one.generated) for one in found}
    assert tables == {
        **{"penn": ("P", False), "ablation": ("P", False)},
        "mpii": ("M", True),
    }
    (pose, *_) = [one.part for one in found if one.table == "mpii"]
    assert pose == "penn_spnet (TPAMI 2020), validation people, 1 crop"


def test_cuts_have_speed_and_scores_of_poses_and_actions(tmp_path):
    found = read_result(write(tmp_path, result_files.speed(3)))
    rows = [(one.row, one.strict) for one in found]
    assert rows == [
        ("dp1_pb1: PCKh@0.5", pytest.approx(60)),
        ("dp1_pb2: PCKh@0.5", pytest.approx(70)),
        ("act2_a0: accuracy", pytest.approx(60)),
        ("dp1_pb3: PCKh@0.5", pytest.approx(80)),
        ("act3_a0: accuracy", pytest.approx(70)),
    ]
    assert found[2].more["frames_per_second"] == 30
    assert found[2].more["parameters"] == 200000


def test_results_come_newest_first(tmp_path):
    for year in (2024, 2026, 2025):
        scores = result_files.mpii(date=f"{year}-01-01")
        write(tmp_path / str(year), scores)
    files, empty = find_files([tmp_path, tmp_path / "2024"])
    assert len(files) == 3 and not empty
    figures, wrong, _ = read_results(files)
    years = list(dict.fromkeys(one.receipt.date.year for one in figures))
    assert years == [2026, 2025, 2024] and not wrong


def _without(scores, *keys):
    *way, last = keys
    place = scores
    for key in way:
        place = place[key]
    del place[last]
    return scores


def _cuts(**changes):
    first, second = result_files.speed(2)["cuts"]
    return result_files.speed() | {"cuts": [first, second | changes]}


RUINED = {
    "no JSON, or damaged": '{"receipt": {"comm',
    "NaN is no number": '{"a": NaN}',
    "no JSON, or damaged: .*recursion": '{"a": ' + "[" * 100000,
    "no JSON, or damaged: Exceeds": f'{{"a": {"1" * 5000}}}',
    '"cuts" 1: "ms_per_frame" is too large': json.dumps(result_files.speed(1)).replace(
        '"ms_per_frame": 16.666666666666668', '"ms_per_frame": 1e999'
    ),
    '"origin" must be of': result_files.mpii(origin="mine"),
    '"origin" must have the names': result_files.mpii(origin={"mpii": "owners"}),
    '"other_settings" must be an object': result_files.mpii(other_settings=[1]),
    'lacks "receipt"': {},
    "must be an object": [1],
    'lacks "pckh"': _without(result_files.mpii(), "pckh"),
    '"per_joint": lacks "l_knee"': _without(result_files.mpii(), "per_joint", "l_knee"),
    "\"pckh\" must be a number or null. Received: 'x'": {
        **result_files.mpii(),
        "pckh": "x",
    },
    "must be one of .*'speed2d'.* Received: 'lsp'": {
        "receipt": result_files.receipt("lsp", "x")
    },
    '"evaluation" must be': _without(result_files.mpii(), "receipt", "evaluation"),
    "\"date\" must be ISO 8601. Received: 'May'": result_files.mpii(date="May"),
    '"looking" must be a text': _without(result_files.mpii(), "receipt", "looking"),
    'must have "steps", a list': result_files.actions(recipe_step=None),
    '"protocol" must be one of': result_files.actions("ntu", protocol="cx"),
    "\"data\" must have 'h36m'": result_files.human36m(data={}, origin={}),
    "must have scores under": {**result_files.multitask(), "actions": None},
    '"cuts" 2: "ms_per_frame" must be a number': _cuts(ms_per_frame=None),
    "must be a list of two numbers": _cuts(ms_per_frame_quartiles=[1]),
}


@pytest.mark.parametrize("message", RUINED)
def test_a_file_that_is_wrong_is_named_and_the_others_are_read(tmp_path, message):
    content = RUINED[message]
    wrong = write(tmp_path / "wrong", {})
    text = content if isinstance(content, str) else json.dumps(content)
    wrong.write_text(text)
    good = write(tmp_path / "good", result_files.mpii())
    with pytest.raises(ValueError, match=message) as raised:
        read_result(wrong)
    assert str(wrong) in str(raised.value)
    figures, left_out, _ = read_results([wrong, good])
    assert list(left_out) == [wrong] and len(figures) == 9


def test_files_that_are_not_there_are_named(tmp_path):
    files, empty = find_files([tmp_path])
    assert not files and "holds no evaluation.json" in empty[tmp_path]
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        find_files([tmp_path / "nowhere"])


def test_a_receipt_is_read_whole(tmp_path):
    scores = result_files.mpii(weights=None, weights_md5=None, weights_chosen="yes")
    receipt = read_result(write(tmp_path, scores))[0].receipt
    assert isinstance(receipt, Receipt) and receipt.weights is None
    assert receipt.notes == {"looking": "1 crop", "weights_chosen": "yes"}
    assert receipt.date.isoformat() == "2026-03-02T10:00:00+00:00"


@pytest.mark.parametrize("name", ["origin", "other_settings", "published"])
def test_a_receipt_that_lacks_something_is_named(tmp_path, name):
    scores = result_files.mpii()
    del scores["receipt"][name]
    with pytest.raises(ValueError, match=f'json: "receipt": lacks "{name}"'):
        read_result(write(tmp_path, scores))


def test_a_network_with_other_settings_has_parts_of_its_own(tmp_path):
    settings = {"size": 32, "blocks": 1, "joint_probability": "window"}
    figures = _figures(tmp_path, result_files.mpii(other_settings=settings))
    name = "mpii (32 px, 1 block, joint probability window)"
    assert {part for _, part, _ in figures} == {f"{name}, validation people, 1 crop"}
    scores = result_files.actions("ntu", protocol="cs", other_settings={"blocks": 2})
    places = {key[:2] for key in _figures(tmp_path, scores)}
    assert ("ntu", "ntu (2 blocks), cs") in places


def test_a_number_that_no_float_can_hold_is_named(tmp_path):
    for text in (f"1{'0' * 400}", "1e999"):
        path = write(tmp_path, result_files.mpii())
        path.write_text(path.read_text().replace('"l_hip": 0.95', f'"l_hip": {text}'))
        figures, wrong, _ = read_results([path])
        assert not figures
        assert wrong[path].endswith('"per_joint": "l_hip" is too large a number')


def test_every_kind_has_a_file_here():
    assert set(KINDS) == {
        *("mpii", "human36m", "penn", "ntu"),
        *("penn_multitask", "ntu_multitask", "speed2d"),
    }
    assert len(MULTI_CROP) == 7
