"""People: a drawn body with its flesh and clothes, ready to be posed."""

import dataclasses

import numpy as np

from deephar.data.synthetic.body import INDEX, PARENTS, Body, make_body
from deephar.data.synthetic.flesh import NUM_TRUNK, Look, Paint, Piece, pieces_of
from deephar.data.synthetic.render import Solids

_SKINS = np.array(
    [(0.96, 0.80, 0.69), (0.90, 0.72, 0.58), (0.80, 0.60, 0.45), (0.60, 0.42, 0.30)]
    + [(0.44, 0.30, 0.21), (0.33, 0.22, 0.16)]
)
_HAIRS = np.array(
    [(0.08, 0.06, 0.05), (0.22, 0.14, 0.08), (0.40, 0.26, 0.13), (0.72, 0.58, 0.30)]
    + [(0.55, 0.22, 0.10), (0.60, 0.60, 0.60)]
)
_PARENT_INDEX = np.array(
    [INDEX[PARENTS.get(name, name)] for name in INDEX], dtype=np.intp
)


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
        """Returns the solids where `body.place` put joints (21, 3) and frames."""
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
    """Draws clothes, skin and hair."""
    skin = _SKINS[rng.integers(len(_SKINS))] * rng.uniform(0.88, 1.04)
    skin = np.clip(skin + rng.normal(0, 0.008, 3), 0, 1)
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
    """Draws a colour of any hue, from dull to vivid."""
    value, vivid = bright * rng.uniform(0.12, 1.0), rng.random() ** 1.5
    mix = 1 - vivid * rng.random(3)
    return tuple(np.clip(value * mix / mix.max(), 0.03, 1))


def make_person(rng: np.random.Generator) -> Person:
    """Draws a whole person: body, clothes, skin and hair."""
    body = make_body(rng)
    return dress(body, make_look(rng, body.female))


def dress(body: Body, look: Look) -> Person:
    """Puts flesh and clothes on a body."""
    pieces = pieces_of(body, look)
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


_ARM_JOINTS = [
    INDEX[f"{side}_{n}"] for side in "rl" for n in ("elbow", "wrist", "hand")
]


def arms_in_trunk(person: Person, joints: np.ndarray, frames: np.ndarray) -> bool:
    """Tells whether joints (21, 3), mm, put an arm into hips, waist or chest."""
    arms = joints[_ARM_JOINTS]
    points = np.concatenate([arms, (arms[:-1] + arms[1:])[[0, 3]] / 2])
    for row, piece in enumerate(person.pieces[:NUM_TRUNK]):
        bone = person.bones[row]
        local = (points - joints[_PARENT_INDEX[bone]]) @ frames[bone]
        start, stop = person.ends[row] / piece.stretch
        axis = stop - start
        offset = local / piece.stretch - start
        along = np.clip(offset @ axis / (axis @ axis), 0, 1)[:, None]
        radius = (1 - along) * piece.radii[0] + along * piece.radii[1]
        if (np.linalg.norm(offset - along * axis, axis=1) < 0.95 * radius[:, 0]).any():
            return True
    return False
