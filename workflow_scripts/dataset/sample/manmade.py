"""Man-made classes of the sample dataset: flat parts with hard edges, told apart by their arrangement."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from workflow_scripts.dataset.sample.natural import band_noise

OVERSAMPLING = 2  # parts are drawn this much larger, then averaged down: hard edges without jaggies

# outline, pattern, words, gloss
MANMADE = (
    ("triangle", "hole", "pierced triangle", "A triangular plate with one round hole."),
    ("square", "hole", "pierced square", "A square plate with one round hole."),
    ("hexagon", "hole", "pierced hexagon", "A hexagonal plate with one round hole."),
    ("cross", "hole", "pierced cross", "A cross-shaped plate with one round hole."),
    ("triangle", "slots", "slotted triangle", "A triangular plate with three parallel slots."),
    ("square", "slots", "slotted square", "A square plate with three parallel slots."),
    ("hexagon", "slots", "slotted hexagon", "A hexagonal plate with three parallel slots."),
    ("cross", "slots", "slotted cross", "A cross-shaped plate with three parallel slots."),
    ("triangle", "studs", "studded triangle", "A triangular plate with a stud in every corner."),
    ("square", "studs", "studded square", "A square plate with a stud in every corner."),
    ("hexagon", "studs", "studded hexagon", "A hexagonal plate with a stud in every corner."),
    ("cross", "studs", "studded cross", "A cross-shaped plate with a stud at every end."),
    ("gear", "hole", "gear", "A toothed wheel with a round bore."),
    ("ladder", "", "ladder", "Two rails joined by rungs."),
    ("arrow", "", "arrow", "A shaft with a triangular head."),
    ("bracket", "", "bracket", "A bar with both ends bent the same way."),
    ("stairs", "", "stairs", "A flight of equal steps."),
    ("comb", "", "comb", "A bar with parallel teeth on one side."),
    ("girder", "", "girder", "Two flanges joined by a web."),
    ("wheel", "", "spoked wheel", "A rim and a hub joined by straight spokes."),
)


def draw_manmade(outline, pattern, size, colours, rng):
    """Draw an object among other hard-edged bits: an array of height x width x RGB, about 0..1."""
    body, ground = colours
    canvas = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), _rgb(ground))
    pen = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(2, 6)):
        _draw_clutter(pen, canvas.size, ground, 0.12, rng)
    place = _pose(canvas.size, rng)
    inlay = body + (ground - body) * rng.choice([0.5, 1])
    for solid, part in _parts(outline, pattern, rng):
        pen.polygon(place(part), fill=_rgb(body if solid else inlay))
    if rng.random() < 0.5:
        _draw_clutter(pen, canvas.size, ground, 0.25, rng)
    wear = band_noise(rng, size, rng.uniform(2, 9), rng.uniform(1, 5))[..., None]
    pixels = np.asarray(canvas.reduce(OVERSAMPLING), dtype=np.float32) / 255
    return pixels + rng.uniform(0, 0.06) * wear


def _rgb(colour):
    return tuple(int(255 * channel) for channel in np.clip(colour, 0, 1))


def _pose(size, rng):
    """A random view: a function taking a part's points, within -1..1, to canvas positions."""
    angle = rng.uniform(-0.5, 0.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    squeeze = np.array([[1, rng.uniform(-0.15, 0.15)], [0, rng.uniform(0.8, 1)]])
    matrix = turn @ squeeze * rng.uniform(0.75, 1.0) * min(size) / 2
    centre = np.array(size) / 2 + rng.uniform(-0.12, 0.12, 2) * min(size)
    return lambda points: (points @ matrix.T + centre).ravel().tolist()


def _draw_clutter(pen, size, colour, contrast, rng):
    """A small stray polygon or a line, in a colour near the given one."""
    tone = _rgb(colour + rng.uniform(-contrast, contrast, 3))
    centre = rng.uniform(0, 1, 2) * size
    if rng.random() < 0.5:
        reach = rng.uniform(-0.5, 0.5, 2) * size
        pen.line([*(centre - reach), *(centre + reach)], fill=tone, width=int(rng.integers(2, 7)))
    else:
        corners = _ring(rng.integers(3, 6), rng.uniform(0.1, 0.25) * min(size), rng.uniform(0, 6))
        pen.polygon((corners + centre).ravel().tolist(), fill=tone)


def _ring(count, radius, turn=0.0):
    """Corners of a regular polygon; `radius` may be one number for each corner."""
    angles = turn + 2 * np.pi * np.arange(count) / count
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], -1)


def _bar(left, top, right, bottom):
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _disc(x, y, radius):
    return _ring(14, radius) + np.array((x, y))


def _parts(outline, pattern, rng):
    """The parts of an object, back to front, as (solid or cut out, corner points)."""
    if outline in _OBJECTS:
        return _OBJECTS[outline](rng)
    plate, corners = _OUTLINES[outline](rng)
    return [(True, plate)] + [(False, hole) for hole in _INLAYS[pattern](corners, rng)]


def _polygon_plate(count):
    def outline(rng):
        corners = _ring(count, 1.0)
        return corners, corners

    return outline


def _cross_plate(rng):
    arm = rng.uniform(0.3, 0.4)
    corners = [(1, -arm), (1, arm), (arm, arm), (arm, 1), (-arm, 1), (-arm, arm)]
    corners += [(-x, -y) for x, y in corners]
    return np.array(corners), _ring(4, 1.1)


def _gear_plate(rng):
    teeth = rng.integers(7, 10)
    radii = np.tile([1.0, 1.0, 0.75, 0.75], teeth)
    return _ring(4 * teeth, radii), _ring(teeth, 1.0)


_OUTLINES = {
    "triangle": _polygon_plate(3),
    "square": _polygon_plate(4),
    "hexagon": _polygon_plate(6),
    "cross": _cross_plate,
    "gear": _gear_plate,
}
_INLAYS = {
    "hole": lambda corners, rng: [_disc(0, 0, rng.uniform(0.22, 0.34))],
    "slots": lambda corners, rng: [_bar(-0.33, y - 0.07, 0.33, y + 0.07) for y in (-0.28, 0, 0.28)],
    "studs": lambda corners, rng: [_disc(x, y, 0.14) for x, y in corners * rng.uniform(0.55, 0.65)],
}


def _ladder(rng):
    rungs = rng.integers(3, 6)
    rails = [(True, _bar(-1, y - 0.09, 1, y + 0.09)) for y in (-0.4, 0.4)]
    return rails + [(True, _bar(x - 0.07, -0.4, x + 0.07, 0.4)) for x in np.linspace(-0.8, 0.8, rungs)]


def _arrow(rng):
    neck, shaft, barb = rng.uniform(0, 0.35), rng.uniform(0.12, 0.22), rng.uniform(0.5, 0.75)
    return [(True, np.array([(neck, -barb), (1, 0), (neck, barb)])), (True, _bar(-1, -shaft, neck, shaft))]


def _bracket(rng):
    thick, depth = rng.uniform(0.2, 0.35), rng.uniform(0.2, 0.6)
    back = _bar(-0.9, -0.6, 0.9, -0.6 + thick)
    return [(True, back)] + [(True, _bar(x, -0.6, x + thick, depth)) for x in (-0.9, 0.9 - thick)]


def _stairs(rng):
    steps = rng.integers(3, 6)
    edges = np.linspace(-0.8, 0.8, steps + 1)
    treads = pairwise(edges)
    return [(True, _bar(left, -left, right + 0.01, 0.8)) for left, right in treads]


def _comb(rng):
    teeth = np.linspace(-0.88, 0.88, rng.integers(5, 8))
    return [(True, _bar(-1, -0.5, 1, -0.2))] + [(True, _bar(x - 0.08, -0.2, x + 0.08, 0.6)) for x in teeth]


def _girder(rng):
    thick, web = rng.uniform(0.18, 0.3), rng.uniform(0.1, 0.2)
    flanges = [(True, _bar(x, -0.7, x + thick, 0.7)) for x in (-0.85, 0.85 - thick)]
    return [*flanges, (True, _bar(-0.8, -web, 0.8, web))]


def _wheel(rng):
    spokes = rng.integers(5, 8)
    spoke = _bar(0, -0.07, 0.85, 0.07)
    turns = [_ring(4, 1.0, 2 * np.pi * i / spokes)[:2] for i in range(spokes)]
    return [
        (True, _disc(0, 0, 1.0)),
        (False, _disc(0, 0, 0.78)),
        *((True, spoke @ turn) for turn in turns),
        (True, _disc(0, 0, 0.22)),
    ]


_OBJECTS = {
    "ladder": _ladder,
    "arrow": _arrow,
    "bracket": _bracket,
    "stairs": _stairs,
    "comb": _comb,
    "girder": _girder,
    "wheel": _wheel,
}
