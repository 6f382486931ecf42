"""Decoded pictures kept for the next epochs: the same samples, never a stale one."""

import multiprocessing
import os
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_mpii import draw, tiny_person, write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import MpiiSinglePerson, PictureError, open_cache
from deephar.data.cache import DISK_RESERVE, FolderStore, MemoryStore, PictureCache
from deephar.data.pictures import PictureFile
from deephar.utils.modes import TRAIN_MODE, VALID_MODE

CONFIG = DataConfig(
    crop_resolution=(48, 48),
    angles=range(-40, 41, 5),
    scales=(0.7, 1.0, 1.3),
    trans_x=(-20, 0, 20),
    trans_y=(-10, 0, 10),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_mpii(tmp_path_factory.mktemp("mpii") / "MPII")


@pytest.fixture
def decodings(monkeypatch):
    """(path, ratio) of every decoding."""
    original, calls = PictureFile.read, []

    def read(self, ratio, box):
        calls.append((os.path.basename(self.path), ratio))
        return original(self, ratio, box)

    monkeypatch.setattr(PictureFile, "read", read)
    return calls


def samples(data, mode=TRAIN_MODE, fast=False, seeds=range(30)):
    return [
        data.get_data(key, mode, fast, np.random.default_rng(seed))["frame"]
        for seed in seeds
        for key in range(data.get_length(mode))
    ]


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("where", ["memory", "folder"])
def test_samples_from_the_cache_are_equal_and_decoded_once(
    folder, tmp_path, where, fast, decodings
):
    expected = samples(MpiiSinglePerson(folder, CONFIG), fast=fast)
    cache = open_cache("memory" if where == "memory" else tmp_path / "cache")
    data = MpiiSinglePerson(folder, CONFIG, cache=cache)
    decodings.clear()
    for _ in range(2):
        for ours, theirs in zip(samples(data, fast=fast), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(decodings) == len(set(decodings)) <= 10
    assert {ratio for _, ratio in decodings} == ({2, 4} if fast else {1, 2})


def test_the_next_process_finds_a_folder(folder, tmp_path, decodings):
    for _ in range(2):
        data = MpiiSinglePerson(
            folder, CONFIG, cache=open_cache(tmp_path / "new" / "c")
        )
        frames = samples(data, VALID_MODE, seeds=[0])
    assert len(frames) == 3 and len(decodings) == 3


def test_no_cache_is_no_cache():
    assert open_cache(None) is None


def a_picture(path, value=0):
    draw(tiny_person("a")).point(lambda level: level ^ value).save(path)
    return str(path)


def crop(cache, path, x=30.0):
    picture = cache.open(path, False, list)
    return picture.crop(np.array([[1, 0.1, -x], [0, 1, -20], [0, 0, 1]]), (20, 16))


@pytest.mark.parametrize("where", ["memory", "folder"])
def test_a_changed_picture_is_decoded_anew(tmp_path, where, decodings):
    cache = open_cache("memory" if where == "memory" else tmp_path / "cache")
    path = a_picture(tmp_path / "a.png")
    before = crop(cache, path)
    a_picture(path, 255)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(crop(cache, path), crop(cache, path))
    after = crop(cache, path)
    np.testing.assert_allclose(after, 255 - before.astype(int), atol=1)
    assert len(decodings) == 2
    os.unlink(path)
    with pytest.raises(FileNotFoundError, match="no such picture"):
        crop(cache, path)


def test_an_entry_grows_to_what_people_of_the_picture_need(tmp_path, decodings):
    cache, path = open_cache("memory"), a_picture(tmp_path / "a.png")
    for x in (30, 80, 30, 80, 50):
        expected = crop(PictureCache(MemoryStore()), path, x)
        np.testing.assert_array_equal(crop(cache, path, x), expected)
    assert len(decodings) == 5 + 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:10],
        lambda content: b"",
        lambda content: b"x" + content[1:],
        lambda content: content[:-99] + b"\x01\x02\x03" + content[-96:],
        lambda content: content[:9] + bytes([content[9] ^ 255]) + content[10:],
        lambda content: content[:28] + b"\x01" + content[29:],
    ],
)
def test_a_damaged_entry_is_made_anew(tmp_path, damage, decodings, caplog):
    path = a_picture(tmp_path / "a.png")
    expected = crop(open_cache(tmp_path / "cache"), path)
    (entry,) = (tmp_path / "cache").rglob("*.rgb")
    content = entry.read_bytes()
    assert damage(content) != content
    entry.write_bytes(damage(content))
    np.testing.assert_array_equal(crop(open_cache(tmp_path / "cache"), path), expected)
    assert len(decodings) == 2
    assert entry.read_bytes() == content
    assert "damaged entry" in caplog.text or not damage(content)


def test_a_full_disk_is_told_once_and_the_rest_is_decoded(
    tmp_path, monkeypatch, caplog, decodings
):
    cache, path = open_cache(tmp_path / "cache"), a_picture(tmp_path / "a.png")
    free = shutil.disk_usage(tmp_path)._replace(free=DISK_RESERVE)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    first = crop(cache, path)
    np.testing.assert_array_equal(crop(cache, path), first)
    assert len(decodings) == 2
    assert len(caplog.records) == 1
    assert "takes no more pictures: 1024 MiB of the disk are left" in caplog.text
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch, caplog):
    def fail(source, target):
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr(os, "replace", fail)
    crop(open_cache(tmp_path / "cache"), a_picture(tmp_path / "a.png"))
    assert "No space left on device" in caplog.text
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


def test_memory_is_bounded_and_keeps_what_came_first(tmp_path, decodings):
    paths = [a_picture(tmp_path / f"{i}.png", i) for i in range(4)]
    cache = PictureCache(MemoryStore(limit=6000))
    for _ in range(3):
        for path in paths:
            crop(cache, path)
    assert [decodings.count((f"{i}.png", 1)) for i in range(4)] == [1, 1, 3, 3]


def test_another_process_gets_the_folder_but_not_the_memory(tmp_path):
    with pytest.raises(ValueError, match="memory cannot be shared by processes"):
        pickle.dumps(open_cache("memory"))
    folder = pickle.loads(pickle.dumps(open_cache(tmp_path / "cache")))
    assert folder.store.folder == tmp_path / "cache"


def fill(folder, path):
    cache = open_cache(folder)
    for x in np.linspace(0, 90, 40):
        crop(cache, path, x)


def test_processes_share_a_folder(tmp_path):
    path, context = a_picture(tmp_path / "a.png"), multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=fill, args=(tmp_path / "cache", path)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    cache = open_cache(tmp_path / "cache")
    for x in (0.0, 45.0, 90.0):
        expected = crop(open_cache("memory"), path, x)
        np.testing.assert_array_equal(crop(cache, path, x), expected)
    assert len([p for p in (tmp_path / "cache").rglob("*") if p.is_file()]) == 1


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        FolderStore(tmp_path / "file")


def test_a_broken_picture_stays_an_error(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (300, 200), (9, 99, 199)).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    cache = open_cache(tmp_path / "cache")
    for _ in range(2):
        with pytest.raises(PictureError, match=r"a\.jpg: image file is truncated"):
            crop(cache, str(path))
