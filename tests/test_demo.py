"""The demo page: what its server takes and refuses."""

import concurrent.futures
import contextlib
import os
import socket
import sys
import threading
import time

import numpy as np
import pytest
from demo_server import HOST, LIMITS, encoded, serving
from demo_server import clip as clip
from demo_server import server as server
from malformed_files import MALFORMED, NEITHER
from PIL import Image
from tiny_models import constant_model
from video_files import cut, write_sound, write_timed_video, write_video

from deephar.demo.decoding import PICTURE, Decoder
from deephar.demo.jobs import Jobs
from deephar.demo.limits import Limits
from deephar.demo.uploads import Upload, Uploads
from deephar.inference import PosePredictor
from deephar.inference.schema import validate
from deephar.utils.layouts import custom_layout
from deephar.utils.pose import coco17j, pa16j2d, pa17j3d

pytest.importorskip("starlette", reason="the extra `app` is not installed")
pytest.importorskip("uvicorn", reason="the extra `app` is not installed")


def test_a_picture_is_looked_at(server):
    key, state = server.upload(encoded(size=(200, 100)))
    assert (state["state"], state["kind"], state["size"]) == (
        *("done", "picture"),
        [200, 100],
    )
    assert (state["blocks"], state["about"]["block"], state["notes"]) == ([1, 2], 2, [])
    found = server.predictions(key)
    validate(found)
    (frame,) = found["frames"]
    head = frame["people"][0]["pose"]["joints"]["head"]
    assert head["x"] == pytest.approx(100, abs=2)
    status, headers, jpeg = server.ask("GET", f"/api/uploads/{key}/frames/1")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert jpeg[:2] == b"\xff\xd8"
    assert server.ask("GET", f"/api/uploads/{key}/frames/2")[0] == 404


def test_a_clip_tells_actions_and_poses_in_space(server, clip):
    key, state = server.upload(clip.read_bytes())
    assert (state["kind"], state["frames"]) == ("clip", 12)
    assert state["blocks"] == [1, 2, 3, 4]
    found = server.predictions(key)
    validate(found)
    people = [frame["people"] for frame in found["frames"]]
    assert [len(there) for there in people] == [1] * 12
    assert people[3][0]["action"]["labels"] == ["sit", "stand", "walk"]
    assert set(people[3][0]["action"]["scores"]) == {f"act{n}_a0" for n in (1, 2, 3, 4)}
    assert people[0][0]["pose_3d"]["joints"]["pelvis"] == [0, 0, 0]


def test_a_network_is_cut_at_a_block(server, clip):
    key, _ = server.upload(clip.read_bytes())
    path = f"/api/uploads/{key}/looks?block=2"
    assert server.json("POST", path)[0] == 202
    assert server.look(key, 2)["about"]["block"] == 2
    found = server.predictions(key, 2)
    action = found["frames"][-1]["people"][0]["action"]
    assert (found["block"], list(action["scores"])) == (2, ["act2_a0"])
    assert server.json("POST", path)[1]["state"] == "done"
    status, told = server.json("POST", path.replace("=2", "=9"))
    assert (status, told["message"]) == (400, "block must be one of [1, 2, 3, 4]")


def test_nobody_waits_while_a_network_is_loaded(server, monkeypatch):
    from deephar.demo.networks import ActionPredictor

    load, loading, go = ActionPredictor.load, threading.Event(), threading.Event()

    def slow(*args, **options):
        loading.set()
        assert go.wait(60)
        return load(*args, **options)

    monkeypatch.setattr(ActionPredictor, "load", slow)
    key, _ = server.upload(encoded())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        begun = pool.submit(server.json, "POST", "/api/streams?block=3")
        try:
            assert loading.wait(60)
            looks = f"/api/uploads/{key}/looks"
            assert server.json("POST", f"{looks}?block=2", timeout=9)[0] == 202
            assert server.json("GET", f"{looks}/last", timeout=9)[0] == 200
            assert server.ask("GET", "/static/app.css", timeout=9)[0] == 200
        finally:
            go.set()
        status, stream = begun.result()
    assert status == 201
    assert server.ask("DELETE", f"/api/streams/{stream['id']}")[0] == 204


def test_of_a_long_clip_the_beginning_is_looked_at(server, tmp_path):
    long = write_timed_video(tmp_path / "long.mp4", range(0, 4000, 400))
    _, state = server.upload(long.read_bytes())
    assert state["frames"] == 5
    assert state["notes"] == ["only the first 2 s are looked at"]
    quick = write_timed_video(tmp_path / "quick.mp4", range(0, 100, 10))
    _, state = server.upload(quick.read_bytes())
    assert state["frames"] == 3
    assert state["notes"] == ["at most 30 frames a second are looked at"]
    broken = cut(write_video(tmp_path / "cut.avi", 25))
    _, state = server.upload(broken.read_bytes())
    assert 5 < state["frames"] < 25 and "the file must be whole" in state["notes"][0]


def test_twenty_malformed_uploads_are_told_and_end_nothing(server):
    assert len(MALFORMED) == 20
    for name, (content, message) in MALFORMED.items():
        _, state = server.upload(content)
        assert state["state"] == "failed", name
        told = state["message"]
        assert any(part.lower() in told.lower() for part in message.split("|")), name
        assert "Traceback" not in told and "/tmp" not in told, told
    assert server.upload(encoded())[1]["state"] == "done"


def test_malformed_videos_are_told(server, tmp_path, clip):
    whole = clip.read_bytes()
    files = [
        whole[: whole.index(b"moov")],
        write_sound(tmp_path / "sound.wav").read_bytes(),
        write_video(tmp_path / "none.avi", 0).read_bytes(),
        whole[:4] + b"ftyp" + bytes(100),
    ]
    for content in files:
        _, state = server.upload(content)
        assert state["state"] == "failed" and NEITHER in state["message"]


def test_malformed_requests_are_refused(server):
    large = encoded("BMP", (800, 700))
    status, told = server.json("POST", "/api/uploads", large)
    assert (status, told["message"]) == (413, "a file may have 1 MiB at most")
    chunked = b"POST /api/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n"
    broken = b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    for line in (b"Content-Length: -5\r\n", broken):
        assert b" 400 " in server.raw(chunked % line)
    half = (
        b"POST /api/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nx"
    )
    for _ in range(LIMITS.places + 1):
        server.raw(half)
    assert server.upload(encoded())[1]["state"] == "done", "all places are free again"
    for method, path, wanted in [
        ("GET", "/api/uploads/nobody/looks/last", 404),
        ("GET", "/api/uploads/..%2f..%2fetc/frames/1", 404),
        ("GET", "/static/..%2f..%2fapp.py", 404),
        ("GET", "/static/../app.py", 404),
        ("POST", "/api/streams?block=x", 400),
        ("POST", "/api/streams?block=77", 400),
        ("POST", "/api/streams/nobody/frames", 404),
        ("PUT", "/api/uploads", 405),
    ]:
        assert server.ask(method, path)[0] == wanted, path


def test_other_names_and_other_pages_are_refused(server):
    assert server.ask("GET", "/", Host="evil.example")[0] == 403
    assert server.ask("GET", "/", Host=f"localhost:{server.port}")[0] == 200
    for origin in ("http://evil.example", "null", f"http://{server.port}:127.0.0.1"):
        status, _, told = server.ask("POST", "/api/uploads", b"x", Origin=origin)
        assert status == 403 and b"by its own page alone" in told
    status, headers, _ = server.ask("GET", "/")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_connections_that_ask_nothing_give_their_places_back(server, monkeypatch):
    from deephar.demo import serving

    monkeypatch.setattr(serving, "IDLE", 0.3)
    monkeypatch.setattr(serving, "_STALLED", 0.3)
    asks = b"GET /static/app.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1500
    for text in (b"", b"GET / HTTP/1.1\r\nHost: 127", asks):
        with contextlib.ExitStack() as stack:
            for _ in range(2 if text == asks else serving.CONNECTIONS):
                silent = socket.create_connection((HOST, server.port), timeout=60)
                stack.enter_context(silent).sendall(text)
            wait_until(lambda: not server.connections)
            # A busy machine may take some of them only now, and close them then.
            wait_until(lambda: server.ask("GET", "/")[0] == 200)


def wait_until(true):
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_three_users_at_once_get_their_own(server, clip):
    sizes = [(70, 50), (90, 60), None]

    def use(size):
        content = clip.read_bytes() if size is None else encoded(size=size)
        found = []
        for _ in range(3):
            key, state = server.upload(content)
            found.append((state["size"], len(server.predictions(key)["frames"])))
        return found

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(use, sizes))
    wanted = [([70, 50], 1), ([90, 60], 1), ([64, 48], 12)]
    assert found == [[one] * 3 for one in wanted]


def test_a_dropped_upload_is_gone(server):
    key, _ = server.upload(encoded())
    assert server.ask("DELETE", f"/api/uploads/{key}")[0] == 204
    status, told = server.json("GET", f"/api/uploads/{key}/looks/last")
    assert (status, told["message"]) == (
        *(404, "it is not here any more; upload it again"),
    )


def test_a_frame_that_goes_while_it_is_asked_for_is_told(server, monkeypatch, tmp_path):
    key, _ = server.upload(encoded())
    monkeypatch.setattr(Upload, "frame_path", lambda *_: tmp_path / "gone.jpg")
    status, told = server.json("GET", f"/api/uploads/{key}/frames/1")
    assert (status, told["message"][:14]) == (404, "it is not here")


def test_a_webcam_is_looked_at_frame_by_frame(server):
    begun = [server.json("POST", "/api/streams?block=1") for _ in range(2)]
    assert [(status, one["block"]) for status, one in begun] == [(201, 1)] * 2
    status, told = server.json("POST", "/api/streams")
    assert status == 503
    assert told["message"].startswith("2 webcams are looked at already")
    path = f"/api/streams/{begun[0][1]['id']}"
    for number in range(1, 7):
        status, answer = server.json("POST", f"{path}/frames", encoded("JPEG"))
        assert (status, answer["frame"]["number"]) == (200, number)
    person = answer["frame"]["people"][0]
    assert list(person["action"]["scores"]) == ["act1_a0"]
    assert answer["late"] == 4 and list(answer["space"]) == [str(person["id"])]
    for content, message in {
        b"no": "a frame must be a JPEG. Received: 2 bytes of something else",
        b"": "a frame must be a JPEG. Received: 0 bytes of something else",
        encoded("JPEG")[:-99]: "a frame must be a whole JPEG: ",
        encoded("JPEG", (1200, 9)): "a frame may have 960 px a side. Received: 1200 x "
        "9 px",
    }.items():
        status, told = server.json("POST", f"{path}/frames", content)
        assert status == 400 and told["message"].startswith(message)
    for _, one in begun:
        assert server.ask("DELETE", f"/api/streams/{one['id']}")[0] == 204
    assert server.ask("POST", f"{path}/frames", encoded("JPEG"))[0] == 404


def test_a_file_that_does_not_arrive_loses_its_place():
    from deephar.demo.app import Demo

    begun = (
        b"POST /api/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Length: 9\r\n\r\nshort"
    )
    with serving(Demo(None, Limits(timeout=0.2, places=1))) as slow:
        for _ in range(2):
            with socket.create_connection((HOST, slow.port), timeout=60) as connection:
                connection.sendall(begun)
                answer = connection.makefile("rb").read()
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"it did not arrive in 0.2 s" in answer


def test_a_file_on_which_the_decoder_hangs_or_starves_is_told(tmp_path):
    pipe, large = tmp_path / "pipe", tmp_path / "large.png"
    os.mkfifo(pipe)
    Image.new("L", (20000, 3000)).save(large)
    decoder = Decoder(Limits(timeout=0.5))
    with pytest.raises(ValueError, match="reading the file took longer than 0.5 s"):
        list(decoder.read(str(pipe)))
    decoder.close()
    decoder = Decoder(Limits(memory_mb=700))
    with pytest.raises(ValueError, match="memory"):
        list(decoder.read(str(large)))
    Image.new("L", (30, 20)).save(large)
    kind, frame, notes = decoder.read(str(large))
    assert (kind["size"], frame.time, notes) == ([30, 20], None, {"notes": []})
    decoder.close()


def test_the_command_serves_a_file_first(server, monkeypatch, tmp_path, capsys):
    import uvicorn

    from deephar.commands import demo_app
    from deephar.demo.networks import Networks

    served = []

    def run(_, sockets):
        served.append(sockets[0].getsockname()[1])

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(Networks, "load", lambda _: ["one", "other", "one"])
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded())
    demo_app.main([str(picture), "--port", "0", "--no-lift"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "looks by the weights one, other"
    assert said[1].startswith(f"http://127.0.0.1:{served[0]}/#")
    with pytest.raises(ValueError, match=r"0.0001 MiB at most \(--max-mb\). Received"):
        demo_app.main([str(picture), "--port", "0", "--max-mb", "0.0001"])
    with pytest.raises(FileNotFoundError, match="no such picture or clip: none.mp4"):
        demo_app.main(["none.mp4"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(OSError, match=f"--port {port}: cannot listen there"):
            demo_app.main(["--port", port])
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ValueError, match=r'uvicorn.*pip install "deephar\[app\]"'):
        demo_app.main([])


def test_poses_are_lifted_where_the_joints_allow_it():
    from deephar.demo.networks import liftable

    hand = custom_layout(["wrist", "thumb"], links=[("wrist", "thumb")])
    found = [liftable(layout) for layout in (pa16j2d, coco17j, pa17j3d, hand)]
    assert found == [True, True, False, False]


@pytest.mark.parametrize("links", [[], ["ab", "bc", "ca"]])
def test_networks_of_any_joints_in_space_are_told(monkeypatch, links):
    from deephar.demo import networks

    layout = custom_layout([*"abcd"], [("a", "b")], map(tuple, links), dim=3)
    model = constant_model(np.full((4, 4), 0.5), (32, 32))
    settings = {"network": "human36m"}

    def load(weights, **_):
        return PosePredictor(model, layout)

    monkeypatch.setattr(networks.PosePredictor, "load", load)
    monkeypatch.setattr(networks, "weights_settings", lambda *_: ("", settings))
    space = networks.Networks("own.weights.h5").about(PICTURE)["space"]
    assert space["joint_names"] == list("abcd") and not space["lifted"]
    names = ["".join("abcd"[joint] for joint in pair) for pair in space["links"]]
    assert sorted(names) == links
    red, blue, green, _ = space["colors"]
    assert red != blue != green


def test_a_fault_of_the_program_ends_one_look(caplog):
    go, uploads = threading.Event(), Uploads(2)

    def work(look):
        go.wait(60)
        raise TypeError("a fault of ours")

    jobs = Jobs(work, places=2)
    looks = [uploads.new().look(None)[0] for _ in range(2)]
    for look in looks:
        assert jobs.take_place()
        jobs.submit(look)
    assert not jobs.take_place() and jobs.ahead(looks[1]) == 1
    go.set()
    while not jobs.take_place():
        pass
    jobs.close()
    assert looks[0].message.startswith("the program failed at this file")
    assert "a fault of ours" in caplog.text
    uploads.close()


def test_the_newest_uploads_are_kept():
    uploads = Uploads(kept=2)
    some = [uploads.new() for _ in range(3)]
    assert all(uploads.get(one.id) for one in some), "those that are received stay"
    for one in some:
        one.look(None)[0].fail("enough")
    last = uploads.new()
    assert [uploads.get(one.id) is None for one in some] == [True, True, False]
    assert not some[0].folder.exists() and last.folder.exists()
    uploads.close()
    assert not last.folder.exists()
