"""convert-weights, and weights/convert.py, run as a user does."""

import dataclasses
import json
import shutil

import h5py
import numpy as np
import pytest
from scripts import run
from weight_files import names

from deephar import checkpoints, experiment
from deephar.checkpoints import KNOWN
from deephar.checkpoints.lifting import read_lifting
from deephar.commands import convert_weights

SHAPE = {"size": 64, "blocks": 1, "context": 0, "ksize": 3}
SMALL = [part for name, n in SHAPE.items() for part in (f"--{name}", str(n))]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with the weights of a small network in both forms, and its model."""
    folder = tmp_path_factory.mktemp("small")
    args = convert_weights.parse(["in.h5", "out.h5", *SMALL])
    model, _ = convert_weights.build(args)
    for i, variable in enumerate(model.weights):
        variable.assign(np.full(variable.shape, 1 + i))
    checkpoints.save_weights(model, folder / "a.h5")
    checkpoints.save_weights(model, folder / "a.weights.h5")
    return folder, model


def read_report(path):
    return json.loads(path.with_name(f"{path.name}.json").read_text())


def test_a_file_of_the_original_goes_to_keras_3_and_back(shared, tmp_path):
    models = shared / "golden" / "models"
    shutil.copyfile(models / "a_rec2d_concat" / "weights.h5", tmp_path / "in.h5")
    (tmp_path / "model.json").write_text('{"blocks": 2}')
    done = run("weights/convert.py", "in.h5", "out.weights.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in ("layout Keras 2  tensors 164", "layout Keras 3  tensors 155"):
        assert text in done.stdout
    report = read_report(tmp_path / "out.weights.h5")
    assert (report["tensors_used"], report["constants_dropped"]) == (155, 9)
    assert report["parameters"] == report["to"]["values"] == 4_444_224
    assert report["from"]["values"] == 4_545_600
    assert report["from"]["md5"] == checkpoints.md5_of(tmp_path / "in.h5")
    convert_weights.main([f"{tmp_path}/out.weights.h5", f"{tmp_path}/back.h5"])
    report = read_report(tmp_path / "back.h5")
    assert (report["constants_dropped"], report["constants_added"]) == (0, 9)
    assert report["to"]["dtypes"] == ["float32"]
    with h5py.File(tmp_path / "in.h5") as a, h5py.File(tmp_path / "back.h5") as b:
        for group in names(b, "layer_names"):
            assert names(a[group]) == names(b[group])
            for name in names(a[group]):
                np.testing.assert_array_equal(a[group][name], b[group][name])


def test_a_published_3d_file_keeps_its_positions(shared, tmp_path, monkeypatch):
    network = KNOWN["human36m"].network
    two = dataclasses.replace(network, arguments={**network.arguments, "num_blocks": 2})
    small = dataclasses.replace(KNOWN["human36m"], network=two)
    monkeypatch.setitem(KNOWN, "human36m", small)
    path = shared / "golden" / "models" / "b_rec3d" / "weights.h5"
    out = tmp_path / "out.weights.h5"
    convert_weights.main([str(path), str(out), "--name", "human36m"])
    assert read_report(out)["constants_dropped"] == 5
    with h5py.File(out) as file:
        assert json.loads(file.attrs["deephar_options"]) == {"zSAM/conv1d_1": "centers"}


def test_a_published_name_is_found_and_built_by_the_table(small, tmp_path, monkeypatch):
    folder, model = small
    (tmp_path / KNOWN["mpii"].file).write_bytes((folder / "a.h5").read_bytes())
    arguments = {"input_shape": (64, 64, 3), "num_joints": 16, "dim": 2}
    arguments |= {"num_blocks": 1, "num_context_per_joint": 0, "ksize": (3, 3)}
    arguments |= {"joint_probability": "sigmoid"}
    known = dataclasses.replace(
        KNOWN["mpii"],
        md5=checkpoints.md5_of(folder / "a.h5"),
        network=checkpoints.Network("reception.build", arguments),
    )
    monkeypatch.setitem(KNOWN, "mpii", known)
    monkeypatch.setenv("DEEPHAR_WEIGHTS", str(tmp_path))
    convert_weights.main(["mpii", f"{tmp_path}/by_name/w.weights.h5"])
    convert_weights.main([f"{folder}/a.h5", f"{tmp_path}/by_md5/w.weights.h5"])
    (tmp_path / "model.json").write_text('{"network": "ntu"}')
    content = (folder / "a.h5").read_bytes()
    (tmp_path / "beside.h5").write_bytes(content)
    convert_weights.main([f"{tmp_path}/beside.h5", f"{tmp_path}/other/w.weights.h5"])
    for name in ("by_name", "by_md5", "other"):
        report = read_report(tmp_path / name / "w.weights.h5")
        assert report["tensors_used"] == len(model.weights)
        settings = json.loads((tmp_path / name / "model.json").read_text())
        assert settings == experiment.default_settings("mpii") | SHAPE
    with pytest.raises(ValueError, match=r"model\.json: is of another network; OUT"):
        convert_weights.main(["mpii", f"{tmp_path}/here.weights.h5"])
    assert not (tmp_path / "here.weights.h5").exists()
    with pytest.raises(ValueError, match=r"mpii is published, .* no \['blocks'\]"):
        convert_weights.main(["mpii", f"{tmp_path}/x.h5", "--blocks", "2"])


def test_a_given_model_file_shapes_the_network(small, tmp_path):
    folder, _ = small
    (tmp_path / "shape.json").write_text(json.dumps(SHAPE))
    command = [f"{folder}/a.weights.h5", f"{tmp_path}/b.hdf5"]
    convert_weights.main([*command, "--model", f"{tmp_path}/shape.json"])
    assert read_report(tmp_path / "b.hdf5")["to"]["layout"] == "Keras 2"


def test_an_spnet_goes_to_the_original_s_names_and_keeps_its_split(tmp_path):
    shape = {"size": 32, "pyramids": 1, "action_pyramids": "1", "levels": 2}
    shape |= {"image_div": 4, "growth": 8, "ksize": 3, "frames": 4, "actions": 3}
    shape |= {"pose_features": 16, "visual_features": 16, "protocol": "cv"}
    settings = experiment.default_settings("ntu_spnet") | shape
    model = experiment.build_network("ntu_spnet", settings)
    (tmp_path / "run").mkdir()
    experiment.write_json(tmp_path / "run" / "model.json", settings)
    checkpoints.save_weights(model, tmp_path / "run" / "w.weights.h5")
    out = tmp_path / "original" / "w.hdf5"
    convert_weights.main([f"{tmp_path}/run/w.weights.h5", str(out)])
    assert json.loads((out.parent / "model.json").read_text()) == settings
    with h5py.File(out) as file:
        groups = [group.removeprefix("td_") for group in names(file, "layer_names")]
        assert {"conv1", "dp1_pb1_heatmaps_conv1", "act1_action_p_conv0a"} <= {*groups}


def test_a_split_that_nothing_tells_is_not_made_up(tmp_path):
    flags = ("--size", "32", "--blocks", "1", "--depth-maps", "4")
    command = ["in.h5", "out.h5", "--network", "ntu_pose", *flags]
    _, settings = convert_weights.build(convert_weights.parse(command))
    assert settings["blocks"] == 1 and "protocol" not in settings
    assert experiment.settings_of(KNOWN["ntu_merge"])["protocol"] == "cs"


def test_a_network_that_is_named_has_its_own_flags():
    flags = ("--size", "32", "--blocks", "1", "--depth-maps", "4")
    model, _ = convert_weights.build(
        convert_weights.parse(["a.h5", "b.h5", "--network", "human36m", *flags])
    )
    assert model.output_shape == (None, 17, 4)
    with pytest.raises(ValueError, match="--depth-maps: the 2D pose network of MPII"):
        convert_weights.build(convert_weights.parse(["a.h5", "b.h5", *flags]))


def test_what_is_there_is_only_replaced_when_told(small, tmp_path):
    folder, _ = small
    out = tmp_path / "b.h5"
    out.write_text("precious")
    command = [f"{folder}/a.weights.h5", str(out), *SMALL]
    with pytest.raises(FileExistsError, match=r"b\.h5: is there already; --overwrite"):
        convert_weights.main(command)
    assert out.read_text() == "precious"
    convert_weights.main([*command, "--overwrite"])
    assert checkpoints.describe(out)["layout"] == "Keras 2"
    with pytest.raises(ValueError, match="is IN and OUT at once"):
        convert_weights.main([str(out), str(out), *SMALL, "--overwrite"])


def test_another_network_is_refused_and_nothing_is_written(small, tmp_path):
    folder, _ = small
    command = [f"{folder}/a.h5", f"{tmp_path}/b.h5", *SMALL, "--ksize", "5"]
    with pytest.raises(ValueError, match=r"a\.h5: tensor .* its shape must be"):
        convert_weights.main(command)
    assert not list(tmp_path.iterdir())


def test_a_layout_without_a_builder_is_named(small, tmp_path, monkeypatch):
    network = checkpoints.Network("nowhere.build", {})
    known = dataclasses.replace(KNOWN["penn_spnet"], network=network)
    monkeypatch.setitem(KNOWN, "penn_spnet", known)
    command = [f"{small[0]}/a.h5", f"{tmp_path}/b.h5", "--name", "penn_spnet"]
    with pytest.raises(ValueError, match=r"has no deephar\.models\.nowhere"):
        convert_weights.main(command)


def test_writing_is_checked_by_reading_back(small, tmp_path, monkeypatch):
    folder, model = small
    save = checkpoints.save_weights

    def save_wrongly(model, path, short_kernels):
        model.set_weights([value + 1 for value in model.get_weights()])
        save(model, path)

    monkeypatch.setattr(checkpoints, "save_weights", save_wrongly)
    with pytest.raises(OSError, match=r"b\.h5: does not hold what was written"):
        convert_weights.main([f"{folder}/a.h5", f"{tmp_path}/b.h5", *SMALL])


def test_half_precision_is_read_and_reported(small, tmp_path):
    folder, _ = small
    path = shutil.copy(folder / "a.h5", tmp_path / "half.h5")
    with h5py.File(path, "a") as file:
        name = names(file["RegMap1"])[0]
        value = file["RegMap1"][name][...].astype("float16")
        del file["RegMap1"][name]
        file["RegMap1"][name] = value
    convert_weights.main([str(path), f"{tmp_path}/b.weights.h5", *SMALL])
    report = read_report(tmp_path / "b.weights.h5")
    assert report["from"]["dtypes"] == ["float16", "float32"]
    assert report["to"]["dtypes"] == ["float32"]


def test_kernels_are_rounded_to_16_bits_where_that_is_asked(small, tmp_path):
    folder, _ = small
    out = tmp_path / "w.weights.h5"
    convert_weights.main([f"{folder}/a.weights.h5", str(out), "--float16", *SMALL])
    assert read_report(out)["to"]["dtypes"] == ["float16", "float32"]
    with pytest.raises(ValueError, match="is for files .weights.h5"):
        convert_weights.main([f"{folder}/a.h5", f"{out}.h5", "--float16", *SMALL])


def test_a_checkpoint_of_lifting_goes_to_keras_3_and_back(golden, tmp_path, capsys):
    source = golden / "lifting_semi.bin"
    out, back = tmp_path / "keras" / "a.weights.h5", tmp_path / "back.bin"
    convert_weights.main([str(source), str(out), "--causal"])
    assert json.loads((out.parent / "model.json").read_text()) == {
        "network": "lifting",
        "num_joints_in": 3,
        "in_features": 2,
        "num_joints_out": 3,
        "filter_widths": [3, 3],
        "channels": 4,
        "dropout": 0.25,
        "causal": True,
        "dense": False,
    }
    convert_weights.main([str(out), str(back)])
    ours, theirs = read_lifting(back), read_lifting(source)
    assert list(ours.model_pos) == list(theirs.model_pos)
    for name in set(ours.model_pos):
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(ours.model_pos[name], theirs.model_pos[name])
    report = read_report(back)
    assert (report["parameters"], report["to"]["layout"]) == (205, "PyTorch")
    assert report["to"]["tensors"] == 20 and report["from"]["layout"] == "Keras 3"
    assert "layout PyTorch  tensors 20" in capsys.readouterr().out


def test_the_network_of_the_trajectory_is_converted_by_its_key(golden, tmp_path):
    out = tmp_path / "t.weights.h5"
    convert_weights.main(
        [str(golden / "lifting_semi.bin"), str(out), "--key", "model_traj"]
    )
    assert read_report(out)["parameters"] == 175
    assert json.loads((tmp_path / "model.json").read_text())["num_joints_out"] == 1


@pytest.mark.parametrize(
    ("argv", "error", "message"),
    [
        (["lifting_old.bin", "a.h5", "--blocks", "2"], ValueError, "no .'blocks'"),
        (["lifting_old.bin", "a.h5", "--name", "mpii"], ValueError, "no .'mpii'"),
        (["lifting_old.bin", "a.bin", "--key", "model_traj"], ValueError, "no weights"),
        (["lifting_old.bin", "a.h5"], ValueError, "must end in .bin or .weights.h5"),
        (["a.weights.h5", "a.bin"], FileNotFoundError, "model.json: must tell the net"),
        (["a.h5", "b.h5", "--causal"], ValueError, "is no checkpoint of lifting: no"),
    ],
)
def test_what_does_not_fit_a_checkpoint_is_refused(
    golden, tmp_path, argv, error, message
):
    source, out, *flags = argv
    argv = [str(golden / source), str(tmp_path / out), *flags]
    with pytest.raises(error, match=message):
        convert_weights.main(argv)
    assert not list(tmp_path.iterdir())
