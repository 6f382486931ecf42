"""The table of published weights, and how a file of it comes to this machine."""

import contextlib
import dataclasses
import hashlib
import http.server
import threading

import pytest

from deephar import checkpoints
from deephar.checkpoints import KNOWN, download
from deephar.config import get_dataconf

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends CONTENT as its server's attributes say."""

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = int(wanted[len("bytes=") : -1]) if wanted and server.ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            begin = server.begin or start
            self.send_header("Content-Range", f"bytes {begin}-{len(server.content)}/*")
        self.end_headers()
        self.wfile.write(body[: server.breaks_after])

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(**options):
    settings = {"content": CONTENT, "ranges": True, "breaks_after": None}
    settings |= {"status": 200, "begin": None, **options}
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    vars(server).update(settings, asked=[])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def fetch(monkeypatch, tmp_path):
    """`get` of the MPII file, whose address and md5 are those of a local server."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def fetch(server, progress=lambda *_: None):
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("deephar.checkpoints.known.RELEASES", address)
        local = dataclasses.replace(KNOWN["mpii"], md5=MD5)
        monkeypatch.setitem(KNOWN, "mpii", local)
        return checkpoints.get("mpii", tmp_path, progress)

    return fetch


@pytest.fixture
def path(tmp_path):
    return tmp_path / KNOWN["mpii"].file


@pytest.fixture
def part(path):
    return path.with_name(f"{path.name}.part")


# --- the table ---


def test_the_table_names_builders_that_fit(shared):
    assert list(KNOWN) == [
        *("mpii", "human36m", "penn_merge", "ntu_merge", "penn_spnet", "ntu_spnet")
    ]
    reference = (shared / "docs" / "reference.md").read_text()
    for published in KNOWN.values():
        row = next(r for r in reference.splitlines() if published.file in r)
        assert (published.md5 or "| - |") in row
        assert (published.release or "shared drive") in row
        assert published.dataconf and get_dataconf(published.dataconf)
    assert KNOWN["mpii"].address == (
        "https://github.com/dluvizon/deephar/releases/download/v0.1/"
        "weights_PE_MPII_cvpr18_19-09-2017.h5"
    )
    forms = [p.joint_probability for p in KNOWN.values()]
    assert forms == ["sigmoid", None, "sigmoid", None, None, None]


def test_the_readme_has_the_table(golden):
    text = (golden.parents[1] / "weights" / "README.md").read_text()
    _, _, text = text.partition("\n## Published weights\n")
    first, _, _ = text.partition("\n## ")
    rows = [row for row in first.splitlines() if row.startswith("| ")][2:]
    assert len(rows) == len(KNOWN)
    for row, known in zip(rows, KNOWN.values(), strict=True):
        cells = row.strip("| ").split(" | ")
        where = known.release or f"[drive]({known.drive})"
        md5 = known.md5 or "not published"
        assert cells[:4] == [known.name, known.file, where, md5]
        figure = known.figure or "not stated with it"
        assert (cells[5], cells[7]) == (known.dataconf, figure)
        assert known.joint_probability in (None, cells[6])


def test_frame_steps_are_those_of_each_file():
    steps = {n: get_dataconf(p.dataconf).fixed_subsampling for n, p in KNOWN.items()}
    merged, spnet = ("penn_merge", "ntu_merge"), ("penn_spnet", "ntu_spnet")
    assert [steps[name] for name in merged] == [1, 2]
    assert [steps[name] for name in spnet] == [6, 4]


def test_a_network_builds_what_it_says():
    shape = {"input_shape": (32, 32, 3), "num_joints": 2, "dim": 2, "num_blocks": 1}
    model = checkpoints.Network("reception.build", shape).build()
    assert model.output_shape == (None, 2, 3)


def test_a_builder_that_is_not_here_is_named():
    network = checkpoints.Network("nothing.build", {})
    with pytest.raises(ValueError, match=r"no deephar\.models\.nothing .*Received: b"):
        network.build()


def test_a_file_is_recognised_by_content_then_by_name(tmp_path, monkeypatch, path):
    other = tmp_path / "other.h5"
    other.write_bytes(CONTENT)
    assert checkpoints.recognise(other) == (None, False)
    path.write_bytes(b"trained anew")
    assert checkpoints.recognise(path) == (KNOWN["mpii"], False)
    monkeypatch.setitem(KNOWN, "mpii", dataclasses.replace(KNOWN["mpii"], md5=MD5))
    assert checkpoints.recognise(other) == (KNOWN["mpii"], True)


# --- the folder ---


def test_the_folder_is_the_checkouts_the_users_or_the_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("DEEPHAR_WEIGHTS", raising=False)
    here = download.weights_folder()
    assert (here.name, (here / "README.md").is_file()) == ("weights", True)
    monkeypatch.setenv("DEEPHAR_WEIGHTS", str(tmp_path))
    assert download.weights_folder() == tmp_path
    monkeypatch.delenv("DEEPHAR_WEIGHTS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    installed = tmp_path / "site" / "deephar" / "checkpoints" / "download.py"
    monkeypatch.setattr(download, "__file__", str(installed))
    assert download.weights_folder() == tmp_path / ".cache" / "deephar"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "large"))
    assert download.weights_folder() == tmp_path / "large" / "deephar"


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"must be one of mpii, human36m.*'mpi'"):
        checkpoints.get("mpi", tmp_path)


# --- transfers ---


def test_a_whole_file_comes_under_its_name_with_progress(fetch, path, tmp_path):
    seen = []
    with served() as server:
        assert fetch(server, lambda *numbers: seen.append(numbers)) == path
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and len(seen) > 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_bar_is_drawn_unless_told_otherwise(fetch, capsys):
    with served() as server:
        fetch(server, None)
    assert "256000/256000" in capsys.readouterr().out


def test_a_file_that_is_there_is_not_fetched_again(fetch, path):
    path.write_bytes(CONTENT)
    with served() as server:
        assert fetch(server) == path
    assert server.asked == []


def test_another_file_under_the_name_is_refused_and_kept(fetch, path):
    path.write_bytes(b"mine")
    with served() as server, pytest.raises(ValueError) as caught:
        fetch(server)
    for text in (str(path), hashlib.md5(b"mine").hexdigest(), MD5, "Remove or rename"):
        assert text in str(caught.value)
    assert path.read_bytes() == b"mine" and server.asked == []


def test_a_broken_transfer_goes_on_in_the_same_call(fetch, path):
    with served(breaks_after=100_000) as server:
        fetch(server)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_a_broken_transfer_is_resumed_by_the_next_call(fetch, path, part):
    with served(breaks_after=100_000, ranges=False) as server:
        with pytest.raises(OSError, match=r"broke off after 100000 of 256000") as e:
            fetch(server)
    assert f"100000 bytes are kept in {part}; try again" in str(e.value)
    assert part.stat().st_size == 100_000 and not path.exists()
    with served() as server:
        fetch(server)
    assert path.read_bytes() == CONTENT and not part.exists()
    assert server.asked == ["bytes=100000-"]


def test_a_server_without_ranges_sends_all_again(fetch, path, part):
    part.write_bytes(b"x" * 70_000)
    with served(ranges=False) as server:
        fetch(server)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_whole_needs_no_server(fetch, path, part):
    part.write_bytes(CONTENT)
    with served() as server:
        fetch(server)
    assert path.read_bytes() == CONTENT and server.asked == []


def test_a_part_that_is_too_long_is_dropped(fetch, path, part):
    part.write_bytes(CONTENT + b"more")
    with served() as server:
        fetch(server)
    assert path.read_bytes() == CONTENT and server.asked == ["bytes=256004-", None]


def test_another_range_than_asked_for_is_refused(fetch, part):
    part.write_bytes(CONTENT[:1000])
    with served(begin=5) as server, pytest.raises(OSError, match="another range"):
        fetch(server)
    assert part.read_bytes() == CONTENT[:1000]


def test_a_wrong_md5_is_an_error_and_leaves_nothing(fetch, tmp_path):
    wrong = CONTENT[:-1] + b"?"
    with served(content=wrong) as server, pytest.raises(ValueError) as caught:
        fetch(server)
    assert hashlib.md5(wrong).hexdigest() in str(caught.value)
    assert MD5 in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_on_the_server_says_so(fetch, tmp_path):
    with served(status=404) as server, pytest.raises(OSError, match="404: Not Found"):
        fetch(server)
    assert list(tmp_path.iterdir()) == []


def test_offline_says_how_to_fetch_by_hand(fetch, path):
    with served() as server:
        address = f"http://127.0.0.1:{server.server_port}/v0.1/{path.name}"
    with pytest.raises(OSError, match="refused") as caught:
        fetch(server)
    hint = f"By hand: fetch {address} and put it at {path} (md5 {MD5})."
    assert hint in str(caught.value)


def test_a_file_of_the_shared_drive_is_found_but_not_fetched(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"By hand: fetch https://drive\.goo"):
        checkpoints.get("penn_spnet", tmp_path)
    here = tmp_path / "weights_mpii+penn_ar_028.hdf5"
    here.write_bytes(b"anything")
    assert checkpoints.get("penn_spnet", tmp_path) == here


def test_two_at_a_time_fetch_once(fetch, tmp_path):
    with served() as server:
        threads = [threading.Thread(target=fetch, args=(server,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.asked == [None]
