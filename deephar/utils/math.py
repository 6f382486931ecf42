"""Grids and Gaussians from which heat maps are made."""

import numpy as np

_EPSILON = 1e-7


def linspace_2d(nb_rols: int, nb_cols: int, dim: int = 0) -> np.ndarray:
    """Returns a grid that runs from 0 to 1 along one axis and is constant on the other.

    Args:
        nb_rols: Number of rows (the original's spelling).
        nb_cols: Number of columns.
        dim: 0 for positions that grow with the column (x), 1 with the row (y).

    Returns:
        float32 array (rows, cols).
    """
    if dim == 1:
        ramp = np.linspace(0.0, 1.0, nb_rols, dtype=np.float32)[:, None]
    else:
        ramp = np.linspace(0.0, 1.0, nb_cols, dtype=np.float32)[None, :]
    return np.broadcast_to(ramp, (nb_rols, nb_cols)).copy()


def normalpdf2d(numbins: int, xmean: float, ymean: float, var: float) -> np.ndarray:
    """Returns a round Gaussian of sum 1 sampled on a square grid.

    Args:
        numbins: Rows and columns of the grid; its points are 0, 1 ... numbins - 1.
        xmean: Column of the centre, in bins.
        ymean: Row of the centre, in bins.
        var: Variance along each axis, in squared bins.

    Returns:
        float64 array (numbins, numbins), all zeros where the centre lies so far
        outside that nothing of the Gaussian is on the grid.
    """
    return gaussian_maps(numbins, np.array([xmean, ymean], dtype=float), var)


def gaussian_maps(numbins: int, centers: np.ndarray, var: float) -> np.ndarray:
    """Returns `normalpdf2d` of many centres at once.

    Args:
        numbins: Rows and columns of each map.
        centers: Array (..., 2) of (x, y) in bins.
        var: Variance along each axis, in squared bins; above 0.

    Returns:
        float64 array (..., numbins, numbins).
    """
    if not var > 0:
        raise ValueError(f"`var` must be above 0. Received: var={var}")
    offset = np.arange(numbins) - np.asarray(centers, dtype=float)[..., None]
    density = np.exp(-0.5 * offset**2 / var) / np.sqrt(2 * np.pi * var)
    columns, rows = density[..., 0, :], density[..., 1, :]
    maps = rows[..., :, None] * columns[..., None, :]
    total = maps.sum(axis=(-2, -1), keepdims=True)
    return np.where(total > _EPSILON, maps / np.maximum(total, _EPSILON), 0.0)
