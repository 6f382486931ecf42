"""What every script needs: flags, the run folder, logging, seed, precision, the model.

arguments   parsers and what training flags stand for
settings    the shape of a network: recipe, model.json, flags
compute     precision and compiler
looking     mirrored, several crops, refined windows
run         run folder, log, JSON files, receipts, how a script ends
"""

from deephar.experiment.arguments import (
    add_reception_arguments,
    add_training_arguments,
    argument_parser,
    optimizer,
    training_callbacks,
)
from deephar.experiment.compute import Compute, configure_compute
from deephar.experiment.looking import (
    add_looking_arguments,
    describe_looking,
    pose_predictor,
    predict_people,
)
from deephar.experiment.run import (
    clear_earlier_training,
    receipt,
    refuse_earlier_training,
    run_script,
    start,
    write_json,
)
from deephar.experiment.settings import (
    MODEL_FILE,
    RECEPTION_DEFAULTS,
    build_reception,
    reception_settings,
)
from deephar.utils.numbers import positive_float, positive_int, weight

__all__ = [
    "Compute",
    "MODEL_FILE",
    "RECEPTION_DEFAULTS",
    "add_looking_arguments",
    "add_reception_arguments",
    "add_training_arguments",
    "argument_parser",
    "build_reception",
    "clear_earlier_training",
    "configure_compute",
    "describe_looking",
    "optimizer",
    "pose_predictor",
    "positive_float",
    "positive_int",
    "predict_people",
    "receipt",
    "reception_settings",
    "refuse_earlier_training",
    "run_script",
    "start",
    "training_callbacks",
    "weight",
    "write_json",
]
