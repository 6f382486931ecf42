"""Generated people: bodies, poses, pictures and labels."""

import dataclasses

import numpy as np
import pytest

from deephar.data.synthetic import (
    ACTIONS,
    ACTIONS_BY_NAME,
    DOFS,
    JOINTS,
    MPII_JOINTS,
    Figure,
    Light,
    Solids,
    View,
    label,
    make_body,
    make_person,
    make_pose,
    make_sample,
    mirror,
    place,
    random_pose,
    rasterize,
    shade,
)
from deephar.data.synthetic.body import BONES, LIMITS
from deephar.data.synthetic.figure import dress
from deephar.data.synthetic.render import join
from deephar.data.synthetic.scene import look_at
from deephar.utils.camera import Camera
from deephar.utils.pose import pa21j3d

SIZE = (160, 200)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def joint(name):
    return JOINTS.index(name)


def stand(rng, heading=0.0, **groups):
    person = make_person(rng)
    joints, frames = place(person.body, make_pose(**groups), heading)
    return Figure(person, joints, frames, ACTIONS_BY_NAME["stand"])


def front_view(focal=300.0, roll=0.0):
    """From 4 m along world x, at the height of the hips."""
    return look_at(
        np.array([4000.0, 0, 900]), np.array([0, 0, 900.0]), roll, focal, SIZE
    )


def solid(ends, radii, stretch=(1, 1, 1), box=False, owner=-1):
    return Solids(
        ends=np.array([ends], dtype=float),
        radii=np.array([radii], dtype=float),
        frames=np.eye(3)[None],
        stretch=np.array([stretch], dtype=float),
        colors=np.full((1, 3, 3), 0.5),
        stripes=np.zeros(1),
        cut=np.full(1, 2.0),
        box=np.array([box]),
        owner=np.array([owner]),
    )


def test_joints_have_the_order_of_the_layout_with_21_joints():
    assert len(JOINTS) == pa21j3d.num_joints
    assert list(MPII_JOINTS) == list(pa21j3d.map_to_mpii)


def test_limb_lengths_do_not_depend_on_the_pose(rng):
    body = make_body(rng)
    poses = np.stack([random_pose(rng)[1] for _ in range(100)])
    joints, _ = place(body, poses, rng.uniform(0, 360, 100))
    for parent, child in BONES:
        lengths = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)
        np.testing.assert_allclose(lengths, np.linalg.norm(body.offsets[child]))


def test_bodies_have_human_proportions(rng):
    for _ in range(50):
        body = make_body(rng)
        joints, _ = place(body, make_pose())
        assert 1400 < body.height < 2000
        stature = joints[joint("head"), 2] - joints[joint("l_foot"), 2]
        assert 0.93 < stature / body.height < 1.07
        knee, hip = joints[joint("l_knee"), 2], joints[joint("l_hip"), 2]
        assert 0.42 < knee / hip < 0.62


def test_poses_keep_the_limits_of_the_joints(rng):
    poses = np.stack([random_pose(rng)[1] for _ in range(300)])
    assert (poses >= LIMITS[:, 0]).all() and (poses <= LIMITS[:, 1]).all()
    assert (poses[:, 4:].std(axis=0) > 4).mean() > 0.9


def test_a_pose_beyond_a_limit_is_refused():
    with pytest.raises(ValueError, match=r"`l_knee` must be within \[0, 148\]"):
        make_pose(l_knee=-5)
    with pytest.raises(ValueError, match="unknown group of angles. Received: 'tail'"):
        make_pose(tail=3)


def test_groups_name_the_angles_of_one_or_both_sides():
    pose = dict(
        zip((d.name for d in DOFS), make_pose(arms=(10, 20), r_leg=(5,)), strict=True)
    )
    assert pose["r_arm_flex"] == pose["l_arm_flex"] == 10
    assert pose["r_arm_abduct"] == pose["l_arm_abduct"] == 20
    assert (pose["r_leg_flex"], pose["l_leg_flex"]) == (5, 0)


def test_arms_point_where_their_angles_say(rng):
    body = make_body(rng)
    for groups, direction in (
        ({"l_arm_flex": 90}, (1, 0, 0)),
        ({"l_arm_abduct": 90}, (0, 1, 0)),
        ({"l_arm_abduct": 175}, (0, 0.087, 0.996)),
        ({"l_leg_flex": 0}, (0, 0, -1)),
    ):
        joints, _ = place(body, make_pose(**groups))
        arm = joints[joint("l_elbow")] - joints[joint("l_shoulder")]
        if "l_leg_flex" in groups:
            arm = joints[joint("l_knee")] - joints[joint("l_hip")]
        arm /= np.linalg.norm(arm)
        np.testing.assert_allclose(arm, direction, atol=1e-3)


def test_a_mirrored_pose_is_the_mirror_image(rng):
    body = make_body(rng)
    pose = random_pose(rng)[1]
    joints, _ = place(body, pose)
    other, _ = place(body, mirror(pose))
    np.testing.assert_allclose(other[pa21j3d.map_hflip] * (1, -1, 1), joints, atol=1e-6)


def test_figures_stand_on_the_floor(rng):
    body = make_body(rng)
    poses = np.stack([action.keys[0] for action in ACTIONS])
    joints, _ = place(body, poses)
    lift = poses[:, [dof.name for dof in DOFS].index("lift")]
    np.testing.assert_allclose(
        (joints[..., 2] - body.flesh).min(axis=1), lift, atol=1e-9
    )


def test_actions_run_through_their_key_poses():
    walk, squat = ACTIONS_BY_NAME["walk"], ACTIONS_BY_NAME["squat"]
    np.testing.assert_allclose(walk.at(np.arange(5) / 4)[:4], walk.keys)
    np.testing.assert_allclose(walk.at(1.0), walk.keys[0])
    np.testing.assert_allclose(squat.at(0.5), squat.keys.mean(axis=0))
    assert walk.at(np.zeros((3, 2))).shape == (3, 2, len(DOFS))


def test_the_rasteriser_finds_the_depth_of_a_ball_and_a_box():
    view = front_view()
    ball = solid([(0, 0, 900)] * 2, (500, 500))
    depth, index = rasterize(ball, view)
    assert depth[100, 80] == pytest.approx(3500, abs=1)
    outline = 300 * 500 / np.sqrt(4000**2 - 500**2)
    assert (index == 0).sum() == pytest.approx(np.pi * outline**2, rel=0.01)
    box = solid([(0, 0, 900)] * 2, (1, 1), (200, 300, 400), box=True)
    depth, index = rasterize(box, view)
    assert depth[100, 80] == pytest.approx(3800, abs=1)
    assert (index == 0).sum() == pytest.approx(
        4 * 300 * 400 * (300 / 3800) ** 2, rel=0.03
    )


def test_a_round_cone_is_the_hull_of_the_balls_along_it():
    view = front_view()
    ends, radii, stretch = [(500, -300, 700), (-300, 250, 1200)], (220, 90), (0.6, 1, 1)
    depth, _ = rasterize(solid(ends, radii, stretch), view)
    parts = np.linspace(0, 1, 400)[:, None]
    balls = [
        solid([center] * 2, (radius,) * 2, stretch)
        for center, radius in zip(
            (1 - parts) * ends[0] + parts * ends[1],
            (1 - parts[:, 0]) * radii[0] + parts[:, 0] * radii[1],
            strict=True,
        )
    ]
    expected, _ = rasterize(join(*balls), view)
    both = np.isfinite(depth) & np.isfinite(expected)
    assert both.sum() > 1000
    assert (np.isfinite(depth) != np.isfinite(expected)).sum() < 0.01 * both.sum()
    difference = np.abs(depth[both] - expected[both])
    assert difference.max() < 25 and np.median(difference) < 1


def test_a_distorting_camera_is_refused():
    camera = Camera(np.eye(3), np.zeros(3), (1, 1), (0, 0), (0, 0), (0.1, 0, 0))
    with pytest.raises(ValueError, match="`camera` must not distort"):
        View(camera, SIZE)


def test_picture_joints_are_the_projected_world_joints():
    for index in range(10):
        sample = make_sample(3, index)
        labels = sample.labels
        found = sample.view.camera.project(labels.world)
        np.testing.assert_allclose(labels.picture, found[:, :2], atol=1e-9)
        np.testing.assert_allclose(labels.camera[:, 2], found[:, 2])
        plane = labels.camera[:, :2] / labels.camera[:, 2:]
        camera = sample.view.camera
        np.testing.assert_allclose(plane * camera.f + camera.c, labels.picture)


def test_a_sample_is_a_function_of_seed_and_index():
    first, again = make_sample((7, 0), 4), make_sample((7, 0), 4)
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.labels.world, again.labels.world)
    for other in (
        make_sample((7, 0), 5),
        make_sample((7, 1), 4),
        make_sample((8, 0), 4),
    ):
        assert other.figure.person.body.height != first.figure.person.body.height
    with pytest.raises(ValueError, match="must not be negative"):
        make_sample(0, -1)


def test_most_people_face_the_camera_unless_told_otherwise():
    faces = {}
    for frontal in (1.0, 0.0):
        people = [make_sample(2, index, frontal).labels.picture for index in range(30)]
        right, left = joint("r_shoulder"), joint("l_shoulder")
        sides = [person[right, 0] < person[left, 0] for person in people]
        faces[frontal] = np.mean(sides)
    assert faces[1.0] > 0.85 and 0.2 < faces[0.0] < 0.8


def test_a_figure_covers_its_joints(rng):
    for _ in range(20):
        person = make_person(rng)
        joints, frames = place(person.body, random_pose(rng)[1], rng.uniform(0, 360))
        figure = Figure(person, joints, frames, ACTIONS[0])
        view = front_view(220.0)
        picture = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
        depth, index = rasterize(figure.solids, view)
        light = Light(np.array([0.6, 0, 0.8]), 0.5, np.ones(3))
        shade(picture, depth, index, figure.solids, view, light)
        labels = label(figure, view, depth, index, figure.solids.owner)
        inner = labels.inside & (np.arange(len(JOINTS)) != joint("head"))
        x, y = labels.picture[inner].astype(int).T
        assert inner.sum() > 15
        assert (picture[y, x].max(axis=1) > 0).all()
        x1, y1, x2, y2 = labels.bbox
        rows, columns = np.nonzero(index >= 0)
        assert x1 <= columns.min() + 1 and columns.max() <= x2 + 1
        assert y1 <= rows.min() + 1 and rows.max() <= y2 + 1


def test_joints_behind_an_occluder_are_not_visible(rng):
    figure, view = stand(rng), front_view(200.0)
    knees = figure.joints[joint("l_knee"), 2]
    board = solid([(1000, 0, knees)] * 2, (1, 1), (50, 900, 100), box=True)
    for solids, visible in ((figure.solids, True), (join(figure.solids, board), False)):
        depth, index = rasterize(solids, view)
        labels = label(figure, view, depth, index, solids.owner)
        assert labels.visible[joint("l_knee")] == visible
        assert labels.visible[joint("r_knee")] == visible
        assert labels.visible[joint("head")] and labels.visible[joint("l_wrist")]
        assert labels.inside.all()


def test_the_far_arm_of_a_figure_seen_from_the_side_is_not_visible(rng):
    figure, view = stand(rng, heading=90.0), front_view(200.0)
    depth, index = rasterize(figure.solids, view)
    labels = label(figure, view, depth, index, figure.solids.owner)
    seen = labels.visible
    assert seen[joint("r_shoulder")] and seen[joint("r_elbow")]
    assert not seen[joint("l_shoulder")] and not seen[joint("l_elbow")]


def test_right_is_the_right_of_the_person(rng):
    view = front_view()
    facing = view.camera.project(stand(rng, heading=0.0).joints)
    turned = view.camera.project(stand(rng, heading=180.0).joints)
    right, left = joint("r_wrist"), joint("l_wrist")
    assert facing[right, 0] < facing[left, 0]
    assert turned[right, 0] > turned[left, 0]


def test_the_face_is_in_front_and_the_hair_behind(rng):
    figure = stand(rng)
    look = dataclasses.replace(figure.person.look, skin=(1, 0.8, 0.7), hair=(0, 0, 0.2))
    hair = [p.paint.color for p in figure.person.pieces if p.bone == "head"]
    assert figure.person.look.hair in hair
    look = dataclasses.replace(look, bald=False)
    person = dress(figure.person.body, look)
    means = []
    for heading in (0.0, 180.0):
        joints, frames = place(person.body, make_pose(), heading)
        head = (joints[joint("head")] + joints[joint("neck")]) / 2
        view = look_at(head + [3000, 0, 0], head, 0.0, 1500.0, SIZE)
        solids = person.solids(joints, frames)
        picture = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
        shade(picture, *rasterize(solids, view), solids, view, _lamp())
        means.append(picture[60:120, 60:100].mean(axis=(0, 1)))
    assert means[0][0] > 100 > means[1][0]


def _lamp():
    return Light(np.array([0.0, 0, 1]), 0.6, np.ones(3))


def test_people_fill_the_window_of_mpii():
    inside, heads = [], []
    for index in range(60):
        labels = make_sample(11, index).labels
        pose = labels.picture[list(MPII_JOINTS)]
        scale = 1.25 * labels.scale
        offset = pose - (labels.objpos + (0, 12 * scale))
        inside.append((np.abs(offset) < 100 * scale).all(axis=1).mean())
        head = labels.head
        size = 0.6 * np.hypot(head[2] - head[0], head[3] - head[1])
        heads.append(size / (200 * labels.scale))
    assert np.mean(inside) > 0.95
    assert 0.1 < np.median(heads) < 0.14
