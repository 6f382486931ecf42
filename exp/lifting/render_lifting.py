r"""Draws a track and the motion that a network lifts it to, as mp4 or gif.

Command   python exp/lifting/render_lifting.py --data FOLDER -k cpn_ft_h36m_dbb \
              -c runs/lifting --evaluate epoch_60.bin \
              --viz-subject S11 --viz-action Walking --viz-camera 0 \
              [--viz-video FILE] --viz-output walking.mp4 [--viz-bvh walking.bvh]
Hardware  two CPU cores, generated motion
Time      8 s for a GIF of 100 frames

The flags are VideoPose3D's; train_lifting.py --render does the same. Beside the key
points, on their video if --viz-video is given, stand the reconstruction and, where it
is known, the true pose (--viz-no-ground-truth leaves it out). --viz-skip N starts at
frame N, --viz-limit N ends N frames later, --viz-downsample N draws every Nth of them.
--viz-export FILE.npy writes the joints of all frames, in m by the camera's axes, and
--viz-bvh FILE.bvh the motion for Blender and the like.
"""

from deephar import experiment


def main(argv=None):
    """Lifts, draws, writes, and prints what was written."""
    parser = experiment.lifting_parser(__doc__, evaluate_flags=["--weights"])
    args = experiment.parse_lifting(parser, argv, experiment.RENDER_LIFTING)
    print(experiment.render_lifting(args))


if __name__ == "__main__":
    experiment.run_script(main)
