"""The papers' figures, each with its source; None where no source at hand states it.

CVPR18    Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition using
          Multitask Deep Learning, CVPR 2018, arXiv 1802.09232
TPAMI20   the same: Multi-task Deep Learning for Real-Time 3D Human Pose Estimation and
          Action Recognition, TPAMI 2020, arXiv 1912.08077
README    of dluvizon/deephar, the authors' code
HRNet     Sun et al., CVPR 2019, arXiv 1902.09212
VideoPose3D   Pavllo et al., CVPR 2019, arXiv 1811.11742

Of TPAMI20 only the abstract was read. Its tables were looked for and not found: copies
of the paper were at hand as far as the introduction, and no other page with its figures
of SPNet. So they are missing here; they are not missing in the paper.
"""

PAPER_MPII = {
    "pckh": 0.891,
    "test": {
        "head": 0.981,
        "shoulder": 0.966,
        "elbow": 0.920,
        "wrist": 0.875,
        "hip": 0.906,
        "knee": 0.880,
        "ankle": 0.827,
        "total": 0.912,
    },
}
"""PCKh@0.5 of CVPR18: validation, single crop; and test, multi-crop and flip. README
has the two totals; HRNet, table 3, the body parts of the test set."""

PAPER_H36M = {
    "single_crop": 55.1,
    "multi_crop": 53.2,
    "actions": {
        **{"Directions": 49.2, "Discussion": 51.6, "Eating": 47.6, "Greeting": 50.5},
        **{"Phoning": 51.8, "Photo": 60.3, "Posing": 48.5, "Purchases": 51.7},
        **{"Sitting": 61.5, "SittingDown": 70.9, "Smoking": 53.7, "Waiting": 48.9},
        **{"WalkDog": 57.9, "Walking": 44.4, "WalkTogether": 48.9},
    },
}
"""MPJPE of CVPR18, protocol 1, mm: with one crop; with several, mean and by action.
They are of the original's evaluation (see report3d.ORIGINAL), of one frame in 60.
README has the first; VideoPose3D, table 1, the others."""

PAPER_ACTIONS = {
    "penn": {"truth": 0.986, "other": 0.974},
    "ntu": {"truth": 0.855, "other": None},
    "penn_spnet": {"truth": None, "other": None},
    "ntu_spnet": {"truth": None, "other": None},
}
"""Accuracy by network: with annotated boxes, and without. NTU is the cross-subject
split; no source at hand has a figure of the cross-view split. Those of the merged
networks are CVPR18's; of SPNet none is at hand."""

PAPER_SPEED = "more than 100 frames a second"
"""Of SPNet, the abstract of TPAMI20; it names neither machine nor prediction."""

SOURCES = {
    "mpii": "CVPR 2018: the original's README (totals); HRNet, arXiv 1902.09212, "
    "table 3 (body parts of the test set)",
    "human36m": "CVPR 2018: the original's README (one crop); VideoPose3D, arXiv "
    "1811.11742, table 1 (several crops)",
    "penn": "CVPR 2018, arXiv 1802.09232",
    "ntu": "CVPR 2018, arXiv 1802.09232",
    "speed": "TPAMI 2020, abstract of arXiv 1912.08077",
}
"""Where the figures of each table come from."""
