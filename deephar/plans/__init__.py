"""Plans: many commands that make one thing, each run once, whatever stops them.

steps    a step, its stamp, and whether it is done
running  the steps one after the other, what came of them, a page of that
lock     one run of a plan at a time
"""

from deephar.plans.running import FAILED, Outcome, clock, foresee, plan_page, run
from deephar.plans.steps import DONE, LACKS, TO_DO, Extra, Plan, Step, Verdict

__all__ = [
    "DONE",
    "Extra",
    "FAILED",
    "LACKS",
    "Outcome",
    "Plan",
    "Step",
    "TO_DO",
    "Verdict",
    "clock",
    "foresee",
    "plan_page",
    "run",
]
