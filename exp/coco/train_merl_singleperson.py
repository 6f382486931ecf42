"""Trains the 2D pose network on people of MERL Shopping: the script of exp/merl.

Paper     none: the networks of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232)
Command   python exp/coco/train_merl_singleperson.py [FLAGS]
Hardware  as exp/merl/train_merl_singleperson.py
Time      as exp/merl/train_merl_singleperson.py
Expected  as exp/merl/train_merl_singleperson.py
Measured  as exp/merl/train_merl_singleperson.py

Earlier versions of the fork's README name this path.
"""

import pathlib
import runpy

if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve()
    runpy.run_path(str(here.parents[1] / "merl" / here.name), run_name="__main__")
