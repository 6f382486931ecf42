import json
import logging
import re

import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights

from deephar import checkpoints, experiment
from deephar.checkpoints import KNOWN
from deephar.experiment.run import clear_earlier_training

MPII = experiment.default_settings("mpii")


def _arguments(*flags):
    parser = experiment.argument_parser("A recipe.", logdir="runs/x")
    experiment.add_network_arguments(parser, "mpii")
    experiment.add_training_arguments(parser, 24, 120, [80, 100])
    return parser.parse_args(list(flags))


def test_the_recipe_is_the_default():
    args = _arguments()
    assert (args.batch_size, args.epochs, args.lr, args.lr_drops) == (
        24,
        120,
        1e-3,
        [80, 100],
    )
    assert experiment.network_settings(args, "mpii") == MPII


def test_flags_go_before_the_model_file_and_the_model_file_before_the_recipe(tmp_path):
    (tmp_path / "model.json").write_text('{"blocks": 2, "size": 128}')
    weights = str(tmp_path / "w.weights.h5")
    settings = experiment.network_settings(
        _arguments("--weights", weights, "--size", "64"), "mpii"
    )
    assert (settings["blocks"], settings["size"], settings["ksize"]) == (2, 64, 5)


def _forks(*flags):
    parser = experiment.argument_parser("A recipe.", "runs/x", log_dir_flag=True)
    also = experiment.FORK_FLAGS
    experiment.add_network_arguments(parser, "mpii", also)
    experiment.add_training_arguments(parser, 16, 100, [10], also=also)
    return experiment.parse_training(parser, list(flags))


def test_the_forks_names_of_flags_are_further_names_of_ours():
    flags = ("--num-block", "2", "--learning-rate", "0.5", "--weights-path", "w.h5")
    args = _forks(*flags, "--log-dir", "there")
    found = (args.blocks, args.lr, args.weights, args.logdir)
    assert found == (2, 0.5, "w.h5", "there")
    args = _forks("here", "--blocks", "3", "--lr", "0.25", "--weights", "v.h5")
    found = (args.blocks, args.lr, args.weights, args.logdir)
    assert found == (3, 0.25, "v.h5", "here")
    assert _forks().logdir == "runs/x"


def test_a_run_folder_that_is_given_twice_is_refused(capsys):
    with pytest.raises(SystemExit):
        _forks("here", "--log-dir", "there")
    assert "given twice. Received: here, --log-dir there" in capsys.readouterr().err


def test_the_flags_on_record_are_found_by_log_dir(tmp_path, quiet):
    folder = str(tmp_path)
    experiment.start_training(_forks(folder, "--num-block", "2", "--batch-size", "7"))
    args = _forks("--log-dir", folder, "--resume")
    assert (args.logdir, args.batch_size, args.blocks) == (folder, 7, 2)
    with pytest.raises(ValueError, match="--blocks was 2.*Received: 3"):
        _forks("--log-dir", folder, "--resume", "--num-block", "3")


def test_the_settings_shape_the_network():
    settings = {**MPII, "size": 64, "blocks": 2, "context": 0}
    model = experiment.build_network("mpii", settings)
    assert model.input_shape == (None, 64, 64, 3)
    assert [tuple(o.shape) for o in model.outputs] == [(None, 16, 3)] * 2


def test_a_3d_network_has_depth_maps_and_its_own_joints():
    settings = experiment.default_settings("human36m") | {"size": 32, "blocks": 1}
    model = experiment.build_network("human36m", {**settings, "depth_maps": 4})
    assert [tuple(o.shape) for o in model.outputs] == [(None, 17, 4)]
    assert model.get_layer("RegMap1").output.shape[-1] == 4 * 17


def test_every_optimizer_takes_rate_and_clipping():
    for name in ("rmsprop", "sgd", "adam"):
        args = _arguments("--optimizer", name, "--lr", "0.5", "--clip-norm", "2")
        optimizer = experiment.optimizer(args)
        assert float(optimizer.learning_rate) == 0.5
        assert optimizer.global_clipnorm == 2


def test_a_run_starts_with_a_log_its_arguments_and_a_seed(tmp_path, quiet):
    args = _arguments(str(tmp_path / "a" / "b"), "--seed", "7")
    folder = experiment.start(args)
    logging.getLogger("deephar.test").info("hello")
    first = np.random.uniform()
    experiment.start(args)
    assert np.random.uniform() == first
    assert "hello" in (folder / "log.txt").read_text()
    (arguments,) = folder.glob("arguments_*.json")
    assert json.loads(arguments.read_text())["seed"] == 7


def test_patience_without_validation_is_refused(tmp_path, quiet):
    run = experiment.start_training(_arguments(str(tmp_path), "--patience", "3"))
    with pytest.raises(ValueError, match="--patience needs validation data"):
        run.callbacks(None, "pckh")


def test_json_is_written_whole_and_has_no_nan(tmp_path):
    path = tmp_path / "x.json"
    experiment.write_json(path, {"a": [1, float("nan")], "b": tmp_path})
    assert json.loads(path.read_text()) == {"a": [1, None], "b": str(tmp_path)}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def _fail():
    raise ValueError("wrong size")


def test_a_users_mistake_becomes_a_message_and_the_log_keeps_the_trace(
    tmp_path, quiet, capsys
):
    experiment.start(_arguments(str(tmp_path)))
    with pytest.raises(SystemExit, match="error: wrong size"):
        experiment.run_script(_fail)
    assert "in _fail" in (tmp_path / "log.txt").read_text()
    assert "Traceback" not in capsys.readouterr().out


def test_an_interruption_ends_with_its_status():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        experiment.run_script(interrupt)
    assert end.value.code == 130


@pytest.mark.parametrize(
    ("flag", "value", "rule"),
    [
        ("--epochs", "0", "an integer of at least 1"),
        ("--steps-per-epoch", "-5", "an integer of at least 1"),
        ("--workers", "0", "an integer of at least 1"),
        ("--batch-size", "two", "an integer of at least 1"),
        ("--blocks", "0", "an integer of at least 1"),
        ("--seed", "-1", r"an integer from 0 to 2\*\*32 - 1"),
        ("--lr-drops", "-3", "an integer of at least 0"),
        ("--size", "70", "a positive multiple of 32"),
        ("--lr", "nan", "a number above 0"),
        ("--lr", "-1", "a number above 0"),
        ("--clip-norm", "0", "a number above 0"),
        ("--bn-momentum", "1", r"a number in \[0, 1\)"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_flag(flag, value, rule, capsys):
    with pytest.raises(SystemExit):
        _arguments(flag, value)
    message = capsys.readouterr().err
    assert re.search(f"argument {flag}: must be {rule}. Received: {value}", message)


def test_an_earlier_training_and_its_record_are_kept_unless_told_otherwise(
    tmp_path, quiet
):
    experiment.start_training(_arguments(str(tmp_path), "--seed", "1"))
    (tmp_path / "weights_best.weights.h5").write_text("")
    again = _arguments(str(tmp_path), "--seed", "2")
    with pytest.raises(FileExistsError, match=r"weights_best.*--overwrite"):
        experiment.start_training(again)
    (record,) = tmp_path.glob("arguments_*.json")
    assert json.loads(record.read_text())["seed"] == 1
    experiment.start_training(_arguments(str(tmp_path), "--overwrite"))
    assert (tmp_path / "weights_best.weights.h5").exists()


def test_what_an_earlier_training_left_is_cleared(tmp_path):
    for name in ("tensorboard", "checkpoints"):
        (tmp_path / name).mkdir()
    state = tmp_path / "checkpoints" / "state-00001-0000000.npz"
    for path in (state, tmp_path / "scores.json", tmp_path / "log.txt"):
        path.write_text("")
    clear_earlier_training(tmp_path)
    names = {path.name for path in tmp_path.rglob("*")}
    assert names == {"log.txt", "checkpoints"}


def _resumed(folder, *flags):
    parser = experiment.argument_parser("A recipe.", logdir="runs/x")
    experiment.add_training_arguments(parser, 24, 120, [80, 100])
    return experiment.parse_training(parser, [str(folder), "--resume", *flags])


def test_a_training_that_goes_on_has_its_flags(tmp_path, quiet):
    experiment.start_training(_arguments(str(tmp_path), "--batch-size", "7"))
    args = _resumed(tmp_path, "--epochs", "200")
    assert (args.batch_size, args.epochs, args.lr_drops) == (7, 200, [80, 100])
    with pytest.raises(ValueError, match=r"--batch-size was 7.*Received: 8"):
        _resumed(tmp_path, "--batch-size", "8")


def test_results_without_a_checkpoint_are_not_replaced(tmp_path, quiet):
    (tmp_path / "weights_last.weights.h5").write_text("")
    with pytest.raises(FileExistsError, match="no checkpoint to go on from"):
        experiment.start_training(_resumed(tmp_path))


def test_flags_stay_on_record_until_the_next_training_begins(tmp_path, quiet):
    experiment.start_training(_arguments(str(tmp_path), "--lr", "0.5"))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "state-00001-0000000.npz").write_text("")
    again = _arguments(str(tmp_path), "--lr", "0.25", "--overwrite")
    experiment.start_training(again)
    assert _resumed(tmp_path).lr == 0.5


def test_a_training_without_a_record_starts_with_the_flags_it_is_given(tmp_path):
    assert _resumed(tmp_path, "--batch-size", "8").batch_size == 8


def test_to_go_on_and_to_start_anew_are_not_asked_for_together(tmp_path, capsys):
    with pytest.raises(SystemExit):
        _resumed(tmp_path, "--overwrite")
    assert "give one of them" in capsys.readouterr().err


def test_a_damaged_record_is_named(tmp_path, quiet):
    experiment.start_training(_arguments(str(tmp_path)))
    (record,) = tmp_path.glob("arguments_*.json")
    record.write_text("{")
    with pytest.raises(ValueError, match=r"arguments_.*json: not a record of flags"):
        _resumed(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a JSON file"),
        ("5", "must hold one object. Received: 5"),
        ('{"bloks": 2}', r"unknown keys \['bloks'\]"),
        ('{"size": "big"}', "`size` must be int. Received: 'big'"),
        ('{"stem": "x"}', "`stem` must be one of"),
        ('{"ksize": -3}', "`ksize` must be an integer of at least 1"),
        ('{"blocks": 1.5}', "`blocks` must be int"),
    ],
)
def test_a_broken_model_file_is_named_with_what_is_wrong(tmp_path, text, message):
    (tmp_path / "model.json").write_text(text)
    args = _arguments("--weights", str(tmp_path / "w.weights.h5"))
    with pytest.raises(ValueError, match=rf"model\.json: {message}"):
        experiment.network_settings(args, "mpii")


@pytest.mark.parametrize("name", ["penn_spnet", "ntu_spnet"])
def test_the_papers_spnets_have_the_shape_of_the_published_files(name):
    config = experiment.model_config(experiment.default_settings(name))
    assert config == KNOWN[name].network.arguments["cfg"]


def test_a_pose_network_has_a_prediction_a_block_or_a_step_of_a_pyramid():
    counts = {"mpii": 8, "penn": 4, "mpii_spnet": 24, "penn_spnet": 18, "ntu_spnet": 6}
    for name, count in counts.items():
        settings = experiment.default_settings(name)
        assert experiment.num_predictions(settings) == count


SPNET = {"size": 32, "levels": 2, "ksize": 3, "growth": 8, "image_div": 4}
CLIP = {"frames": 4, "pose_features": 16, "visual_features": 16, "actions": 3}


def test_an_spnet_of_actions_begins_with_poses_of_more_pyramids(tmp_path, caplog):
    poses = experiment.default_settings("mpii_spnet") | SPNET | {"pyramids": 2}
    source = experiment.build_network("mpii_spnet", poses)
    set_formula_weights(source)
    checkpoints.save_weights(source, tmp_path / "w.weights.h5")
    experiment.write_json(tmp_path / "model.json", poses)
    weights = str(tmp_path / "w.weights.h5")
    shape = SPNET | CLIP | {"pyramids": 1, "action_pyramids": "1"}
    settings = experiment.default_settings("penn_spnet") | shape
    target = experiment.build_network("penn_spnet", settings, pose_weights=weights)
    pictures = formula_pictures((2, 32, 32, 3))
    view = experiment.pose_view(target, settings)
    found, expected = (m(pictures, training=False) for m in (view, source))
    np.testing.assert_allclose(found, expected[0], atol=1e-6)
    with pytest.raises(ValueError, match=r"is of 2 pyramids, .* \(--pyramids\).*: 3"):
        more = settings | {"pyramids": 3}
        experiment.build_network("penn_spnet", more, pose_weights=weights)


def test_help_shows_the_recipes_values():
    parser = experiment.argument_parser("First line.\n\nPaper  X", logdir="runs/x")
    experiment.add_training_arguments(parser, 24, 120, [80, 100])
    text = " ".join(parser.format_help().split())
    for part in ("Paper X", "runs/x", "(24)", "(120)", "([80, 100])", "(0.001)"):
        assert part in text
