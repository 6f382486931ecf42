"""The configurations of each data set, by name.

The named values are those of dluvizon/deephar: of its branch master (TPAMI'20), and
those with `_ar_` or `_cvpr18_` in their names of its branch cvpr18. They differ in the
step between the frames of a clip (`fixed_subsampling`): master takes every 6th frame of
Penn Action and every 4th of NTU, cvpr18 every 2nd; its evaluation of Penn Action takes
every one (`pennaction_cvpr18_dataconf`, which that branch calls `pennaction_dataconf`).
"""

import dataclasses

from deephar.config.data import DataConfig
from deephar.config.fields import error

mpii_sp_dataconf = DataConfig(
    angles=range(-40, 41, 5),
    scales=(0.7, 1.0, 1.3),
)
mpii_dataconf = mpii_sp_dataconf

pennaction_dataconf = DataConfig(
    angles=range(-30, 31, 5),
    scales=(0.7, 1.0, 1.3),
    trans_x=range(-40, 41, 5),
    trans_y=range(-10, 11, 5),
    subsampling=(4, 6, 8),
    fixed_subsampling=6,
)

pennaction_pe_dataconf = DataConfig(
    angles=range(-40, 41, 5),
    scales=(0.7, 1.0, 1.3, 2.0),
    trans_x=range(-40, 41, 5),
    trans_y=range(-10, 11, 5),
)

pennaction_ar_dataconf = dataclasses.replace(
    pennaction_dataconf,
    trans_y=range(-40, 41, 5),
    subsampling=(1, 2, 3),
    fixed_subsampling=2,
)

pennaction_cvpr18_dataconf = dataclasses.replace(
    pennaction_ar_dataconf,
    scales=(0.7, 1.0, 1.3, 2.5),
    subsampling=(1, 2),
    fixed_subsampling=1,
)

human36m_dataconf = DataConfig(
    angles=range(-10, 11, 5),
    scales=(0.8, 1.0, 1.2),
    trans_x=range(-20, 21, 5),
    trans_y=range(-4, 5),
    geoocclusion=range(20, 90),
)

ntu_dataconf = dataclasses.replace(
    pennaction_dataconf, angles=(0,), subsampling=(3, 4, 5), fixed_subsampling=4
)

ntu_pe_dataconf = dataclasses.replace(pennaction_pe_dataconf, angles=range(-10, 11, 5))

ntu_ar_dataconf = dataclasses.replace(pennaction_ar_dataconf, angles=(0,))

_NAMED = {
    "mpii_sp_dataconf": mpii_sp_dataconf,
    "mpii_dataconf": mpii_dataconf,
    "pennaction_dataconf": pennaction_dataconf,
    "pennaction_pe_dataconf": pennaction_pe_dataconf,
    "pennaction_ar_dataconf": pennaction_ar_dataconf,
    "pennaction_cvpr18_dataconf": pennaction_cvpr18_dataconf,
    "human36m_dataconf": human36m_dataconf,
    "ntu_dataconf": ntu_dataconf,
    "ntu_pe_dataconf": ntu_pe_dataconf,
    "ntu_ar_dataconf": ntu_ar_dataconf,
}


def get_dataconf(name: str) -> DataConfig:
    """Returns a data set's configuration by its name, such as `"mpii_sp_dataconf"`.

    Raises:
        ValueError: Nothing has this name; the message lists the names.
    """
    if name not in _NAMED:
        raise error("name", name, f"must be one of {', '.join(_NAMED)}")
    return _NAMED[name]
