"""People: a body, its flesh as solids fixed to the bones, hair, face and clothes."""

import dataclasses

import numpy as np

from deephar.data.synthetic.body import INDEX, NUM_JOINTS, PARENTS, Body, make_body
from deephar.data.synthetic.render import Solids

_SKINS = np.array(
    [(0.96, 0.80, 0.69), (0.90, 0.72, 0.58), (0.80, 0.60, 0.45), (0.60, 0.42, 0.30)]
    + [(0.44, 0.30, 0.21), (0.33, 0.22, 0.16)]
)
_HAIRS = np.array(
    [(0.08, 0.06, 0.05), (0.22, 0.14, 0.08), (0.40, 0.26, 0.13), (0.72, 0.58, 0.30)]
    + [(0.55, 0.22, 0.10), (0.60, 0.60, 0.60)]
)
_DARK = (0.06, 0.05, 0.06)
_NO_CUT = 2.0
_PARENT_INDEX = np.array(
    [INDEX[PARENTS.get(name, name)] for name in INDEX], dtype=np.intp
)


@dataclasses.dataclass(frozen=True)
class Paint:
    """Colours along one solid: ground, stripes of a period in mm, and the far end."""

    color: tuple[float, float, float]
    stripe: tuple[float, float, float] | None = None
    period: float = 0.0
    end: tuple[float, float, float] | None = None
    cut: float = _NO_CUT


@dataclasses.dataclass(frozen=True)
class Piece:
    """One solid in the frame of a bone: two ends (mm from the bone's start) and radii.

    `stretch` holds factors along the bone's axes (front, left, up); the ends are given
    as they lie in the body, the radii before stretching.
    """

    bone: str
    start: tuple[float, float, float]
    stop: tuple[float, float, float]
    radii: tuple[float, float]
    paint: Paint
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Look:
    """Colours and lengths of what a person wears."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    long_hair: bool
    bald: bool
    shirt: Paint
    sleeve: float  # 0 none, 1 to the elbow, 2 to the wrist
    trousers: tuple[float, float, float]
    leg: float  # 1 to the knee, 2 to the ankle
    shoes: tuple[float, float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Person:
    """A body and its pieces, as arrays ready to be posed."""

    body: Body
    look: Look
    pieces: tuple[Piece, ...]
    bones: np.ndarray
    ends: np.ndarray
    surface: Solids

    def solids(self, joints: np.ndarray, frames: np.ndarray, owner: int = 0) -> Solids:
        """The person's solids where `body.place` put joints (21, 3) and frames."""
        turned = frames[self.bones]
        origin = joints[_PARENT_INDEX[self.bones]]
        ends = origin[:, None] + self.ends @ np.swapaxes(turned, 1, 2)
        return dataclasses.replace(
            self.surface,
            ends=ends,
            frames=turned,
            owner=np.full(len(self.bones), owner),
        )


def make_look(rng: np.random.Generator, female: bool) -> Look:
    """Draw clothes, skin and hair."""
    skin = np.clip(_SKINS[rng.integers(len(_SKINS))] + rng.normal(0, 0.03, 3), 0, 1)
    shirt, trousers = _cloth(rng), _cloth(rng)
    striped = rng.random() < 0.3
    return Look(
        skin=tuple(skin),
        hair=tuple(_HAIRS[rng.integers(len(_HAIRS))]),
        long_hair=bool(rng.random() < (0.65 if female else 0.08)),
        bald=bool(rng.random() < (0.0 if female else 0.1)),
        shirt=Paint(
            shirt,
            _cloth(rng) if striped else None,
            rng.uniform(60, 130) if striped else 0.0,
        ),
        sleeve=float(
            rng.choice([0.0, 0.45, 0.7, 1.0, 2.0], p=[0.14, 0.3, 0.2, 0.06, 0.3])
        ),
        trousers=trousers,
        leg=float(rng.choice([0.3, 0.7, 1.0, 1.95], p=[0.12, 0.2, 0.1, 0.58])),
        shoes=_cloth(rng, 0.6),
    )


def _cloth(rng: np.random.Generator, bright: float = 1.0) -> tuple[float, float, float]:
    """A colour of any hue, from dull to vivid."""
    value, vivid = bright * rng.uniform(0.12, 1.0), rng.random() ** 1.5
    mix = 1 - vivid * rng.random(3)
    return tuple(np.clip(value * mix / mix.max(), 0.03, 1))


def make_person(rng: np.random.Generator) -> Person:
    """Draw a whole person: body, clothes, skin and hair."""
    body = make_body(rng)
    return dress(body, make_look(rng, body.female))


def dress(body: Body, look: Look) -> Person:
    """Put flesh and clothes on a body."""
    pieces = (*_trunk(body, look), *_head(body, look), *_limbs(body, look))
    count = len(pieces)
    bare = [p.paint.color for p in pieces]
    colors = np.array(
        [
            (p.paint.color, p.paint.stripe or color, p.paint.end or color)
            for p, color in zip(pieces, bare, strict=True)
        ]
    )
    surface = Solids(
        ends=np.zeros((count, 2, 3)),
        radii=np.array([p.radii for p in pieces]),
        frames=np.zeros((count, 3, 3)),
        stretch=np.array([p.stretch for p in pieces]),
        colors=colors,
        stripes=np.array([p.paint.period for p in pieces]),
        cut=np.array([p.paint.cut for p in pieces]),
        box=np.zeros(count, dtype=bool),
        owner=np.zeros(count, dtype=int),
    )
    bones = np.array([INDEX[p.bone] for p in pieces])
    ends = np.array([(p.start, p.stop) for p in pieces])
    return Person(body, look, pieces, bones, ends, surface)


def _trunk(body: Body, look: Look) -> list[Piece]:
    """Hips, waist, chest, shoulders and neck."""
    h, g = body.height, body.height * body.girth
    spine, thorax = (body.offsets[INDEX[name]][2] for name in ("spine", "thorax"))
    broad = abs(body.offsets[INDEX["l_shoulder"]][1])
    hip = abs(body.offsets[INDEX["l_hip"]][1])
    waist, chest = (0.071, 0.088) if body.female else (0.082, 0.098)
    trousers, skin = Paint(look.trousers), Paint(look.skin)
    flat = (0.66, 1.0, 1.0)
    hips = hip + 0.046 * g
    pieces = [
        Piece(
            "pelvis",
            (-0.006 * h, 0, -0.01 * h),
            (0, 0, 0.04 * h),
            (hips, 0.94 * hips),
            trousers,
            (0.7, 1.0, 0.7),
        ),
        Piece(
            "spine",
            (0, 0, 0.45 * spine),
            (0, 0, spine),
            (waist * g * 1.06, waist * g),
            look.shirt,
            flat,
        ),
        Piece(
            "thorax",
            (0, 0, 0),
            (0, 0, thorax - 0.058 * h),
            (waist * g, chest * g),
            look.shirt,
            (0.64, 1.0, 0.8),
        ),
        Piece(
            "neck",
            (0, 0, -0.015 * h),
            (0.004 * h, 0, 0.05 * h),
            (0.036 * g, 0.031 * h),
            skin,
        ),
    ]
    for sign in (-1, 1):
        pieces.append(
            Piece(
                "thorax",
                (0, 0.3 * sign * broad, thorax - 0.004 * h),
                (0, 0.9 * sign * broad, thorax - 0.016 * h),
                (0.036 * g, 0.037 * g),
                look.shirt,
            )
        )
    return pieces


def _head(body: Body, look: Look) -> list[Piece]:
    """Skull, jaw and face, whose front is +x, and the hair behind."""
    h = body.height
    top = body.offsets[INDEX["head"]][2]
    skin, hair, dark = Paint(look.skin), Paint(look.hair), Paint(_DARK)
    lips = Paint((0.6 * look.skin[0], 0.35 * look.skin[1], 0.35 * look.skin[2]))
    white = Paint((0.93, 0.93, 0.92))
    crown = top - 0.049 * h
    pieces = [
        Piece(
            "head",
            (0.016 * h, 0, 0.030 * h),
            (0.003 * h, 0, crown),
            (0.035 * h, 0.048 * h),
            skin,
            (1.0, 0.86, 1.0),
        ),
        Piece(
            "head",
            (0.052 * h, 0, 0.066 * h),
            (0.058 * h, 0, 0.050 * h),
            (0.006 * h, 0.009 * h),
            skin,
        ),
        Piece(
            "head",
            (0.047 * h, 0, 0.029 * h),
            (0.047 * h, 0, 0.029 * h),
            (0.006 * h, 0.006 * h),
            lips,
            (1.0, 2.2, 0.7),
        ),
    ]
    for sign in (-1, 1):
        eye = np.array((0.043 * h, sign * 0.018 * h, 0.071 * h))
        pupil = eye + (0.006 * h, 0, 0)
        brow = eye + (0.004 * h, 0, 0.012 * h)
        pieces += [
            Piece("head", tuple(eye), tuple(eye), (0.009 * h,) * 2, white),
            Piece("head", tuple(pupil), tuple(pupil), (0.006 * h,) * 2, dark),
            Piece(
                "head", tuple(brow), tuple(brow), (0.004 * h,) * 2, hair, (1, 2.6, 1)
            ),
            Piece(
                "head",
                (0, sign * 0.043 * h, 0.055 * h),
                (0, sign * 0.043 * h, 0.065 * h),
                (0.008 * h,) * 2,
                skin,
            ),
        ]
    if not look.bald:
        pieces.append(
            Piece(
                "head",
                (-0.012 * h, 0, crown - 0.004 * h),
                (-0.010 * h, 0, crown + 0.003 * h),
                (0.049 * h, 0.050 * h),
                hair,
                (1.0, 0.92, 1.0),
            )
        )
    if look.long_hair:
        pieces.append(
            Piece(
                "head",
                (-0.022 * h, 0, crown),
                (-0.030 * h, 0, -0.045 * h),
                (0.043 * h, 0.040 * h),
                hair,
                (0.75, 1.0, 1.0),
            )
        )
    return pieces


def _sleeves(paint: Paint, reach: float, skin) -> tuple[Paint, Paint]:
    """Paint of the two halves of a limb covered to `reach` (0 to 2 halves)."""
    upper = dataclasses.replace(paint, end=skin, cut=reach if reach < 1 else _NO_CUT)
    if reach <= 1:
        return upper, Paint(skin)
    return upper, dataclasses.replace(paint, end=skin, cut=reach - 1)


def _limbs(body: Body, look: Look) -> list[Piece]:
    """Arms with hands, legs with shoes."""
    h, g = body.height, body.height * body.girth
    sleeves = _sleeves(look.shirt, look.sleeve, look.skin)
    legs = _sleeves(Paint(look.trousers), look.leg, look.skin)
    shoes, skin = Paint(look.shoes), Paint(look.skin)
    arm = 0.92 if body.female else 1.05
    zero = (0.0, 0.0, 0.0)
    pieces = []
    for side in "rl":
        at = {n[2:]: body.offsets[INDEX[n]] for n in INDEX if n.startswith(side + "_")}
        pieces += [
            Piece(
                f"{side}_elbow",
                zero,
                tuple(at["elbow"]),
                (0.034 * g * arm, 0.025 * g * arm),
                sleeves[0],
            ),
            Piece(
                f"{side}_wrist",
                zero,
                tuple(at["wrist"]),
                (0.0255 * g * arm, 0.0165 * g * arm),
                sleeves[1],
            ),
            Piece(
                f"{side}_hand",
                tuple(0.35 * at["hand"]),
                tuple(1.15 * at["hand"]),
                (0.021 * h, 0.019 * h),
                skin,
                (1.15, 0.6, 1.0),
            ),
            Piece(
                f"{side}_knee", zero, tuple(at["knee"]), (0.051 * g, 0.035 * g), legs[0]
            ),
            Piece(
                f"{side}_ankle",
                zero,
                tuple(at["ankle"]),
                (0.036 * g, 0.022 * g),
                legs[1],
            ),
            Piece(
                f"{side}_ankle",
                (-0.010 * g, 0, 0.22 * at["ankle"][2]),
                (-0.004 * g, 0, 0.5 * at["ankle"][2]),
                (0.033 * g, 0.026 * g),
                _calf(legs[1], look.leg, look.skin),
            ),
            Piece(
                f"{side}_foot",
                (-0.012 * h, 0, -0.008 * h),
                tuple(at["foot"]),
                (0.026 * h, 0.020 * h),
                shoes,
                (1.0, 0.95, 1.0),
            ),
        ]
    return pieces


def _calf(paint: Paint, leg: float, skin) -> Paint:
    """The calf is covered wherever the trousers reach past it."""
    return Paint(skin) if leg <= 1 else Paint(paint.color)


def extent(person: Person, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(2, 3) corners of the box in the world that holds the person, mm."""
    if joints.shape[-2:] != (NUM_JOINTS, 3):
        raise ValueError(
            f"`joints` must have the shape (21, 3). Received: {joints.shape}"
        )
    solids = person.solids(joints, frames)
    bounds = solids.bounds()[..., None]
    points = np.concatenate([solids.ends - bounds, solids.ends + bounds]).reshape(-1, 3)
    return np.stack([points.min(axis=0), points.max(axis=0)])
