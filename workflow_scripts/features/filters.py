"""Tables of first-layer filters: how many of each base network look like what, and how alike the halves' are.

Networks that do not begin with a convolution over colours have no such filters. Their tables are empty.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from workflow_scripts.features.first_layer import (
    NOT_A_NUMBER,
    SOUND_KINDS,
    TOO_SMALL,
    best_match,
    colour_blob,
    gabor_fit,
    kinds,
    thresholds,
    too_small,
    untrained_filters,
)
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verified, remedy
from workflow_scripts.study.jobs import OTHER_HALF

FILTER_KINDS = (*SOUND_KINDS, TOO_SMALL, NOT_A_NUMBER)
COLOURS = 3
MOST = 128  # filters of a network, evenly chosen: a fit takes 0.2 s, and a vision transformer has 768
CONTROL_NAME = ("untrained", "", -1)  # partition, half and seed of the control's row

FILTER_COLUMNS = ["partition", "half", "seed", "filter", "gabor_r2", "colour_blob", "kind"]
SHARE_COLUMNS = ["partition", "half", "seed", "diverged", *(f"{kind} percent" for kind in FILTER_KINDS)]
SHARE_COLUMNS += ["match_other_half", "match_untrained"]

Name = tuple[str, str, int]  # partition, half, seed


def load_first_layers(files: Sequence[Verified]) -> dict[Name, np.ndarray]:
    """The first convolution's weights (count, 3, height, width) of base networks, by partition, half and seed, which
    their records name. Networks without one are left out. `files` are the networks' safetensors. Raises InputError for
    a file that cannot be read.
    """
    layers = {}
    for file in files:
        try:
            weights = _first_convolution(file.path)
        except (OSError, SafetensorError) as error:
            raise InputError(f"{file}: it holds no readable weights ({error}). {remedy(file)}") from None
        (network,) = file.record["networks"]
        if weights is not None:
            layers[network["partition"], network["target"], network["seed"]] = weights
    return layers


def _first_convolution(path: Path) -> np.ndarray | None:
    """The weights over three colours in a safetensors file, whatever their name; None if there are none.

    A file does not say which unit comes first. Should another convolution have three input channels, the one with the
    largest filters is taken, since that one is 1 x 1. No other weights are read.
    """
    with safe_open(path, framework="numpy") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118, it is no mapping
        found = [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] == COLOURS]
        if not found:
            return None
        weights = file.get_tensor(max(found, key=lambda name: shapes[name][2:]))
    return weights[np.linspace(0, len(weights) - 1, min(len(weights), MOST)).round().astype(int)]


def diverged_bases(files: Sequence[Verified]) -> set[Name]:
    """Which of the base networks of these safetensors diverged, by their records."""
    networks = [file.record["networks"][0] for file in files]
    return {(one["partition"], one["target"], one["seed"]) for one in networks if one["diverged"]}


def filter_table(layers: dict[Name, np.ndarray]) -> pd.DataFrame:
    """One row per filter: partition, half, seed, filter, gabor_r2, colour_blob, kind (first_layer.kinds).

    The untrained filters that decide the thresholds are in it too, called CONTROL_NAME. Filters that are too small
    have neither scores nor thresholds.
    """
    if not layers:
        return pd.DataFrame(columns=FILTER_COLUMNS)
    every = {**layers, CONTROL_NAME: untrained_filters(next(iter(layers.values())).shape)}
    scored = _unscored if too_small(every[CONTROL_NAME].shape) else _scored
    tables = []
    for (partition, half, seed), scores in scored(every).items():
        columns = {"partition": partition, "half": half, "seed": seed, "filter": np.arange(len(scores["kind"]))}
        tables.append(pd.DataFrame(columns | scores))
    return pd.concat(tables, ignore_index=True)


def _scored(every: dict[Name, np.ndarray]) -> dict[Name, dict[str, np.ndarray]]:
    scores = {name: (gabor_fit(filters), colour_blob(filters)) for name, filters in every.items()}
    limits = thresholds(*scores[CONTROL_NAME])
    return {
        name: {"gabor_r2": gabor, "colour_blob": blob, "kind": kinds(gabor, blob, limits)}
        for name, (gabor, blob) in scores.items()
    }


def _unscored(every: dict[Name, np.ndarray]) -> dict[Name, dict[str, np.ndarray]]:
    scores = {}
    for name, filters in every.items():
        nothing, sound = np.full(len(filters), np.nan), np.isfinite(filters).all(axis=(1, 2, 3))
        kind = np.where(sound, TOO_SMALL, NOT_A_NUMBER)
        scores[name] = {"gabor_r2": nothing, "colour_blob": nothing, "kind": kind}
    return scores


def share_table(layers: dict[Name, np.ndarray], filters: pd.DataFrame, diverged: Collection[Name] = ()) -> pd.DataFrame:
    """One row per network, the control last: whether it `diverged`, shares of FILTER_KINDS in percent, and two means of
    best_match.

    match_other_half is with the filters of the partition's other half, NaN without one. match_untrained is with
    untrained filters of the same number. A filter with weights that are not numbers is in neither mean.
    """
    if not layers:
        return pd.DataFrame(columns=SHARE_COLUMNS)
    shape = next(iter(layers.values())).shape
    random = untrained_filters(shape, seed=1)[: shape[0]]
    every = {**layers, CONTROL_NAME: untrained_filters(shape)[: shape[0]]}
    rows = []
    for (partition, half, seed), weights in every.items():
        chosen = filters[(filters["partition"] == partition) & (filters["half"] == half) & (filters["seed"] == seed)]
        partner = layers.get((partition, OTHER_HALF.get(half, ""), seed))
        shares = {f"{kind} percent": 100 * (chosen["kind"] == kind).mean() for kind in FILTER_KINDS}
        match = float("nan") if partner is None else best_match(weights, partner)
        with_random = best_match(weights, random)
        match, with_random = (float(pd.Series(one).mean()) for one in (match, with_random))
        rows.append(
            {"partition": partition, "half": half, "seed": seed, "diverged": (partition, half, seed) in diverged}
            | shares
            | {"match_other_half": match, "match_untrained": with_random}
        )
    return pd.DataFrame(rows, columns=SHARE_COLUMNS)
