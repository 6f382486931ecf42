"""Small videos whose frames tell their number."""

import cv2
import numpy as np


def write_video(path, frames, size=(64, 48), rate=25):
    """Writes a video of grey frames: frame i, from 1, has the level 10 * i."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    for number in range(1, frames + 1):
        writer.write(np.full((size[1], size[0], 3), 10 * number, np.uint8))
    writer.release()
    return path
