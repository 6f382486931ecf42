"""The lifting network of plain torch.nn, as `lifting.py` times it.

Written from the paper (Pavllo et al., CVPR 2019) for the comparison of speed alone.
"""

import numpy as np
import torch
from torch import nn


class Network(nn.Module):
    """`(batch, frames, joints, 2)` -> `(batch, poses, joints, 3)`."""

    def __init__(self, widths, channels, joints, strided):
        super().__init__()
        self.joints, self.strided = joints, strided
        self.expand = self._unit(2 * joints, channels, widths[0], 1)
        self.blocks, self.reaches = nn.ModuleList(), []
        gap = widths[0]
        for width in widths[1:]:
            first = self._unit(channels, channels, width, gap)
            second = self._unit(channels, channels, 1, 1)
            self.blocks.append(nn.Sequential(first, second))
            self.reaches.append((width, (width - 1) * gap // 2))
            gap *= width
        self.shrink = nn.Conv1d(channels, 3 * joints, 1)

    def _unit(self, inputs, channels, width, gap):
        steps = {"stride": width} if self.strided else {"dilation": gap}
        conv = nn.Conv1d(inputs, channels, width, bias=False, **steps)
        norm, drop = nn.BatchNorm1d(channels), nn.Dropout(0.25)
        return nn.Sequential(conv, norm, nn.ReLU(inplace=True), drop)

    def forward(self, x):
        x = self.expand(x.flatten(2).transpose(1, 2))
        for block, (width, reach) in zip(self.blocks, self.reaches, strict=True):
            if self.strided:
                kept = x[:, :, width // 2 :: width]
            else:
                kept = x[:, :, reach : x.shape[2] - reach]
            x = kept + block(x)
        return self.shrink(x).transpose(1, 2).unflatten(2, (self.joints, 3))


def limit_threads(threads):
    """0 for all."""
    if threads:
        torch.set_num_threads(threads)


def describe():
    """`{"framework", "version"}`."""
    return {"framework": "torch", "version": torch.__version__}


def training(args, keypoints, poses):
    """A step of the strided network."""
    model = Network(args.widths, args.channels, poses.shape[2], True).train()
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)

    def step():
        optimizer.zero_grad()
        found = model(torch.from_numpy(keypoints))
        loss = torch.norm(found - torch.from_numpy(poses), dim=-1).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def whole(args, keypoints):
    """Poses of a whole sequence `(frames, joints, 2)`."""
    model = Network(args.widths, args.channels, keypoints.shape[1], False).eval()
    pad = (int(np.prod(args.widths)) - 1) // 2

    def lift():
        padded = np.pad(keypoints, ((pad, pad), (0, 0), (0, 0)), "edge")
        with torch.no_grad():
            return model(torch.from_numpy(padded[None]))[0].numpy()

    return lift
