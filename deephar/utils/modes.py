"""The three parts of a data set, in the order in which the original counts them."""

TEST_MODE = 0
TRAIN_MODE = 1
VALID_MODE = 2

_NAMES = ("test", "train", "valid")


def mode_name(mode: int) -> str:
    """Returns `"test"`, `"train"` or `"valid"`; ValueError for any other mode."""
    if mode not in (TEST_MODE, TRAIN_MODE, VALID_MODE):
        raise ValueError(
            f"`mode` must be TEST_MODE (0), TRAIN_MODE (1) or VALID_MODE (2). "
            f"Received: mode={mode!r}"
        )
    return _NAMES[mode]
