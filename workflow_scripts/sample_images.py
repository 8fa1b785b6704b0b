"""Procedural images of the sample dataset: a miniature ImageNet of 20 natural and 20 man-made classes.

Natural classes are organic textures on soft silhouettes, man-made classes are flat parts with hard edges. Most
classes combine a silhouette with a pattern, so telling them apart takes features of features. Pose, colour, light,
clutter, occlusion and noise vary from image to image and say next to nothing about the class.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

OVERSAMPLING = 2  # man-made parts are drawn this much larger, then averaged down: hard edges without jaggies


@dataclass(frozen=True)
class SampleClass:
    """One class: how it is listed (wnid, words, gloss, half) and what it looks like (outline, pattern)."""

    wnid: str
    words: str
    gloss: str
    half: str
    outline: str
    pattern: str


def _sample_classes():
    """Number the classes: natural ones n91000001.. first, then man-made ones n92000001.."""
    classes = []
    for block, half, looks in ((1, "natural", NATURAL), (2, "manmade", MANMADE)):
        for number, (outline, pattern, words, gloss) in enumerate(looks, 1):
            classes.append(SampleClass(f"n9{block}{number:06d}", words, gloss, half, outline, pattern))
    return tuple(classes)


def draw_image(sample_class, rng):
    """Draw one image of a class; all its randomness comes from `rng`."""
    short = rng.integers(40, 61)
    long = min(int(short * rng.uniform(1, 4 / 3)), 72)
    width, height = (short, long) if rng.random() < 0.5 else (long, short)
    draw = _draw_natural if sample_class.half == "natural" else _draw_manmade
    pixels = draw(sample_class, rng, int(width), int(height))
    return _photograph(pixels, rng)


def _photograph(pixels, rng):
    """Light, contrast and sensor noise; now and then a greyscale picture."""
    x, y = _grid(pixels.shape[1], pixels.shape[0])
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    pixels = (pixels - 0.5) * rng.uniform(0.6, 1.1) + 0.5 + rng.uniform(-0.1, 0.1)
    pixels = pixels * light[..., None]
    pixels += rng.uniform(0.01, 0.04) * rng.standard_normal(pixels.shape, dtype=np.float32)
    image = Image.fromarray((pixels.clip(0, 1) * 255).astype(np.uint8))
    return image.convert("L") if rng.random() < 0.04 else image


@cache
def _grid(width, height):
    """Pixel coordinates x, y, with -1..1 spanning the shorter side."""
    half = min(width, height) / 2
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / half
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / half
    return np.meshgrid(x, y)


def _two_colours(rng, contrast):
    """Two random colours whose luminances differ by about `contrast`, mostly the first one the darker."""
    middle = rng.uniform(0.3, 0.7)
    step = 0.5 * contrast if rng.random() < 0.85 else -0.5 * contrast
    tint = rng.uniform(-0.16, 0.16, (2, 3))
    tint -= tint.mean(axis=1, keepdims=True)
    return middle - step + tint[0], middle + step + tint[1]


# Natural classes: (outline, pattern, words, gloss)

NATURAL = (
    ("pod", "spots", "spotted pod", "A long body covered with roundish spots."),
    ("bloom", "spots", "spotted bloom", "A lobed body covered with roundish spots."),
    ("pod", "rosettes", "ringed pod", "A long body covered with small rings."),
    ("bloom", "rosettes", "ringed bloom", "A lobed body covered with small rings."),
    ("pod", "cells", "cellular pod", "A long body divided into cells by thin walls."),
    ("bloom", "cells", "cellular bloom", "A lobed body divided into cells by thin walls."),
    ("pod", "maze", "mazy pod", "A long body covered with a labyrinth of even bands."),
    ("bloom", "maze", "mazy bloom", "A lobed body covered with a labyrinth of even bands."),
    ("pod", "fur", "furry pod", "A long body covered with fine hair running one way."),
    ("bloom", "fur", "furry bloom", "A lobed body covered with fine hair running one way."),
    ("pod", "marble", "veined pod", "A long body crossed by thin irregular veins."),
    ("bloom", "marble", "veined bloom", "A lobed body crossed by thin irregular veins."),
    ("pod", "clouds", "cloudy pod", "A long body with soft patches of many sizes."),
    ("bloom", "clouds", "cloudy bloom", "A lobed body with soft patches of many sizes."),
    ("pod", "bands", "banded pod", "A long body with wavy stripes across it."),
    ("pod", "streaks", "streaked pod", "A long body with wavy stripes along it."),
    ("pod", "leaf", "leafy pod", "A long body with a midrib and slanting side veins."),
    ("bloom", "rings", "agate bloom", "A lobed body with wavy rings around its centre."),
    ("bloom", "rays", "rayed bloom", "A lobed body with wavy rays from its centre."),
    ("bloom", "spiral", "whorled bloom", "A lobed body with stripes winding out of its centre."),
)


def _draw_natural(sample_class, rng, width, height):
    """A patterned soft body on a noisy ground."""
    x, y = _grid(width, height)
    size = rng.uniform(0.8, 1.1)
    angle = rng.uniform(-0.6, 0.6)
    x, y = x - rng.uniform(-0.15, 0.15), y - rng.uniform(-0.15, 0.15)
    u = (np.cos(angle) * x + np.sin(angle) * y) / size
    v = (np.cos(angle) * y - np.sin(angle) * x) / size
    bend = _noise(rng, width, height, 1.5, 1.0)
    mask = _silhouette(sample_class.outline, u, v, bend, rng)[..., None]
    pattern = _PATTERNS[sample_class.pattern](u, v, rng)[..., None]
    ground = _noise(rng, width, height, rng.uniform(2, 9), rng.uniform(1, 5))[..., None]
    dark, bright = _two_colours(rng, rng.uniform(0.4, 0.8))
    earth, grass = _two_colours(rng, rng.uniform(0.05, 0.2))
    body = dark + (bright - dark) * pattern
    field = earth + (grass - earth) * (0.5 + 0.4 * ground)
    return field + (body - field) * mask


def _noise(rng, width, height, frequency, bandwidth, angle=None, stretch=1.0):
    """Gaussian noise of about `frequency` cycles per shorter side, optionally stretched along `angle`."""
    fx, fy = _frequencies(width, height)
    if angle is None:
        radius = np.hypot(fx, fy)
    else:
        radius = np.hypot(
            (np.cos(angle) * fx + np.sin(angle) * fy) * stretch, np.cos(angle) * fy - np.sin(angle) * fx
        )
    gain = np.exp(-(((radius - frequency) / bandwidth) ** 2))
    phases = rng.standard_normal((*gain.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    noise = np.fft.irfft2(gain * phases, s=(height, width)).astype(np.float32)
    return noise / (noise.std() + 1e-6)


@cache
def _frequencies(width, height):
    side = min(width, height)
    fx = np.fft.rfftfreq(width).astype(np.float32) * side
    fy = np.fft.fftfreq(height).astype(np.float32) * side
    return np.meshgrid(fx, fy)


def _silhouette(outline, u, v, bend, rng):
    """Soft-edged body, 1 inside and 0 outside: long for a pod, lobed for a bloom."""
    if outline == "pod":
        radius = np.hypot(u * rng.uniform(0.8, 0.9), v * rng.uniform(1.8, 2.4))
    else:
        lobes = rng.integers(5, 7)
        radius = np.hypot(u, v) * (1.2 + rng.uniform(0.25, 0.4) * np.cos(lobes * np.arctan2(v, u)))
    return _soft_step(1 + 0.08 * bend - radius, rng.uniform(0.04, 0.1))


def _soft_step(values, width):
    return 0.5 + 0.5 * np.tanh(values / width)


def _scatter(u, v, rng, spacing):
    """Distances to the nearest and second nearest of points strewn evenly over the body."""
    steps = np.arange(-1.2, 1.2 + spacing, spacing)
    points = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    points = (points + rng.uniform(-0.33, 0.33, points.shape) * spacing).astype(np.float32)
    distances = np.hypot(u[..., None] - points[:, 0], v[..., None] - points[:, 1])
    distances.partition(1, axis=-1)
    return distances[..., 0] / spacing, distances[..., 1] / spacing


def _spots(u, v, rng):
    nearest, _ = _scatter(u, v, rng, rng.uniform(0.45, 0.6))
    return _soft_step(nearest - rng.uniform(0.24, 0.34), 0.12)


def _rosettes(u, v, rng):
    nearest, _ = _scatter(u, v, rng, rng.uniform(0.55, 0.7))
    return _soft_step(np.abs(nearest - 0.33) - 0.1, 0.08)


def _cells(u, v, rng):
    nearest, second = _scatter(u, v, rng, rng.uniform(0.5, 0.65))
    return _soft_step(second - nearest - 0.12, 0.1)


def _maze(u, v, rng):
    return _soft_step(_noise(rng, *u.shape[::-1], rng.uniform(4, 5.5), 0.6), 0.5)


def _fur(u, v, rng):
    hair = _noise(rng, *u.shape[::-1], rng.uniform(6, 8), 3.0, rng.uniform(0, np.pi), 6.0)
    return 0.5 + 0.3 * hair


def _marble(u, v, rng):
    veins = np.abs(_noise(rng, *u.shape[::-1], rng.uniform(2, 3), 1.5))
    return _soft_step(veins - 0.2, 0.2)


def _clouds(u, v, rng):
    size = u.shape[::-1]
    return 0.5 + 0.25 * _noise(rng, *size, 2, 1.5) + 0.12 * _noise(rng, *size, 6, 2)


def _waves(phase, bend, rng):
    """Stripes along lines of equal phase, counted in cycles, made wavy by `bend`."""
    return _soft_step(np.cos(2 * np.pi * (phase + 0.14 * bend + rng.random())), 0.6)


def _striped(phase_of):
    """A pattern of wavy stripes whose course is given by phase_of(u, v, rng)."""

    def pattern(u, v, rng):
        return _waves(phase_of(u, v, rng), _noise(rng, *u.shape[::-1], 2, 1.5), rng)

    return pattern


_PATTERNS = {
    "spots": _spots,
    "rosettes": _rosettes,
    "cells": _cells,
    "maze": _maze,
    "fur": _fur,
    "marble": _marble,
    "clouds": _clouds,
    "bands": _striped(lambda u, v, rng: u * rng.uniform(1.6, 2.4)),
    "streaks": _striped(lambda u, v, rng: v * rng.uniform(2, 2.8)),
    "leaf": _striped(lambda u, v, rng: (u + 0.9 * np.abs(v)) * rng.uniform(1.6, 2.4)),
    "rings": _striped(lambda u, v, rng: np.hypot(u, v) * rng.uniform(1.8, 2.5)),
    "rays": _striped(lambda u, v, rng: np.arctan2(v, u) / (2 * np.pi) * rng.integers(6, 10)),
    "spiral": _striped(
        lambda u, v, rng: (
            np.hypot(u, v) * rng.uniform(1.2, 2) + np.arctan2(v, u) / (2 * np.pi) * rng.integers(2, 4)
        )
    ),
}


# Man-made classes: (outline, pattern, words, gloss)

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


def _draw_manmade(sample_class, rng, width, height):
    """Flat parts with hard edges before other hard-edged bits and pieces."""
    body, ground = _two_colours(rng, rng.uniform(0.4, 0.8))
    canvas = Image.new("RGB", (width * OVERSAMPLING, height * OVERSAMPLING), _rgb(ground))
    pen = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(2, 6)):
        _draw_clutter(pen, canvas.size, ground, 0.12, rng)
    place = _pose(canvas.size, rng)
    inlay = body + (ground - body) * rng.choice([0.5, 1])
    for solid, part in _parts(sample_class, rng):
        pen.polygon(place(part), fill=_rgb(body if solid else inlay))
    if rng.random() < 0.5:
        _draw_clutter(pen, canvas.size, ground, 0.25, rng)
    wear = _noise(rng, width, height, rng.uniform(2, 9), rng.uniform(1, 5))[..., None]
    return np.asarray(canvas.reduce(OVERSAMPLING), dtype=np.float32) / 255 + rng.uniform(0, 0.06) * wear


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
    return _ring(14, radius) + (x, y)


def _parts(sample_class, rng):
    """The parts of an object, back to front, as (solid or cut out, corner points)."""
    if sample_class.outline in _OBJECTS:
        return _OBJECTS[sample_class.outline](rng)
    outline, corners = _OUTLINES[sample_class.outline](rng)
    return [(True, outline)] + [(False, hole) for hole in _INLAYS[sample_class.pattern](corners, rng)]


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
    return [
        (True, _bar(left, -left, right + 0.01, 0.8))
        for left, right in zip(edges[:-1], edges[1:], strict=True)
    ]


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

SAMPLE_CLASSES = _sample_classes()
