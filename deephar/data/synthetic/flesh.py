"""Flesh, hair, face and clothes: solids fixed to the bones of a body."""

import dataclasses

from deephar.data.synthetic.body import INDEX, Body

NUM_TRUNK = 3  # the first pieces of a person: hips, waist and chest
NO_CUT = 2.0
_DARK = (0.06, 0.05, 0.06)
_WHITE = (0.93, 0.93, 0.92)
_ZERO = (0.0, 0.0, 0.0)
FACE = {  # places in the frame of the head's bone / stature; those of the left side
    "nose": (0.058, 0.0, 0.050),
    "eye": (0.049, 0.018, 0.071),
    "ear": (0.0, 0.043, 0.060),
}


@dataclasses.dataclass(frozen=True)
class Paint:
    """Colours along one solid: ground, stripes of a period in mm, and the far end."""

    color: tuple[float, float, float]
    stripe: tuple[float, float, float] | None = None
    period: float = 0.0
    end: tuple[float, float, float] | None = None
    cut: float = NO_CUT


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


def pieces_of(body: Body, look: Look) -> tuple[Piece, ...]:
    """Makes all pieces of a person; the first `NUM_TRUNK` are hips, waist and chest."""
    pieces = [*_trunk(body, look), *_face(body, look), *_hair(body, look)]
    for side in "rl":
        pieces += [*_arm(body, look, side), *_leg(body, look, side)]
    return tuple(pieces)


def _scaled(
    unit: float,
    bone: str,
    start: tuple[float, ...],
    stop: tuple[float, ...],
    radii: tuple[float, float],
    paint: Paint,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Piece:
    """Makes a piece whose lengths are given in units of `unit` mm."""
    lengths = (tuple(unit * value for value in group) for group in (start, stop, radii))
    return Piece(bone, *lengths, paint, stretch)


def _trunk(body: Body, look: Look) -> list[Piece]:
    """Makes hips, waist, chest, neck and shoulders."""
    h, girth = body.height, body.girth
    spine, thorax = (body.offsets[INDEX[name]][2] / h for name in ("spine", "thorax"))
    broad = abs(body.offsets[INDEX["l_shoulder"]][1]) / h
    hips = abs(body.offsets[INDEX["l_hip"]][1]) / h + 0.046 * girth
    waist, chest = (0.071, 0.088) if body.female else (0.082, 0.098)
    waist, chest, shoulder = waist * girth, chest * girth, 0.0365 * girth
    rows = [
        (
            "pelvis",
            (-0.006, 0, -0.01),
            (0, 0, 0.04),
            (hips, 0.94 * hips),
            Paint(look.trousers),
            (0.7, 1.0, 0.7),
        ),
        (
            "spine",
            (0, 0, 0.45 * spine),
            (0, 0, spine),
            (1.06 * waist, waist),
            look.shirt,
            (0.66, 1.0, 1.0),
        ),
        (
            "thorax",
            (0, 0, 0),
            (0, 0, thorax - 0.058),
            (waist, chest),
            look.shirt,
            (0.64, 1.0, 0.8),
        ),
        (
            "neck",
            (0, 0, -0.015),
            (0.004, 0, 0.05),
            (0.036 * girth, 0.031),
            Paint(look.skin),
        ),
    ]
    for side in (-broad, broad):
        inner, outer = (0, 0.3 * side, thorax - 0.004), (0, 0.9 * side, thorax - 0.016)
        rows.append(("thorax", inner, outer, (shoulder, shoulder), look.shirt))
    return [_scaled(h, *row) for row in rows]


def _face(body: Body, look: Look) -> list[Piece]:
    """Makes skull, jaw, nose, lips, eyes, brows and ears; the face looks along +x."""
    crown = body.offsets[INDEX["head"]][2] / body.height - 0.049
    skin, hair = Paint(look.skin), Paint(look.hair)
    lips = Paint((0.6 * look.skin[0], 0.35 * look.skin[1], 0.35 * look.skin[2]))
    mouth = (0.047, 0, 0.029)
    rows = [
        ((0.016, 0, 0.030), (0.003, 0, crown), (0.035, 0.048), skin, (1.0, 0.86, 1.0)),
        ((0.052, 0, 0.066), FACE["nose"], (0.006, 0.009), skin),
        (mouth, mouth, (0.006, 0.006), lips, (1.0, 2.2, 0.7)),
    ]
    for sign in (-1, 1):
        eye, pupil, brow = (
            (x, sign * 0.018, z)
            for x, z in ((0.043, 0.071), (0.049, 0.071), (0.047, 0.083))
        )
        low, high = (0, sign * 0.043, 0.055), (0, sign * 0.043, 0.065)
        rows += [
            (eye, eye, (0.009, 0.009), Paint(_WHITE)),
            (pupil, pupil, (0.006, 0.006), Paint(_DARK)),
            (brow, brow, (0.004, 0.004), hair, (1.0, 2.6, 1.0)),
            (low, high, (0.008, 0.008), skin),
        ]
    return [_scaled(body.height, "head", *row) for row in rows]


def _hair(body: Body, look: Look) -> list[Piece]:
    """Makes a cap over the back of the skull, and long hair down the neck."""
    crown = body.offsets[INDEX["head"]][2] / body.height - 0.049
    hair, rows = Paint(look.hair), []
    if not look.bald:
        low, high = (-0.012, 0, crown - 0.004), (-0.010, 0, crown + 0.003)
        rows.append((low, high, (0.049, 0.050), hair, (1.0, 0.92, 1.0)))
    if look.long_hair:
        high, low = (-0.022, 0, crown), (-0.030, 0, -0.045)
        rows.append((high, low, (0.043, 0.040), hair, (0.75, 1.0, 1.0)))
    return [_scaled(body.height, "head", *row) for row in rows]


def _sleeves(
    paint: Paint, reach: float, skin: tuple[float, float, float]
) -> tuple[Paint, Paint]:
    """Returns the paint of both halves of a limb covered to `reach` (0 to 2 halves)."""
    upper = dataclasses.replace(paint, end=skin, cut=reach if reach < 1 else NO_CUT)
    if reach <= 1:
        return upper, Paint(skin)
    return upper, dataclasses.replace(paint, end=skin, cut=reach - 1)


def _arm(body: Body, look: Look, side: str) -> list[Piece]:
    """Makes upper arm, forearm and hand, each along its bone, downwards at rest."""
    h, girth = body.height, body.girth * (0.92 if body.female else 1.05)
    elbow, wrist, hand = (
        body.offsets[INDEX[f"{side}_{name}"]] / h for name in ("elbow", "wrist", "hand")
    )
    upper, lower = _sleeves(look.shirt, look.sleeve, look.skin)
    rows = [
        ("elbow", _ZERO, elbow, (0.034 * girth, 0.025 * girth), upper),
        ("wrist", _ZERO, wrist, (0.0255 * girth, 0.0165 * girth), lower),
        (
            "hand",
            0.35 * hand,
            1.15 * hand,
            (0.021, 0.019),
            Paint(look.skin),
            (1.15, 0.6, 1.0),
        ),
    ]
    return [_scaled(h, f"{side}_{row[0]}", *row[1:]) for row in rows]


def _leg(body: Body, look: Look, side: str) -> list[Piece]:
    """Makes thigh, shin, calf and a shoe that points forward."""
    h, girth = body.height, body.girth
    knee, ankle, foot = (
        body.offsets[INDEX[f"{side}_{name}"]] / h for name in ("knee", "ankle", "foot")
    )
    upper, lower = _sleeves(Paint(look.trousers), look.leg, look.skin)
    calf = Paint(lower.color)
    rows = [
        ("knee", _ZERO, knee, (0.051 * girth, 0.035 * girth), upper),
        ("ankle", _ZERO, ankle, (0.036 * girth, 0.022 * girth), lower),
        (
            "ankle",
            (-0.010, 0, 0.22 * ankle[2]),
            (-0.004, 0, 0.5 * ankle[2]),
            (0.033 * girth, 0.026 * girth),
            calf,
        ),
        (
            "foot",
            (-0.012, 0, -0.008),
            foot,
            (0.026, 0.020),
            Paint(look.shoes),
            (1.0, 0.95, 1.0),
        ),
    ]
    return [_scaled(h, f"{side}_{row[0]}", *row[1:]) for row in rows]
