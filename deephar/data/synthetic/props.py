"""What people hold and use: solids that follow their hands through a performance."""

from collections.abc import Callable

import numpy as np

from deephar.data.synthetic.body import INDEX, Body
from deephar.data.synthetic.motion import Performance, on_shoulders
from deephar.data.synthetic.render import Solids, join

_UP = np.array((0.0, 0.0, 1.0))
_GRAVITY = 9810.0  # mm / s^2
_STEEL = (0.55, 0.56, 0.6)
_DARK = (0.12, 0.12, 0.14)
_WOOD = (0.62, 0.42, 0.22)
HELD = 0  # owner of what is held: it does not hide the hand that holds it
THING = -1

Maker = Callable[[np.random.Generator, Performance, Body], list[Solids]]


class Parts:
    """Solids, gathered one by one."""

    def __init__(self, owner: int = HELD):
        self.owner = owner
        self._rows: list[tuple] = []

    def rod(self, start, stop, radii, color) -> "Parts":
        """Adds a round cone between two places (3,), mm; `radii` one or two."""
        radii = np.broadcast_to(np.asarray(radii, dtype=np.float64), 2)
        self._rows.append(((start, stop), radii, np.eye(3), np.ones(3), color, False))
        return self

    def disc(self, center, axis, radius, half, color) -> "Parts":
        """Adds a flat round solid, `half` mm thick to each side along its axis."""
        stretch = np.array([half / radius, 1.0, 1.0])
        frame = _frame(axis)
        self._rows.append(
            ((center, center), np.full(2, radius), frame, stretch, color, False)
        )
        return self

    def box(self, center, axes, half, color) -> "Parts":
        """Adds a box of half sizes (3,), mm, along the columns of `axes`."""
        self._rows.append(
            ((center, center), np.ones(2), axes, np.asarray(half, float), color, True)
        )
        return self

    def solids(self) -> Solids:
        """Returns all of them."""
        ends, radii, frames, stretch, colors, box = zip(*self._rows, strict=True)
        count = len(box)
        return Solids(
            ends=np.array(ends, dtype=np.float64),
            radii=np.array(radii),
            frames=np.array(frames),
            stretch=np.array(stretch),
            colors=np.repeat(np.array(colors)[:, None], 3, axis=1),
            stripes=np.zeros(count),
            cut=np.full(count, 2.0),
            box=np.array(box),
            owner=np.full(count, self.owner),
        )


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


def _frame(axis: np.ndarray) -> np.ndarray:
    """Returns a rotation whose first column is a direction (3,)."""
    first = _unit(np.asarray(axis, dtype=np.float64))
    aside = np.eye(3)[np.argmin(np.abs(first))]
    second = _unit(np.cross(first, aside))
    return np.stack([first, second, np.cross(first, second)], axis=1)


def _hands(show: Performance) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the hand that leads and the other one are, (n, 3) each."""
    right, left = (show.joints[:, INDEX[name]] for name in ("r_hand", "l_hand"))
    return (left, right) if show.left else (right, left)


def _stick(show: Performance, angle: float) -> np.ndarray:
    """Returns directions (n, 3) of a stick in the leading hand.

    It is held at an angle, degrees, between the forearm's line (0) and the thumb's
    side (90).
    """
    axes = show.frames[:, INDEX["l_hand" if show.left else "r_hand"]]
    turn = np.radians(angle)
    return axes @ np.array([np.sin(turn), 0.0, -np.cos(turn)])


def _bar(parts: Parts, middle, axis, plates, color) -> Parts:
    """Adds a bar of 2 m with plates to its ends."""
    parts.rod(middle - 900 * axis, middle + 900 * axis, 15, _STEEL)
    for sign in (-1, 1):
        parts.disc(middle + sign * 760 * axis, axis, plates, 45, color)
    return parts


def _color(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.1, 0.95, 3)


def _barbell(rng, show, body, plates=(150, 220)):
    lead, other = _hands(show)
    axis, middle = _unit(lead - other), (lead + other) / 2
    plates, color = rng.uniform(*plates), _color(rng)
    return [
        _bar(Parts(), middle[i], axis[i], plates, color).solids()
        for i in range(len(show))
    ]


def _barbell_back(rng, show, body):
    right, left = (
        on_shoulders(body, aside)(show.joints, show.frames) for aside in (-1.0, 1.0)
    )
    axis, middle = _unit(left - right), (left + right) / 2
    plates, color = rng.uniform(150, 220), _color(rng)
    return [
        _bar(Parts(), middle[i], axis[i], plates, color).solids()
        for i in range(len(show))
    ]


def _bench(rng, show, body):
    """The bar above, and a bench under the back."""
    bars = _barbell(rng, show, body, (110, 170))
    color = 0.5 * _color(rng)
    spine = show.joints[0, [INDEX["pelvis"], INDEX["neck"]]]
    along = spine[1] - spine[0]
    along[2] = 0
    axes = _frame(_unit(along))
    high = float(spine[0, 2] - 0.75 * body.flesh[INDEX["pelvis"]])
    middle = (spine[0] + spine[1]) / 2 * (1, 1, 0) + along * 0.1
    half = np.linalg.norm(along) / 2 + 180
    top = Parts(THING).box(middle + (high - 40) * _UP, axes, _sizes(axes, half), color)
    for sign in (-1, 1):
        foot = middle + sign * 0.8 * half * _unit(along)
        top.rod(foot + 20 * _UP, foot + (high - 60) * _UP, 25, _DARK)
    bench = top.solids()
    return [join(bar, bench) for bar in bars]


def _sizes(axes: np.ndarray, half: float) -> np.ndarray:
    """Returns half sizes of a board, long on the first axis and thin upwards."""
    upright = int(np.argmax(np.abs(axes[2])))
    sizes = np.full(3, 140.0)
    sizes[0], sizes[upright] = half, 35.0
    return sizes


def _high_bar(rng, show, body):
    lead, other = _hands(show)
    axis, middle = _unit((lead - other)[0]), (lead + other)[0] / 2
    bar = Parts(THING).rod(middle - 800 * axis, middle + 800 * axis, 17, _STEEL)
    for sign in (-1, 1):
        end = middle + sign * 800 * axis
        bar.rod(end * (1, 1, 0), end, 28, _DARK)
    return [bar.solids()] * len(show)


def _swung(length: float, thick, color, angle: float) -> Maker:
    def make(rng, show, body):
        lead, _ = _hands(show)
        way = _stick(show, angle)
        tint = np.clip(np.array(color) * rng.uniform(0.6, 1.4), 0, 1)
        return [
            Parts()
            .rod(lead[i] - 60 * way[i], lead[i] + length * way[i], thick, tint)
            .solids()
            for i in range(len(show))
        ]

    return make


def _club(rng, show, body):
    lead, _ = _hands(show)
    way = _stick(show, 38)
    out = []
    for hand, axis in zip(lead, way, strict=True):
        head = hand + 820 * axis
        parts = Parts().rod(hand - 80 * axis, head, (11, 8), _STEEL)
        out.append(parts.disc(head, axis, 55, 30, _DARK).solids())
    return out


def _racket(rng, show, body):
    lead, _ = _hands(show)
    way = _stick(show, 50)
    axes = show.frames[:, INDEX["l_hand" if show.left else "r_hand"]]
    color, strings = _color(rng), rng.uniform(0.6, 0.95, 3)
    out = []
    for i in range(len(show)):
        neck = lead[i] + 300 * way[i]
        parts = Parts().rod(lead[i] - 60 * way[i], neck, 15, color)
        parts.disc(neck + 140 * way[i], axes[i, :, 1], 150, 14, strings)
        out.append(parts.solids())
    return out


def _serve(rng, show, body):
    """The racket, and a ball that the other hand throws up."""
    rackets = _racket(rng, show, body)
    _, other = _hands(show)
    balls = _ball(show, other, 0.5, np.array([0, 0, 4300.0]), 36, (0.8, 0.9, 0.2))
    return [join(*pair) for pair in zip(rackets, balls, strict=True)]


def _ball(
    show: Performance, hand: np.ndarray, when: float, speed, radius, color
) -> list[Solids]:
    """A ball in a hand (n, 3) until a second of the move, then flying or rolling."""
    free = show.seconds >= when
    first = int(np.argmax(free)) if free.any() else len(show)
    place = hand + 0.4 * radius * _unit(hand - show.joints[:, INDEX["neck"]])
    now = np.maximum(np.arange(len(show)) - first, 0)[:, None] / show.fps
    start = place[min(first, len(show) - 1)]
    flight = start + now * speed - 0.5 * _GRAVITY * now**2 * _UP
    flight[:, 2] = np.maximum(flight[:, 2], radius)
    place = np.where(free[:, None], flight, place)
    return [Parts().rod(at, at, radius, color).solids() for at in place]


def _front(show: Performance) -> np.ndarray:
    """Returns the direction (3,) in which the person faces at the end."""
    way = show.frames[-1, INDEX["pelvis"], :, 0] * (1, 1, 0)
    return _unit(way)


def _baseball(rng, show, body):
    lead, _ = _hands(show)
    speed = 14000 * _front(show) + 500 * _UP
    return _ball(show, lead, 1.17, speed, 40, (0.93, 0.92, 0.88))


def _bowling(rng, show, body):
    lead, _ = _hands(show)
    return _ball(show, lead, 1.38, 5500 * _front(show), 108, 0.7 * _color(rng))


def _dropped(rng, show, body):
    lead, _ = _hands(show)
    return _ball(show, lead, 0.75, np.zeros(3), 60, _color(rng))


def _thrown(rng, show, body):
    lead, _ = _hands(show)
    speed = 7000 * _front(show) + 1500 * _UP
    return _ball(show, lead, 0.97, speed, 45, _color(rng))


def _cup(rng, show, body):
    """A cup in the fist, upright as the thumb."""
    lead, _ = _hands(show)
    way = _stick(show, 90)
    color = _color(rng)
    return [
        Parts()
        .rod(lead[i] - 30 * way[i], lead[i] + 60 * way[i], (32, 38), color)
        .solids()
        for i in range(len(show))
    ]


def _in_hand(sizes: tuple[float, float, float], bright: float = 1.0) -> Maker:
    """A box in the leading hand: half sizes along the axes of the hand, mm."""

    def make(rng, show, body):
        lead, _ = _hands(show)
        axes = show.frames[:, INDEX["l_hand" if show.left else "r_hand"]]
        color = bright * _color(rng)
        return [
            Parts().box(lead[i], axes[i], sizes, color).solids()
            for i in range(len(show))
        ]

    return make


def _between(sizes: tuple[float, float, float]) -> Maker:
    """A box that both hands hold: half sizes to a side, upwards and forwards, mm."""

    def make(rng, show, body):
        lead, other = _hands(show)
        middle, aside = (lead + other) / 2, _unit(lead - other)
        face = _unit(show.joints[:, INDEX["head"]] - middle)
        up = _unit(np.cross(aside, face))
        axes = np.stack([aside, up, np.cross(aside, up)], axis=-1)
        color = _color(rng)
        return [
            Parts().box(middle[i], axes[i], sizes, color).solids()
            for i in range(len(show))
        ]

    return make


def _rope(rng, show, body):
    """An arc through both hands that goes round once a jump."""
    lead, other = _hands(show)
    turn = 2 * np.pi * (show.seconds / show.move.seconds + 0.5)
    color = _color(rng)
    height = body.height
    steps = np.linspace(-1, 1, 12)
    front = show.frames[:, INDEX["pelvis"], :, 0] * (1, 1, 0)
    out = []
    for i in range(len(show)):
        middle, half = (lead[i] + other[i]) / 2, (lead[i] - other[i]) / 2
        way = np.cos(turn[i]) * _UP + np.sin(turn[i]) * _unit(front[i])
        bow = 0.62 * height * np.sqrt(1 - steps**2)
        points = middle + steps[:, None] * half + bow[:, None] * way
        points[:, 2] = np.maximum(points[:, 2], 8)
        parts = Parts()
        for start, stop in zip(points[:-1], points[1:], strict=True):
            parts.rod(start, stop, 9, color)
        out.append(parts.solids())
    return out


def _guitar(rng, show, body):
    """A body before the belly, and a neck towards the hand that does not strum."""
    _, fret = _hands(show)
    front = show.frames[:, INDEX["spine"]][..., 0]
    aside = show.frames[:, INDEX["spine"]][..., 1] * (-1 if show.left else 1)
    belly = show.joints[:, INDEX["spine"]] + 190 * front - 90 * aside
    belly[:, 2] -= 40
    color = np.array(_WOOD) * rng.uniform(0.4, 1.5)
    out = []
    for i in range(len(show)):
        way = _unit(fret[i] - belly[i])
        parts = Parts().disc(belly[i] - 60 * way, front[i], 190, 45, color)
        parts.disc(belly[i] + 150 * way, front[i], 140, 42, color)
        parts.disc(belly[i] + 60 * way + 34 * front[i], front[i], 55, 14, _DARK)
        out.append(parts.rod(belly[i], fret[i] + 130 * way, 22, _DARK).solids())
    return out


PROPS: dict[str, Maker] = {
    "barbell": _barbell,
    "barbell_back": _barbell_back,
    "barbell_bench": _bench,
    "high_bar": _high_bar,
    "bat": _swung(820, (15, 34), _WOOD, 55),
    "club": _club,
    "racket": _racket,
    "racket_serve": _serve,
    "baseball": _baseball,
    "bowling_ball": _bowling,
    "rope": _rope,
    "guitar": _guitar,
    "dropped_ball": _dropped,
    "thrown_ball": _thrown,
    "cup": _cup,
    "phone": _in_hand((38, 10, 75), 0.4),
    "product": _in_hand((45, 45, 80)),
    "book": _between((170, 115, 12)),
    "camera": _between((75, 50, 45)),
}


def make_prop(
    rng: np.random.Generator, show: Performance, body: Body
) -> list[Solids] | None:
    """Draws what a performance needs: its solids in every frame; None for nothing."""
    if not show.move.prop:
        return None
    return PROPS[show.move.prop](rng, show, body)
