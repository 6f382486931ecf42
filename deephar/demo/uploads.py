"""What was uploaded, frame by frame, and what was seen in it; the newest are kept."""

import dataclasses
import pathlib
import secrets
import shutil
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

WAITING, READING, LOOKING, DONE, FAILED = (
    *("waiting", "reading", "looking", "done", "failed"),
)


@dataclasses.dataclass(eq=False)
class Look:
    """One look at an upload, by a network that ends at a block.

    A thread writes it, others read it.

    Attributes:
        upload: what is looked at.
        block: where the network ends; None for its last prediction.
        state: WAITING, READING, LOOKING, DONE or FAILED.
        done: frames that were read, or looked at.
        message: why it failed.
        notes: what the user is to know of it, when it is done.
        about: the network and its figures, when it is done.
        predictions: the JSON file, when it is done.
    """

    upload: "Upload"
    block: int | None
    state: str = WAITING
    done: int = 0
    message: str = ""
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    predictions: pathlib.Path | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (DONE, FAILED)

    def fail(self, message: str) -> None:
        """Ends it with a message for the user."""
        self.message, self.state = message, FAILED


class Upload:
    """What somebody uploaded.

    Args:
        folder: of its own, for all that is written of it.

    Attributes:
        id: which nobody can guess.
        folder: as of the argument.
        path: the file as it came; gone when it has been read.
        kind: `decoding.PICTURE` or `CLIP`; None until it has been read.
        size: (w, h) of the frames, px.
        times: of the frames, s; None of a picture.
        notes: what was left out, or is damaged.
        looks: by block; see `look`.
        dropped: whether nobody wants it any more.
    """

    def __init__(self, folder: pathlib.Path):
        self.id, self.folder = secrets.token_urlsafe(12), folder
        self.path = folder / "upload"
        self.kind: str | None = None
        self.size = (0, 0)
        self.times: list[float | None] = []
        self.notes: tuple[str, ...] = ()
        self.looks: dict[int | None, Look] = {}
        self.dropped = False

    def frame_path(self, number: int) -> pathlib.Path:
        """The JPEG of a frame, from 1."""
        return self.folder / f"{number:06d}.jpg"

    def look(self, block: int | None) -> tuple[Look, bool]:
        """The look at a block, and whether it is a new one, which nobody takes yet.

        One that failed is looked at anew.
        """
        known = self.looks.get(block)
        if known is None or known.state == FAILED:
            self.looks[block] = Look(self, block)
            return self.looks[block], True
        return known, False

    @property
    def busy(self) -> bool:
        """Whether it is still received, or somebody waits for a look at it."""
        looks = list(self.looks.values())
        return not looks or any(not look.ended for look in looks)

    def remove(self) -> None:
        """Removes its files; a look that is under way ends soon."""
        self.dropped = True
        shutil.rmtree(self.folder, ignore_errors=True)


class Uploads:
    """The newest uploads, in a temporary folder that ends with the server.

    Args:
        kept: how many, besides those that wait or are looked at.
    """

    def __init__(self, kept: int):
        self._kept, self._lock = kept, threading.Lock()
        self._root = tempfile.TemporaryDirectory(
            prefix="deephar-demo-", ignore_cleanup_errors=True
        )
        self._known: dict[str, Upload] = {}

    def new(self) -> Upload:
        """Makes a folder for an upload that comes; forgets the oldest ones."""
        upload = Upload(pathlib.Path(tempfile.mkdtemp(dir=self._root.name)))
        with self._lock:
            idle = [one for one in self._known.values() if not one.busy]
            gone = idle[: max(0, len(idle) - self._kept + 1)]
            for one in gone:
                del self._known[one.id]
            self._known[upload.id] = upload
        for one in gone:
            one.remove()
        return upload

    def get(self, key: str) -> Upload | None:
        """The upload of an id; None if there is none, or no longer."""
        with self._lock:
            return self._known.get(key)

    def drop(self, key: str) -> bool:
        """Forgets an upload; tells whether it was known."""
        with self._lock:
            upload = self._known.pop(key, None)
        if upload is not None:
            upload.remove()
        return upload is not None

    def close(self) -> None:
        """Removes everything."""
        with self._lock:
            for upload in self._known.values():
                upload.dropped = True
            self._known.clear()
        self._root.cleanup()
