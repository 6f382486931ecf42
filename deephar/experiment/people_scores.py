"""Scores of the poses of a network, or of a part of one, on the papers' people."""

import argparse

import keras
import numpy as np

from deephar.config import human36m_dataconf, mpii_sp_dataconf
from deephar.data.human36m_frames import Human36MFrames
from deephar.data.mpii import MpiiSinglePerson
from deephar.evaluation.pose import score_pckh
from deephar.evaluation.pose3d import PosePredictions3D, score_mpjpe
from deephar.evaluation.root_depth import bone_lengths
from deephar.experiment.compute import Compute
from deephar.experiment.looking import look_at_people
from deephar.experiment.settings import sized
from deephar.inference.predictor import PosePredictor
from deephar.models import spnet
from deephar.networks.building import model_config, pose_view
from deephar.networks.recipes import NETWORKS, poselayout
from deephar.utils.modes import TRAIN_MODE, VALID_MODE


def part_predictor(
    args: argparse.Namespace, compute: Compute, model: keras.Model, settings: dict
) -> PosePredictor:
    """What predicts poses with the pose part of SPNet, one crop a person.

    Args:
        args: parsed arguments with `batch_size`.
        compute: what `configure_compute` chose.
        model: the network.
        settings: what `network_settings` returned.
    """
    return PosePredictor(
        pose_view(model, settings),
        poselayout(settings),
        batch_size=args.batch_size,
        fold=compute.fold,
        jit=compute.jit,
    )


def name_blocks(scores: dict, settings: dict) -> dict:
    """Scores of poses; those of SPNet with its outputs' names under "block_names"."""
    if NETWORKS[settings["network"]].family.architecture != "spnet":
        return scores
    names = [one.pose for one in spnet.predictions(model_config(settings))]
    return {**scores, "block_names": names}


def score_mpii(
    predictor: PosePredictor, folder: str, settings: dict, workers: int = 2
) -> dict:
    """What `score_pckh` says of MPII's validation people, by SPNet.

    Args:
        predictor: what `part_predictor` returned.
        folder: of the data set.
        settings: what `network_settings` returned.
        workers: threads that read.
    """
    mpii = MpiiSinglePerson(folder, sized(mpii_sp_dataconf, settings))
    found = look_at_people(predictor, mpii, VALID_MODE, workers)
    return name_blocks(score_pckh(found, mpii.poselayout), settings)


def score_human36m(
    predictor: PosePredictor, folder: str, settings: dict, every: int, workers: int = 2
) -> dict:
    """What `score_human36m_poses` says of Human3.6M's validation frames, by SPNet.

    Args:
        predictor, settings, workers: as of `score_mpii`.
        folder: of the data set.
        every: one in how many frames.
    """
    h36m, bones = human36m_validation(folder, settings, every)
    found = look_at_people(predictor, h36m, VALID_MODE, workers)
    return name_blocks(score_human36m_poses(found, h36m, bones), settings)


def human36m_validation(
    folder: str, settings: dict, every: int
) -> tuple[Human36MFrames, np.ndarray]:
    """The validation frames of Human3.6M, and the bones of the training subjects, mm.

    Args:
        folder: of the data set.
        settings: what `network_settings` returned.
        every: one in how many frames of the validation.
    """
    dataconf = sized(human36m_dataconf, settings)
    h36m = Human36MFrames(folder, dataconf, every={VALID_MODE: every})
    return h36m, bone_lengths(h36m.poses(TRAIN_MODE), h36m.poselayout.links)


def score_human36m_poses(
    found: PosePredictions3D, h36m: Human36MFrames, bones: np.ndarray
) -> dict:
    """What `score_mpjpe` returns, with "absent" frames and "bones_mm"."""
    return score_mpjpe(found, h36m.poselayout, bones) | {
        "absent": h36m.absent[VALID_MODE],
        "bones_mm": bones.tolist(),
    }
