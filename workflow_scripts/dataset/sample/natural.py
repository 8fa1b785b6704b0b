"""Natural classes of the sample dataset: organic textures on soft silhouettes before a noisy ground."""

from functools import cache

import numpy as np

# outline, pattern, words, gloss
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


def draw_natural(outline, pattern, size, colours, rng):
    """Draw a patterned soft body on a noisy ground: an array of height x width x RGB, about 0..1."""
    x, y = grid(*size)
    scale = rng.uniform(0.8, 1.1)
    angle = rng.uniform(-0.6, 0.6)
    x, y = x - rng.uniform(-0.15, 0.15), y - rng.uniform(-0.15, 0.15)
    u = (np.cos(angle) * x + np.sin(angle) * y) / scale
    v = (np.cos(angle) * y - np.sin(angle) * x) / scale
    mask = _silhouette(outline, u, v, rng)[..., None]
    texture = _PATTERNS[pattern](u, v, rng)[..., None]
    ground = band_noise(rng, size, rng.uniform(2, 9), rng.uniform(1, 5))[..., None]
    dark, bright = colours
    body = dark + (bright - dark) * texture
    earth, grain = rng.uniform((-0.15, -0.08), (0.15, 0.08), (3, 2)).astype(np.float32).T
    field = rng.uniform(0.3, 0.7) + earth + grain * ground
    return field + (body - field) * mask


@cache
def grid(width, height):
    """Pixel coordinates x, y, with -1..1 spanning the shorter side."""
    half = min(width, height) / 2
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / half
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / half
    return np.meshgrid(x, y)


def band_noise(rng, size, frequency, bandwidth, angle=None, stretch=1.0):
    """Unit noise of about `frequency` cycles per shorter side, stretched along `angle` if given."""
    fx, fy = _frequencies(*size)
    if angle is None:
        radius = np.hypot(fx, fy)
    else:
        along, across = np.cos(angle) * fx + np.sin(angle) * fy, np.cos(angle) * fy - np.sin(angle) * fx
        radius = np.hypot(along * stretch, across)
    gain = np.exp(-(((radius - frequency) / bandwidth) ** 2))
    phases = rng.standard_normal((*gain.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    noise = np.fft.irfft2(gain * phases, s=size[::-1]).astype(np.float32)
    return noise / (noise.std() + 1e-6)


@cache
def _frequencies(width, height):
    side = min(width, height)
    fx = np.fft.rfftfreq(width).astype(np.float32) * side
    fy = np.fft.fftfreq(height).astype(np.float32) * side
    return np.meshgrid(fx, fy)


def _silhouette(outline, u, v, rng):
    """Soft-edged body, 1 inside and 0 outside: long for a pod, lobed for a bloom."""
    bend = band_noise(rng, u.shape[::-1], 1.5, 1.0)
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
    return _soft_step(band_noise(rng, u.shape[::-1], rng.uniform(4, 5.5), 0.6), 0.5)


def _fur(u, v, rng):
    hair = band_noise(rng, u.shape[::-1], rng.uniform(6, 8), 3.0, rng.uniform(0, np.pi), 6.0)
    return 0.5 + 0.3 * hair


def _marble(u, v, rng):
    veins = np.abs(band_noise(rng, u.shape[::-1], rng.uniform(2, 3), 1.5))
    return _soft_step(veins - 0.2, 0.2)


def _clouds(u, v, rng):
    size = u.shape[::-1]
    return 0.5 + 0.25 * band_noise(rng, size, 2, 1.5) + 0.12 * band_noise(rng, size, 6, 2)


def _waves(phase, bend, rng):
    """Stripes along lines of equal phase, counted in cycles, made wavy by `bend`."""
    return _soft_step(np.cos(2 * np.pi * (phase + 0.14 * bend + rng.random())), 0.6)


def _turns(u, v):
    return np.arctan2(v, u) / (2 * np.pi)


def _striped(phase_of):
    """A pattern of wavy stripes whose course is given by phase_of(u, v, rng)."""

    def pattern(u, v, rng):
        return _waves(phase_of(u, v, rng), band_noise(rng, u.shape[::-1], 2, 1.5), rng)

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
    "rays": _striped(lambda u, v, rng: _turns(u, v) * rng.integers(6, 10)),
    "spiral": _striped(lambda u, v, rng: np.hypot(u, v) * rng.uniform(1.2, 2) + _turns(u, v) * rng.integers(2, 4)),
}
