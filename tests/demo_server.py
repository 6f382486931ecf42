"""The demo page on a port of this machine, with networks that answer at once."""

import contextlib
import http.client
import io
import json
import socket
import threading
import time

import keras
import numpy as np
import pytest
from PIL import Image
from tiny_models import constant_model
from tiny_spnet import build
from tiny_watching import FIGURE, LABELS, TinyActions
from video_files import write_timed_video

from deephar.checkpoints.lifting import save_network
from deephar.demo.limits import Limits
from deephar.inference import ClipPredictor, PosePredictor
from deephar.models import lifting, spnet
from deephar.utils.pose import pa16j2d

HOST = "127.0.0.1"
LIMITS = Limits(max_mb=1, max_seconds=2, timeout=60, idle=60, streams=2)


def use_tiny_networks(monkeypatch):
    """Has the demo page look by tiny networks, of two blocks and of four."""
    from deephar.demo import networks

    acts, config = build(joints=16)
    answer = np.concatenate([FIGURE / 100, np.full((16, 1), 0.9)], axis=1)
    poses = constant_model(answer, (32, 32), blocks=2)

    def known(predictor, weights, block):
        predictor.about = {"weights": weights, "network": "tiny", "block": block}
        return predictor

    def pose(weights, block=None, **_):
        return known(PosePredictor(poses, pa16j2d, block=block), weights, block)

    def action(weights, block=None, **_):
        model = spnet.cut(acts, config, block) if block else acts
        clips = ClipPredictor(model, poses=True)
        return known(TinyActions(clips, pa16j2d, LABELS, step=1), weights, block)

    monkeypatch.setattr(networks.PosePredictor, "load", pose)
    monkeypatch.setattr(networks.ActionPredictor, "load", action)


class Server:
    """A server that runs; what users ask of it.

    Attributes:
        port: at which it listens.
        origin: the address of its page, without the last slash.
        connections: those that are open.
    """

    def __init__(self, port, connections):
        self.port, self.origin = port, f"http://{HOST}:{port}"
        self.connections = connections

    def ask(self, method, path, body=None, timeout=60, **headers):
        """The status of an answer, its headers and its body; s that it may take."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def json(self, method, path, body=None, timeout=60):
        """The status, and what the JSON of an answer says."""
        status, _, content = self.ask(method, path, body, timeout)
        return status, json.loads(content)

    def raw(self, text):
        """The first line of the answer to some bytes."""
        with socket.create_connection((HOST, self.port), timeout=60) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            return connection.makefile("rb").readline()

    def look(self, key, block="last"):
        """How a look has ended."""
        while True:
            status, state = self.json("GET", f"/api/uploads/{key}/looks/{block}")
            assert status == 200, state
            if state["state"] in ("done", "failed"):
                return state
            time.sleep(0.02)

    def upload(self, content):
        """Uploads a file; returns its id, and how the look at it has ended."""
        status, answer = self.json("POST", "/api/uploads", content)
        assert status == 202, answer
        return answer["id"], self.look(answer["id"])

    def predictions(self, key, block="last"):
        """What was found."""
        status, found = self.json("GET", f"/api/uploads/{key}/predictions/{block}")
        assert status == 200
        return found


@contextlib.contextmanager
def serving(demo):
    """A `Server` of a `Demo`, which is closed at the end."""
    from deephar.demo.serving import page_server

    with socket.create_server((HOST, 0)) as place:
        server = page_server(demo.app, log_level="critical")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Server(place.getsockname()[1], server.server_state.connections)
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from deephar.demo.app import Demo
    from deephar.demo.networks import Networks

    keras.utils.set_random_seed(1)
    lift = tmp_path_factory.mktemp("lift") / "lift.bin"
    save_network(lifting.build(17, 2, 17, (3, 3), channels=4), lift)
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_tiny_networks(monkeypatch)
        networks = Networks(lift=str(lift))
        assert networks.load() == ["small_pose", "small_action"]
        with serving(Demo(networks, LIMITS)) as running:
            yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip of 12 frames of 64 x 48 px, 0.48 s."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_timed_video(path, range(0, 480, 40))


def encoded(kind="PNG", size=(64, 48), color=(90, 60, 30), **options):
    """A picture as a file's bytes."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind, **options)
    return file.getvalue()
