"""Training: the loop, its steps, its state.

loop       MultiModelTrainer: (model, data) pairs in turn, under any strategy
step       one step: gradients of the parts of a batch, one update
progress   the state of a training between two steps: saved, restored
generator  TrainerOnGenerator, the original's trainer of one model
interruption  Ctrl-C and SIGTERM end a training between two steps
lifting    the training of temporal lifting;  lifting_step: its steps
"""

from deephar.trainer.generator import TrainerOnGenerator
from deephar.trainer.lifting import LiftingRecipe, LiftingTrainer
from deephar.trainer.lifting_step import LiftingStep
from deephar.trainer.loop import MultiModelTrainer
from deephar.trainer.progress import SavePlan
from deephar.trainer.step import set_batch_norm_momentum

__all__ = [
    "LiftingRecipe",
    "LiftingStep",
    "LiftingTrainer",
    "MultiModelTrainer",
    "SavePlan",
    "TrainerOnGenerator",
    "set_batch_norm_momentum",
]
