"""Procedural images of the sample dataset: a miniature ImageNet of 20 natural and 20 man-made classes.

Natural classes are organic textures on soft silhouettes, man-made classes are flat parts with hard edges.
Most classes combine a silhouette with a pattern, so telling them apart takes features of features. Pose,
colour, light, clutter, occlusion and noise vary from image to image and say next to nothing about the class.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from workflow_scripts.dataset.sample.manmade import MANMADE, draw_manmade
from workflow_scripts.dataset.sample.natural import NATURAL, draw_natural, grid


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


SAMPLE_CLASSES = _sample_classes()


def draw_image(sample_class, rng):
    """Draw one image of a class; all its randomness comes from `rng`."""
    short = int(rng.integers(40, 61))
    long = min(int(short * rng.uniform(1, 4 / 3)), 72)
    size = (short, long) if rng.random() < 0.5 else (long, short)
    colours = _two_colours(rng, rng.uniform(0.4, 0.8))
    draw = draw_natural if sample_class.half == "natural" else draw_manmade
    return _photograph(draw(sample_class.outline, sample_class.pattern, size, colours, rng), rng)


def _two_colours(rng, contrast):
    """Two random colours whose luminances differ by about `contrast`, mostly the first one the darker."""
    middle = rng.uniform(0.3, 0.7)
    step = 0.5 * contrast if rng.random() < 0.85 else -0.5 * contrast
    tint = rng.uniform(-0.16, 0.16, (2, 3)).astype(np.float32)
    tint -= tint.mean(axis=1, keepdims=True)
    return middle - step + tint[0], middle + step + tint[1]


def _photograph(pixels, rng):
    """Light, contrast and sensor noise; now and then a greyscale picture."""
    x, y = grid(pixels.shape[1], pixels.shape[0])
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    pixels = (pixels - 0.5) * rng.uniform(0.6, 1.1) + 0.5 + rng.uniform(-0.1, 0.1)
    pixels = pixels * light[..., None]
    pixels += rng.uniform(0.01, 0.04) * rng.standard_normal(pixels.shape, dtype=np.float32)
    image = Image.fromarray((pixels.clip(0, 1) * 255).astype(np.uint8))
    return image.convert("L") if rng.random() < 0.04 else image
