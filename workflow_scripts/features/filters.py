"""Tables of first-layer filters: how many of each base network look like what, and how alike the halves' are."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file

from workflow_scripts.features.first_layer import (
    NOT_A_NUMBER,
    SOUND_KINDS,
    best_match,
    colour_blob,
    gabor_fit,
    kinds,
    thresholds,
    untrained_filters,
)
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verified, remedy
from workflow_scripts.study.jobs import OTHER_HALF

FILTER_KINDS = (*SOUND_KINDS, NOT_A_NUMBER)
CONTROL_NAME = ("untrained", "", -1)  # partition, half and seed of the control's row

Name = tuple[str, str, int]  # partition, half, seed


def load_first_layers(files: Sequence[Verified]) -> dict[Name, np.ndarray]:
    """The first layer's weights (count, 3, height, width) of base networks, by partition, half and seed, which their
    records name. `files` are the networks' safetensors. Raises InputError for a file without conv1.
    """
    layers = {}
    for file in files:
        try:
            weights = load_file(file.path)["layers.conv1.weight"]
        except (OSError, KeyError, SafetensorError) as error:
            raise InputError(f"{file}: it holds no first layer ({error}). {remedy(file)}") from None
        (network,) = file.record["networks"]
        layers[network["partition"], network["target"], network["seed"]] = weights
    return layers


def diverged_bases(files: Sequence[Verified]) -> set[Name]:
    """Which of the base networks of these safetensors diverged, by their records."""
    networks = [file.record["networks"][0] for file in files]
    return {(one["partition"], one["target"], one["seed"]) for one in networks if one["diverged"]}


def filter_table(layers: dict[Name, np.ndarray]) -> pd.DataFrame:
    """One row per filter: partition, half, seed, filter, gabor_r2, colour_blob, kind (first_layer.kinds).

    The untrained filters that decide the thresholds are in it too, called CONTROL_NAME.
    """
    control = untrained_filters(next(iter(layers.values())).shape)
    limits = thresholds(control)
    tables = []
    for (partition, half, seed), filters in {**layers, CONTROL_NAME: control}.items():
        gabor, blob = gabor_fit(filters), colour_blob(filters)
        columns = {"partition": partition, "half": half, "seed": seed, "filter": np.arange(len(filters))}
        columns |= {"gabor_r2": gabor, "colour_blob": blob, "kind": kinds(gabor, blob, limits)}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def share_table(layers: dict[Name, np.ndarray], filters: pd.DataFrame, diverged: Collection[Name] = ()) -> pd.DataFrame:
    """One row per network, the control last: whether it `diverged`, shares of FILTER_KINDS in percent, and two means of
    best_match.

    match_other_half is with the filters of the partition's other half, NaN without one. match_untrained is with
    untrained filters of the same number. A filter with weights that are not numbers is in neither mean.
    """
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
    return pd.DataFrame(rows)
