"""XML files from elsewhere: read without what may make them endless or reach out."""

import os
import pathlib
import xml.etree.ElementTree as ElementTree
from xml.parsers import expat


class _Begun(ValueError):
    """The first element: what a document type may declare is behind."""


def read_xml(path: str | os.PathLike) -> ElementTree.Element:
    """Reads a file that has no document type, and so no entities of its own.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it has a document type, or is no XML.
    """
    content = pathlib.Path(path).read_bytes()

    def refuse(*declared):
        raise ValueError(
            f"{path} must have no document type: entities could make it endless. "
            f"Received: <!DOCTYPE {declared[0]}>"
        )

    def begin(*element):
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = refuse, begin
    try:
        parser.Parse(content, True)
    except _Begun:
        pass
    except expat.ExpatError as error:
        raise ValueError(f"{path}:{error.lineno}: must be XML. {error}") from error
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise ValueError(f"{path}:{line}: must be XML. {error}") from error
