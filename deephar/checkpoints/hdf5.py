"""Opening and reading HDF5 files with errors that name the file."""

import contextlib

import h5py


@contextlib.contextmanager
def opened(path):
    """An HDF5 file for reading.

    Raises:
        FileNotFoundError, OSError: it is missing, truncated or of another kind.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; name a weight file in it")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise OSError(f"{path}: not an HDF5 file, or truncated ({error})") from error
    with file:
        yield file


@contextlib.contextmanager
def reading(path):
    """Turns whatever h5py raises on a damaged file into an `OSError` with its name.

    A `ValueError` that names the file already passes: it is ours.
    """
    try:
        yield
    except (OSError, KeyError, MemoryError, RuntimeError, TypeError, ValueError) as e:
        if isinstance(e, ValueError) and str(path) in str(e):
            raise
        raise OSError(f"{path}: cannot be read, its content is damaged ({e})") from e
