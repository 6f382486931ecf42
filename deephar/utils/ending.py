"""How a program ends: a mistake of the user in a message, Ctrl-C in its status."""

import contextlib
import logging
from collections.abc import Iterator

logger = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of a shell."""


@contextlib.contextmanager
def mistakes_told(interrupted: str) -> Iterator[None]:
    """Ends the program by a message, not a trace, where the user made a mistake.

    The trace of such an end is in the log file, if there is one: the note is marked
    `for_the_file`, which a console may leave out.

    Args:
        interrupted: what to log after Ctrl-C.

    Raises:
        SystemExit: with the message, for a ValueError, OSError or FloatingPointError;
            with status 130 after Ctrl-C.
    """
    try:
        yield
    except (ValueError, OSError, FloatingPointError) as error:
        if logging.root.handlers:
            quiet = {"for_the_file": True}
            logger.error("ended by an error", exc_info=True, extra=quiet)
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        logger.warning("%s", interrupted)
        raise SystemExit(INTERRUPTED) from None
