"""Published weights onto this machine: found, or downloaded whole and checked.

A download grows under NAME.part and gets its own name only when its md5 is right. What
a broken transfer has left is used by the next.
"""

import contextlib
import http.client
import logging
import os
import pathlib
import urllib.error
import urllib.request

import keras

from deephar.checkpoints.known import known, md5_of
from deephar.utils.fs import cache_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "DEEPHAR_WEIGHTS"
"""Environment variable that names the folder of the weights; `get` alone reads it."""

_BLOCK = 1 << 16
_TIMEOUT = 30
"""Seconds without a byte after which a transfer counts as broken."""


def weights_folder():
    """Where published weights lie: $DEEPHAR_WEIGHTS, or weights/ of the checkout that
    this package is imported from, or ~/.cache/deephar of an installed one.

    `deephar.utils.fs.cache_folder` tells where the last one is.
    """
    if os.environ.get(FOLDER_VARIABLE):
        return pathlib.Path(os.environ[FOLDER_VARIABLE]).expanduser()
    checkout = pathlib.Path(__file__).resolve().parents[2] / "weights"
    if (checkout / "README.md").is_file():
        return checkout
    return cache_folder()


def get(name, folder=None, progress=None):
    """Path of a published file, which is downloaded if it is not there.

    Args:
        name: Short name, a key of `KNOWN`.
        folder: Where it lies or is put; None is `weights_folder()`.
        progress: Called with the bytes so far and in all (None if the server does not
            say); None draws a bar.

    Returns:
        The path of the file, its md5 checked where one is known.

    Raises:
        ValueError: nothing is published under this name; or the file there, or what
            was downloaded, has another md5. A file that is there is never touched.
        FileNotFoundError: the file can only be fetched by hand.
        OSError: the download failed. The message says how to fetch it by hand; what
            has come so far is kept for the next call.
    """
    return fetch(known(name), folder, progress)


def fetch(published, folder=None, progress=None):
    """As `get`, for any description of a file: name, file, address and md5.

    Its `address` may be None if it has a `drive`, see `known.Published`.
    """
    folder = pathlib.Path(weights_folder() if folder is None else folder)
    path = folder / published.file
    if path.exists():
        _check_present(path, published)
        return path
    if published.address is None:
        raise FileNotFoundError(f"{path}: is not there. {_by_hand(published, path)}")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if path.exists():
            _check_present(path, published)
        else:
            _download(published, path, progress)
    return path


def state_of(published, folder=None):
    """What is at hand of a published file, in words; nothing is fetched.

    Returns:
        "absent", "md5 ok", "another md5", or "here" where no md5 is published.
    """
    path = pathlib.Path(weights_folder() if folder is None else folder) / published.file
    if not path.is_file():
        return "absent"
    if published.md5 is None:
        return "here"
    return "md5 ok" if md5_of(path) == published.md5 else "another md5"


def _check_present(path, published):
    if published.md5 is None:
        logger.warning("%s: no md5 is published for it, so none is checked", path)
        return
    digest = md5_of(path)
    if digest != published.md5:
        raise ValueError(
            f"{path}: is damaged or another file: its md5 is {digest}, that of "
            f"{published.name} is {published.md5}. Remove or rename it and try again."
        )


@contextlib.contextmanager
def _alone(folder):
    """Lets one process at a time download to a folder, where the system can."""
    if fcntl is None:
        yield
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _download(published, path, progress):
    part = path.with_name(f"{path.name}.part")
    logger.info("downloading %s to %s", published.address, path)
    if not (_size(part) and md5_of(part) == published.md5):
        try:
            _transfer(published.address, part, progress)
        except (OSError, http.client.HTTPException) as error:
            raise OSError(
                f"{published.address}: cannot be downloaded: {error}. {_kept(part)}"
                f"{_by_hand(published, path)}"
            ) from error
    digest = md5_of(part)
    if digest != published.md5:
        part.unlink()
        raise ValueError(
            f"{published.address}: what came has the md5 {digest}, that of "
            f"{published.name} is {published.md5}; it was removed. Try again. "
            f"{_by_hand(published, path)}"
        )
    os.replace(part, path)


def _transfer(address, part, progress):
    """Completes a part, connecting anew as long as every connection brings more."""
    while True:
        before = _size(part)
        try:
            return _connect(address, part, progress)
        except (OSError, http.client.HTTPException) as error:
            if _size(part) <= before:
                raise
            logger.warning("%s: %s; going on from there", address, error)


def _connect(address, part, progress):
    """Adds to a part what it lacks, or writes it anew if the server sends all."""
    start = _size(part)
    request = urllib.request.Request(address)
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
            raise
        part.unlink()
        return _connect(address, part, progress)
    with response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if goes_on and not _begins_at(start, response):
            raise OSError("the server sent another range than asked for")
        with open(part, "ab" if goes_on else "wb") as file:
            _receive(response, file, start if goes_on else 0, progress)


def _begins_at(start, response):
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _receive(response, file, done, progress):
    length = response.headers.get("Content-Length")
    total = None if length is None else done + int(length)
    progress = progress or _bar(total)
    while block := response.read(_BLOCK):
        file.write(block)
        done += len(block)
        progress(done, total)
    if total is not None and done < total:
        raise OSError(f"the transfer broke off after {done} of {total} bytes")


def _bar(total):
    bar = keras.utils.Progbar(total, unit_name="byte")
    return lambda done, _: bar.update(done)


def _size(part):
    return part.stat().st_size if part.exists() else 0


def _kept(part):
    if not _size(part):
        return ""
    return f"{_size(part)} bytes are kept in {part}; try again to go on from there. "


def _by_hand(published, path):
    address = published.address or published.drive
    check = f" (md5 {published.md5})" if published.md5 else ""
    return f"By hand: fetch {address} and put it at {path}{check}."
