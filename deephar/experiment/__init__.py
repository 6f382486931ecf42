"""What every script needs: flags, the run folder, logging, seed, precision, the model.

arguments   parsers, and the flags of a training that goes on
settings    the shape of a network: recipe, weights, flags; see deephar.networks
compute     precision and compiler
looking     mirrored, several crops, refined windows
picture_poses  poses in a user's pictures, drawn and written
recognition evaluation of actions: clips, boxes, report
people_scores poses of MPII and Human3.6M by the pose part of SPNet
multitask_scores evaluation of SPNet in both its tasks
lifting     temporal lifting: data, checkpoints, evaluation; lifting_flags: its flags;
            lifting_training: its training; lifting_rendering: its animations
video_poses 2D poses in a user's video;  video_lifting: lifted to motion in space
cuts        time and score of each prediction of SPNet
action_training  the stages of the networks of actions
clip_training    what their trainings on clips share, with stages or without
merl_actions     training and evaluation of MERL's actions
sliding     actions in a user's own videos, window by window; one_video: in one of them
multitask   the stages of SPNet, which learns poses and actions in turn
stages      what trainings in stages share
mixing      data sets that a batch mixes
box_files   boxes that a pose network finds
boxed_people  people with boxes, COCO's and MERL's: files, flags, figures
boxed_scores  evaluation of these;  boxed_poses  poses in boxes without labels
people_training  the training of a 2D pose network on MPII, COCO or MERL
custom_poses     the same on own data, whatever the joints;  custom_actions: of actions;
                 custom_scores: their evaluation
scoring     figures of a training's epochs
pose        training of pose networks: batches, compiled network
training    devices, callbacks and checkpoints of a training run
receipts    where results come from; origins: what is known of the data
run         run folder, log, JSON files, how a script ends
"""

from deephar.experiment.action_training import (
    STAGES,
    ActionData,
    parse_action_training,
    train_stage,
)
from deephar.experiment.arguments import (
    FORK_FLAGS,
    add_pose_loss_arguments,
    add_training_arguments,
    argument_parser,
    flag_names,
    parse_training,
)
from deephar.experiment.box_files import (
    add_box_arguments,
    box_predictor,
    write_predicted_boxes,
)
from deephar.experiment.boxed_people import (
    COCO_PEOPLE,
    MERL_PEOPLE,
    BoxedData,
    add_part_arguments,
    open_part,
    open_validation,
    people_dataconf,
    people_layout,
    score_coco,
)
from deephar.experiment.boxed_poses import (
    boxed_pose_parser,
    poses_in_boxes,
    refuse_unreadable,
    whole_picture,
)
from deephar.experiment.boxed_scores import (
    finish_boxed_evaluation,
    parse_boxed_evaluation,
    predict_boxed_people,
)
from deephar.experiment.compute import Compute, configure_compute
from deephar.experiment.custom_actions import (
    parse_custom_actions,
    train_custom_actions,
)
from deephar.experiment.custom_poses import parse_custom_poses, train_custom_poses
from deephar.experiment.custom_scores import (
    evaluate_custom,
    parse_custom_evaluation,
)
from deephar.experiment.cuts import add_cut_arguments, score_cuts
from deephar.experiment.lifting import evaluate_lifting
from deephar.experiment.lifting_flags import (
    EVALUATE_LIFTING,
    RENDER_LIFTING,
    TRAIN_LIFTING,
    lifting_parser,
    parse_lifting,
)
from deephar.experiment.lifting_rendering import render_lifting
from deephar.experiment.lifting_training import train_lifting
from deephar.experiment.looking import (
    add_frames_argument,
    add_looking_arguments,
    add_people_arguments,
    describe_frames,
    describe_looking,
    in_layout,
    pose_predictor,
    predict_people,
)
from deephar.experiment.merl_actions import (
    evaluate_merl_actions,
    merl_settings,
    parse_merl_evaluation,
    parse_merl_training,
    train_merl_actions,
)
from deephar.experiment.mixing import (
    DataMaker,
    add_every_argument,
    add_share_arguments,
    check_shares,
    human36m,
    space_scorers,
)
from deephar.experiment.multitask import (
    ACTION_STAGES,
    POSE_STAGES,
    TASK_STAGES,
    TaskData,
    parse_multitask,
    train_multitask,
)
from deephar.experiment.multitask_scores import (
    add_multitask_arguments,
    evaluate_multitask,
)
from deephar.experiment.one_video import (
    boxed_video,
    draw_video,
    watch_video,
    write_video_scores,
)
from deephar.experiment.people_scores import (
    human36m_validation,
    name_blocks,
    part_predictor,
    score_human36m,
    score_human36m_poses,
    score_mpii,
)
from deephar.experiment.people_training import (
    parse_boxed_training,
    parse_people_training,
    train_on_boxed_people,
    train_on_people,
)
from deephar.experiment.picture_poses import (
    draw_in_pictures,
    drawing_targets,
    flags_predictor,
    picture_parser,
)
from deephar.experiment.pose import (
    MOST_STEPS,
    epoch_steps,
    parse_pose_training,
    pose_loader,
    pose_model,
    shares,
)
from deephar.experiment.receipts import receipt
from deephar.experiment.recognition import (
    action_dataconf,
    action_receipt,
    add_action_arguments,
    add_clip_arguments,
    box_options,
    evaluate_actions,
    start_on_videos,
)
from deephar.experiment.run import (
    begin_log,
    run_script,
    start,
    write_evaluation,
    write_json,
)
from deephar.experiment.scoring import (
    action_scorer,
    frame_scorer,
    human36m_scorer,
    join_scorers,
    mpii_scorer,
)
from deephar.experiment.settings import (
    add_network_arguments,
    add_protocol_argument,
    given_flags,
    network_settings,
    settings_on_record,
    sized,
)
from deephar.experiment.sliding import (
    add_sliding_arguments,
    check_drawings,
    frames_of,
    listed_videos,
    refuse_unseen,
    start_watching,
)
from deephar.experiment.training import TrainingRun, optimizer, start_training
from deephar.experiment.video_lifting import (
    VIDEO_NETWORKS,
    add_video_lifting_arguments,
    lift_video,
)
from deephar.networks.building import (
    build_network,
    load_network,
    model_config,
    num_predictions,
    pose_view,
)
from deephar.networks.known_weights import MODEL_FILE, describes, network_of
from deephar.networks.published import settings_of
from deephar.networks.recipes import (
    NETWORKS,
    clip_networks,
    default_settings,
    pose_networks,
    poselayout,
)
from deephar.utils.numbers import (
    fraction,
    names,
    natural,
    positive_float,
    positive_int,
    weight,
)

__all__ = [
    "EVALUATE_LIFTING",
    "RENDER_LIFTING",
    "TRAIN_LIFTING",
    "evaluate_custom",
    "evaluate_lifting",
    "lifting_parser",
    "parse_lifting",
    "render_lifting",
    "train_custom_actions",
    "train_custom_poses",
    "train_lifting",
    "VIDEO_NETWORKS",
    "add_video_lifting_arguments",
    "lift_video",
    "ACTION_STAGES",
    "POSE_STAGES",
    "TASK_STAGES",
    "TaskData",
    "DataMaker",
    "add_every_argument",
    "add_share_arguments",
    "check_shares",
    "human36m",
    "space_scorers",
    "parse_multitask",
    "train_multitask",
    "parse_custom_actions",
    "parse_custom_evaluation",
    "parse_custom_poses",
    "parse_people_training",
    "train_on_people",
    "BoxedData",
    "COCO_PEOPLE",
    "MERL_PEOPLE",
    "add_part_arguments",
    "open_part",
    "open_validation",
    "boxed_pose_parser",
    "poses_in_boxes",
    "refuse_unreadable",
    "whole_picture",
    "finish_boxed_evaluation",
    "parse_boxed_evaluation",
    "parse_boxed_training",
    "people_dataconf",
    "people_layout",
    "predict_boxed_people",
    "score_coco",
    "train_on_boxed_people",
    "action_scorer",
    "frame_scorer",
    "human36m_scorer",
    "in_layout",
    "join_scorers",
    "mpii_scorer",
    "names",
    "natural",
    "ActionData",
    "Compute",
    "FORK_FLAGS",
    "flag_names",
    "MODEL_FILE",
    "MOST_STEPS",
    "NETWORKS",
    "action_dataconf",
    "action_receipt",
    "add_action_arguments",
    "add_clip_arguments",
    "add_cut_arguments",
    "add_multitask_arguments",
    "STAGES",
    "add_box_arguments",
    "add_frames_argument",
    "add_looking_arguments",
    "add_people_arguments",
    "TrainingRun",
    "add_network_arguments",
    "add_pose_loss_arguments",
    "add_protocol_argument",
    "add_training_arguments",
    "argument_parser",
    "begin_log",
    "box_options",
    "box_predictor",
    "build_network",
    "configure_compute",
    "default_settings",
    "describe_frames",
    "describe_looking",
    "describes",
    "draw_in_pictures",
    "drawing_targets",
    "epoch_steps",
    "fraction",
    "evaluate_actions",
    "evaluate_merl_actions",
    "merl_settings",
    "parse_merl_evaluation",
    "parse_merl_training",
    "train_merl_actions",
    "boxed_video",
    "draw_video",
    "watch_video",
    "write_video_scores",
    "add_sliding_arguments",
    "check_drawings",
    "clip_networks",
    "frames_of",
    "listed_videos",
    "refuse_unseen",
    "start_watching",
    "evaluate_multitask",
    "flags_predictor",
    "given_flags",
    "load_network",
    "model_config",
    "human36m_validation",
    "name_blocks",
    "network_of",
    "network_settings",
    "num_predictions",
    "optimizer",
    "picture_parser",
    "pose_loader",
    "pose_model",
    "pose_networks",
    "pose_predictor",
    "pose_view",
    "poselayout",
    "parse_action_training",
    "part_predictor",
    "parse_pose_training",
    "parse_training",
    "positive_float",
    "positive_int",
    "predict_people",
    "receipt",
    "run_script",
    "settings_of",
    "settings_on_record",
    "score_cuts",
    "score_human36m",
    "score_human36m_poses",
    "score_mpii",
    "shares",
    "sized",
    "start",
    "start_on_videos",
    "start_training",
    "train_stage",
    "weight",
    "write_evaluation",
    "write_json",
    "write_predicted_boxes",
]
