import argparse
import json
import logging

import keras
import pytest

from deephar import experiment


def _arguments(*flags):
    parser = experiment.argument_parser("A recipe.", logdir="runs/x")
    experiment.add_reception_arguments(parser)
    experiment.add_training_arguments(parser, 24, 120, [80, 100])
    return parser.parse_args(list(flags))


@pytest.fixture
def quiet():
    """Puts logging and the dtype policy back as they were."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    for handler in logging.root.handlers:
        handler.close()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    keras.mixed_precision.set_dtype_policy("float32")


def test_the_recipe_is_the_default():
    args = _arguments()
    assert (args.batch_size, args.epochs, args.lr, args.lr_drops) == (
        24,
        120,
        1e-3,
        [80, 100],
    )
    assert experiment.reception_settings(args) == experiment.RECEPTION_DEFAULTS


def test_flags_go_before_the_model_file_and_the_model_file_before_the_recipe(tmp_path):
    (tmp_path / "model.json").write_text('{"blocks": 2, "size": 128}')
    weights = str(tmp_path / "w.weights.h5")
    settings = experiment.reception_settings(
        _arguments("--weights", weights, "--size", "64")
    )
    assert (settings["blocks"], settings["size"], settings["ksize"]) == (2, 64, 5)


def test_the_settings_shape_the_network():
    settings = {**experiment.RECEPTION_DEFAULTS, "size": 64, "blocks": 2, "context": 0}
    model = experiment.build_reception(settings)
    assert model.input_shape == (None, 64, 64, 3)
    assert [tuple(o.shape) for o in model.outputs] == [(None, 16, 3)] * 2


def test_every_optimizer_takes_rate_and_clipping():
    for name in experiment.OPTIMIZERS:
        args = _arguments("--optimizer", name, "--lr", "0.5", "--clip-norm", "2")
        optimizer = experiment.optimizer(args)
        assert float(optimizer.learning_rate) == 0.5
        assert optimizer.global_clipnorm == 2


def test_a_run_starts_with_a_log_its_arguments_and_a_seed(tmp_path, quiet):
    args = _arguments(str(tmp_path / "a" / "b"), "--seed", "7")
    folder = experiment.start(args)
    logging.getLogger("deephar.test").info("hello")
    first = float(keras.random.normal(()))
    experiment.start(args)
    assert float(keras.random.normal(())) == first
    assert "hello" in (folder / "log.txt").read_text()
    assert json.loads((folder / "arguments.json").read_text())["seed"] == 7


def test_mixed_precision_is_bfloat16_unless_it_says_otherwise(tmp_path, quiet):
    experiment.start(_arguments(str(tmp_path), "--mixed-precision"))
    assert keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
    experiment.start(_arguments(str(tmp_path), "--mixed-precision", "mixed_float16"))
    assert keras.mixed_precision.dtype_policy().name == "mixed_float16"


def test_patience_without_validation_is_refused(tmp_path):
    args = _arguments("--patience", "3")
    with pytest.raises(ValueError, match="--patience needs validation data"):
        experiment.training_callbacks(args, tmp_path, None, "pckh")


def test_a_receipt_knows_the_weights(tmp_path):
    weights = tmp_path / "w.h5"
    weights.write_bytes(b"abc")
    receipt = experiment.receipt(str(weights), "data")
    assert receipt["weights_md5"] == "900150983cd24fb0d6963f7d28e17f72"
    assert experiment.receipt(None, "data")["weights_md5"] is None


def test_json_is_written_whole(tmp_path):
    path = tmp_path / "x.json"
    experiment.write_json(path, {"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_users_mistake_becomes_a_message():
    def fail():
        raise ValueError("wrong size")

    with pytest.raises(SystemExit, match="error: wrong size"):
        experiment.run_script(fail)


def test_the_parser_shows_the_scripts_docstring():
    parser = experiment.argument_parser("First line.\n\nPaper  X", logdir="runs/x")
    assert isinstance(parser, argparse.ArgumentParser)
    assert "Paper  X" in parser.format_help()
