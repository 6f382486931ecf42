"""Configurations are values: frozen dataclasses, and the named ones of each data set.

Change one with `dataclasses.replace(mpii_sp_dataconf, crop_resolution=(128, 128))`.
"""

from deephar.config.data import DataConfig
from deephar.config.model import ModelConfig
from deephar.config.named import (
    get_dataconf,
    human36m_dataconf,
    mpii_dataconf,
    mpii_sp_dataconf,
    ntu_ar_dataconf,
    ntu_dataconf,
    ntu_pe_dataconf,
    pennaction_ar_dataconf,
    pennaction_cvpr18_dataconf,
    pennaction_dataconf,
    pennaction_pe_dataconf,
)

__all__ = [
    "DataConfig",
    "ModelConfig",
    "get_dataconf",
    "human36m_dataconf",
    "mpii_dataconf",
    "mpii_sp_dataconf",
    "ntu_ar_dataconf",
    "ntu_dataconf",
    "ntu_pe_dataconf",
    "pennaction_ar_dataconf",
    "pennaction_cvpr18_dataconf",
    "pennaction_dataconf",
    "pennaction_pe_dataconf",
]
