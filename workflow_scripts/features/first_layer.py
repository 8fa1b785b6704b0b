"""What first-layer filters look like: Gabor filters and colour blobs (the paper's section 1), against untrained ones.

Filters are float arrays (count, 3, height, width), red, green, blue. All scores ignore a filter's scale and sign. They
are NaN for a filter of a diverged network that has a weight which is not a finite number.
"""

import numpy as np
from scipy.optimize import least_squares

SOUND_KINDS = ("gabor", "colour blob", "other")
TOO_SMALL = "too small to tell"  # the kind of a filter with fewer than SMALLEST x SMALLEST weights
NOT_A_NUMBER = "not a number"  # the kind of a filter with a weight that is infinite or not a number
SMALLEST = 5  # a Gabor has eight numbers to fit: it resembles any 3 x 3 weights
PERCENTILE = 95  # of untrained filters' scores; a filter above it has the property
CONTROL = 4  # untrained filters for each trained one of a network
STARTS = 2  # spectral peaks that a fit begins from
EVALUATIONS = 210  # of the Gabor, one for each step of a fit, besides its derivatives
STEP = np.finfo(float).eps ** 0.5  # relative, of these derivatives


def gabor_fit(filters: np.ndarray) -> np.ndarray:
    """For each filter, the share (0..1) of its energy that the best 2-D Gabor explains.

    The Gabor (a Gaussian window times a cosine; Daugman 1985) is fitted by least squares to the filter's first
    principal component over colours. Coloured edges thus count too, and the other components count as unexplained.
    Small filters are fitted well by chance: compare with untrained_filters.
    """
    filters = np.asarray(filters, dtype=np.float64)
    return np.array([_gabor_share(one) if np.isfinite(one).all() else np.nan for one in filters])


def colour_blob(filters: np.ndarray) -> np.ndarray:
    """For each filter, the share (0..1) of its energy that is one colour off the grey axis, the same at every place."""
    filters = _finite(filters)
    coloured = filters - filters.mean(axis=1, keepdims=True)
    uniform = (coloured.mean(axis=(2, 3)) ** 2).sum(axis=1) * np.prod(filters.shape[2:])
    return _share(uniform, (filters**2).sum(axis=(1, 2, 3)))


def best_match(filters: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `filters`, its greatest absolute cosine similarity (0..1) with any of `others`, neither shifted.

    Those of `others` that are not finite numbers do not count. NaN if none does.
    """
    first, second = (_normalised(_finite(one)) for one in (filters, others))
    second = second[np.isfinite(second).all(axis=1)]
    return np.abs(first @ second.T).max(axis=1) if len(second) else np.full(len(first), np.nan)


def untrained_filters(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """CONTROL times as many Gaussian filters as `shape` has, of its size; any scale would do."""
    return np.random.default_rng(seed).standard_normal((CONTROL * shape[0], *shape[1:]))


def thresholds(gabor: np.ndarray, blob: np.ndarray) -> tuple[float, float]:
    """The scores of gabor_fit and of colour_blob that a twentieth of untrained filters exceed, from their scores."""
    return float(np.percentile(gabor, PERCENTILE)), float(np.percentile(blob, PERCENTILE))


def too_small(shape: tuple[int, ...]) -> bool:
    """Whether filters of this shape (count, 3, height, width) have too few weights to look like anything."""
    return min(shape[2:]) < SMALLEST


def kinds(gabor: np.ndarray, blob: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Each filter's kind, of SOUND_KINDS, by its scores and `thresholds`; NOT_A_NUMBER where it has no scores.

    A filter above both is a colour blob: a Gaussian window alone is a Gabor of frequency zero.
    """
    sound = np.where(blob > limits[1], "colour blob", np.where(gabor > limits[0], "gabor", "other"))
    return np.where(np.isnan(gabor), NOT_A_NUMBER, sound)


def _normalised(filters: np.ndarray) -> np.ndarray:
    flat = np.asarray(filters, dtype=np.float64).reshape(len(filters), -1)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, norms, out=np.zeros_like(flat), where=norms != 0)


def _finite(filters: np.ndarray) -> np.ndarray:
    """`filters` as float64, all NaN where one of a filter's weights is not a finite number."""
    filters = np.array(filters, dtype=np.float64)
    filters[~np.isfinite(filters).all(axis=(1, 2, 3))] = np.nan
    return filters


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole != 0)


def _gabor_share(one: np.ndarray) -> float:
    colours, height, width = one.shape
    _, strengths, spaces = np.linalg.svd(one.reshape(colours, -1), full_matrices=False)
    total = (strengths**2).sum()
    if total == 0:
        return 0.0
    component = spaces[0].reshape(height, width)  # of unit energy
    unexplained = min(_residual(component, start) for start in _starts(component))
    return float(strengths[0] ** 2 / total * max(0.0, 1 - unexplained))


def _gabors(x: np.ndarray, y: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cosine and the sine wave at (x, y) under a Gaussian window, a row for each of `shapes`.

    A shape is the centre, the log widths along and across the wave, and the frequency vector.
    """
    x0, y0, log_along, log_across, fx, fy = shapes.T[:, :, np.newaxis]
    frequency = np.hypot(fx, fy)
    frequency[frequency == 0] = 1
    x, y = x - x0, y - y0
    along, across = (fx * x + fy * y) / frequency, (fx * y - fy * x) / frequency
    # Widths below a quarter of a pixel or beyond 100 look the same on the pixels, and would overflow.
    widths = [np.exp(np.minimum(np.maximum(one, -1.4), 4.6)) for one in (log_along, log_across)]
    window = np.exp(-((along / widths[0]) ** 2 + (across / widths[1]) ** 2) / 2)
    phase = 2 * np.pi * (fx * x + fy * y)
    return window * np.cos(phase), window * np.sin(phase)


def _unexplained(shapes: np.ndarray, x: np.ndarray, y: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What is left of `wanted` after the best sum of the two waves, whose phase and height need no search.

    It has a row for each of `shapes`.
    """
    even, odd = _gabors(x, y, shapes)
    both, even_norms, odd_norms = ((one * other).sum(axis=1) for one, other in ((even, odd), (even, even), (odd, odd)))
    even_norms, odd_norms = even_norms + 1e-12, odd_norms + 1e-12
    on_even, on_odd = even @ wanted, odd @ wanted
    determinant = even_norms * odd_norms - both**2
    first = (odd_norms * on_even - both * on_odd) / determinant
    second = (even_norms * on_odd - both * on_even) / determinant
    return wanted - first[:, np.newaxis] * even - second[:, np.newaxis] * odd


def _slopes(shape: np.ndarray, *pixels: np.ndarray) -> np.ndarray:
    """The derivatives of _unexplained at `shape`, by differences that are computed all at once."""
    moved = shape + np.diag(STEP * np.where(shape < 0, -1, 1) * np.maximum(1, np.abs(shape)))
    rows = _unexplained(np.vstack([shape, moved]), *pixels)
    return ((rows[1:] - rows[0]) / (np.diag(moved) - shape)[:, np.newaxis]).T


def _starts(component: np.ndarray) -> list[list[float]]:
    """Starting points: the filter's strongest frequencies, its centre of energy, a window of a quarter its size."""
    height, width = component.shape
    spectrum = np.abs(np.fft.fft2(component))
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    upper = (fy > 0) | ((fy == 0) & (fx >= 0))  # the other half is the same waves
    order = np.argsort(-(spectrum * upper), axis=None, kind="stable")[:STARTS]
    y, x = np.mgrid[:height, :width]
    centre = [float((component**2 * axis).sum()) for axis in (x, y)]
    log_size = float(np.log(max(height, width) / 4))
    return [[*centre, log_size, log_size, fx.flat[peak], fy.flat[peak]] for peak in order]


def _residual(component: np.ndarray, start: list[float]) -> float:
    """The energy that a fit from `start` leaves of a filter of unit energy."""
    height, width = component.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1).astype(float)
    pixels = (x, y, component.ravel())
    # After EVALUATIONS the fit is taken as it is.
    fit = least_squares(
        lambda shape: _unexplained(shape[np.newaxis], *pixels)[0],
        start,
        jac=lambda shape: _slopes(shape, *pixels),
        method="lm",
        max_nfev=EVALUATIONS,
    )
    return float((fit.fun**2).sum())
