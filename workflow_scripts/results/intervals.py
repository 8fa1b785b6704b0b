"""Confidence intervals for differences of means from few runs."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
RESAMPLES = 4999
ROUNDING = 1e-9  # of the values' unit; equal runs may differ by less


def mean_interval(samples: Sequence[np.ndarray], weights: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """A 95 % interval (low, high) for the weighted sum of the samples' population means.

    Each sample, of two values at least, is resampled by itself. The standard error is the bootstrap's, and the width is
    Student's t for Welch's degrees of freedom. Plain percentiles of a bootstrap are far too narrow for the three to ten
    runs of a study. Its standard error is too small by sqrt((n - 1) / n), so the values are spread out beforehand. The
    source is Hesterberg 2015, "What teachers should know about the bootstrap", sections 4.3 and 5.3.

    The same input gives the same bits. NaN where no sample has any spread: runs that are all equal tell nothing about
    how far others would lie from them. Raises ValueError for a sample of fewer than two values.
    """
    samples = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if min(map(len, samples)) < 2:
        raise ValueError("an interval needs at least two values of each sample")
    centre = sum(weight * sample.mean() for weight, sample in zip(weights, samples, strict=True))
    spread = [_spread_out(sample) for sample in samples]

    def weighted_mean(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        return sum(weight * sample.mean(axis=axis) for weight, sample in zip(weights, drawn, strict=True))

    if all(np.ptp(sample) < ROUNDING for sample in samples):
        return np.nan, np.nan
    from scipy.stats import bootstrap  # a second of start-up, which most steps and small studies need not pay

    drawn = bootstrap(
        spread,
        weighted_mean,
        n_resamples=RESAMPLES,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    half_width = stdtrit(_degrees_of_freedom(samples, weights), 0.5 + CONFIDENCE / 2) * float(drawn.standard_error)
    return centre - half_width, centre + half_width


def _spread_out(sample: np.ndarray) -> np.ndarray:
    return sample.mean() + (sample - sample.mean()) * np.sqrt(len(sample) / (len(sample) - 1))


def _degrees_of_freedom(samples: Sequence[np.ndarray], weights: Sequence[float]) -> float:
    """Welch and Satterthwaite's, for a weighted sum of means."""
    pairs = zip(weights, samples, strict=True)
    variances = np.array([weight**2 * sample.var(ddof=1) / len(sample) for weight, sample in pairs])
    freedoms = np.array([len(sample) - 1 for sample in samples])
    return variances.sum() ** 2 / (variances**2 / freedoms).sum()
