"""Filters with known kinds: drawn Gabors and colour blobs are found, noise is not."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from workflow_scripts.features.filters import CONTROL_NAME, diverged_bases, filter_table, load_first_layers, share_table
from workflow_scripts.features.first_layer import (
    best_match,
    colour_blob,
    gabor_fit,
    kinds,
    thresholds,
    untrained_filters,
)
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verified
from workflow_scripts.report.figures.filters import plot_filters
from workflow_scripts.study.jobs import TrainingJob


def gabors(size, count=12, seed=0):
    """Windowed waves of all directions in one random colour each."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    filters = []
    for number in range(count):
        angle, phase = np.pi * number / count, rng.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
        wave = np.cos(2 * np.pi * along * rng.uniform(0.15, 0.3) + phase)
        window = np.exp(-(x**2 + y**2) / (2 * (size / 4) ** 2))
        filters.append(rng.uniform(0.2, 1, 3)[:, None, None] * wave * window)
    return np.array(filters)


def blobs(size, count=12, seed=1):
    """Smooth spots of one colour off the grey axis, with its opposite in another channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    spot = np.exp(-(x**2 + y**2) / (2 * (size / 2.5) ** 2))
    colours = rng.permuted(np.tile([1.0, -0.9, 0.1], (count, 1)), axis=1)
    return colours[:, :, None, None] * spot


@pytest.mark.parametrize("size", [7, 11])
def test_drawn_filters_are_what_they_are(size):
    control = untrained_filters((12, 3, size, size))
    limits = thresholds(gabor_fit(control), colour_blob(control))
    for filters, kind in ((gabors(size), "gabor"), (blobs(size), "colour blob")):
        found = kinds(gabor_fit(filters), colour_blob(filters), limits)
        assert list(found) == [kind] * len(filters)
    assert gabor_fit(gabors(size)).min() > 0.95


@pytest.mark.slow
def test_noise_is_called_something_as_often_as_the_thresholds_say():
    control = untrained_filters((50, 3, 5, 5))
    noise = untrained_filters((50, 3, 5, 5), seed=5)
    limits = thresholds(gabor_fit(control), colour_blob(control))
    found = kinds(gabor_fit(noise), colour_blob(noise), limits)
    assert len(noise) == 200
    for kind in ("gabor", "colour blob"):
        assert 0.01 <= np.mean(found == kind) <= 0.11  # 5 % plus or minus four standard errors of both samples


def test_scores_ignore_scale_and_sign():
    filters = np.concatenate([gabors(7, 3), blobs(7, 3), untrained_filters((1, 3, 7, 7))])
    assert gabor_fit(-7 * filters) == pytest.approx(gabor_fit(filters), abs=1e-3)
    assert colour_blob(-7 * filters) == pytest.approx(colour_blob(filters))
    assert gabor_fit(filters).tobytes() == gabor_fit(filters).tobytes()


def test_an_empty_filter_has_no_kind():
    nothing = np.zeros((1, 3, 5, 5))
    assert (gabor_fit(nothing), colour_blob(nothing), best_match(nothing, nothing)) == (0, 0, 0)


def test_copies_match_and_strangers_do_not():
    filters = untrained_filters((10, 3, 7, 7))
    order = np.random.default_rng(1).permutation(len(filters))
    assert best_match(filters, -3 * filters[order]) == pytest.approx(np.ones(len(filters)))
    assert best_match(filters, untrained_filters((10, 3, 7, 7), seed=9)).mean() < 0.35


@pytest.fixture
def weights(tmp_path):
    """First layers of a partition's halves, alike, and of `whole`, as files of base networks."""
    made = {("random0", "A"): gabors(7), ("random0", "B"): gabors(7)[::-1].copy(), ("whole", "whole"): blobs(7)}
    files = []
    for (partition, half), filters in made.items():
        path = tmp_path / f"{partition}-{half}.safetensors"
        save_file({"layers.conv1.weight": np.ascontiguousarray(filters, dtype=np.float32)}, path)
        files.append(Verified(path, "", {"networks": TrainingJob.base(partition, 3, half).networks}))
    return files


def test_tables_of_networks(weights):
    layers = load_first_layers(weights)
    assert list(layers) == [("random0", "A", 3), ("random0", "B", 3), ("whole", "whole", 3)]
    filters = filter_table(layers)
    assert len(filters) == 3 * 12 + 4 * 12
    shares = share_table(layers, filters).set_index(["partition", "half"])
    assert shares.loc[("random0", "A"), "gabor percent"] == 100
    assert shares.loc[("whole", "whole"), "colour blob percent"] == 100
    assert shares.loc[("random0", "B"), "match_other_half"] == pytest.approx(1, abs=1e-5)
    assert np.isnan(shares.loc[("whole", "whole"), "match_other_half"])
    assert shares.loc[("untrained", ""), "match_untrained"] < 0.5
    assert shares.loc[("untrained", ""), "gabor percent"] < 20


def test_every_network_is_drawn_with_the_control(weights):
    layers = load_first_layers(weights)
    filters = filter_table(layers)
    figure = plot_filters(layers, filters, share_table(layers, filters))
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles == ["random0 A, seed 3", "random0 B, seed 3", "whole, seed 3", "untrained"]
    bars = pd.Series([bar.get_width() for axes in figure.axes for bar in axes.patches])
    assert bars.sum() == pytest.approx(400)
    assert CONTROL_NAME[0] == "untrained"
    many = {("random0", half, seed): layers[("random0", half, 3)] for seed in range(5) for half in "AB"}
    table = filter_table(many)
    assert "7 of 10 base networks" in plot_filters(many, table, share_table(many, table)).get_suptitle()


@pytest.mark.filterwarnings("error")
def test_filters_of_a_diverged_network_are_counted_as_such(weights):
    """Two bad filters of twelve, and all of another network's."""
    layers = load_first_layers(weights)
    layers["random0", "A", 3][4, 1, 2, 3] = np.nan
    layers["random0", "A", 3][7, 0, 0, 0] = -np.inf
    layers["whole", "whole", 3][:] = np.inf
    filters = filter_table(layers)
    bad = filters["kind"] == "not a number"
    assert list(filters[bad & (filters["partition"] == "random0")]["filter"]) == [4, 7]
    assert bad.sum() == 2 + 12
    assert filters.loc[bad, ["gabor_r2", "colour_blob"]].isna().all(axis=None)
    assert filters.loc[~bad, ["gabor_r2", "colour_blob"]].notna().all(axis=None)
    shares = share_table(layers, filters, {("whole", "whole", 3)}).set_index(["partition", "half"])
    assert list(shares["not a number percent"]) == pytest.approx([100 * 2 / 12, 0, 100, 0])
    assert list(shares["diverged"]) == [False, False, True, False]
    assert shares.loc[("random0", ["A", "B"]), "match_other_half"].notna().all()
    assert np.isnan(shares.loc[("whole", "whole"), "match_untrained"])
    figure = plot_filters(layers, filters, shares.reset_index())
    figure.draw_without_rendering()
    crosses = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "x"]
    assert len(crosses) == 2 + 12
    assert "whole, seed 3, diverged" in [axes.get_title() for axes in figure.axes]


def test_diverged_bases_are_those_of_the_records(weights):
    for number, file in enumerate(weights):
        file.record["networks"][0]["diverged"] = number == 1
    assert diverged_bases(weights) == {("random0", "B", 3)}


def base_file(folder, tensors):
    """The safetensors of a base network with these tensors, whose shapes are given."""
    path = folder / "base-A.safetensors"
    save_file({name: np.full(shape, 0.5, dtype=np.float32) for name, shape in tensors.items()}, path)
    return Verified(path, "", {"networks": TrainingJob.base("random0", 0, "A").networks})


@pytest.mark.parametrize(
    ("tensors", "shape"),
    [
        ({"conv1.weight": (64, 3, 7, 7), "fc.weight": (10, 3), "bn1.weight": (64,)}, (64, 3, 7, 7)),  # a ResNet
        ({"conv_stem.weight": (32, 3, 3, 3), "a.se.weight": (96, 3, 1, 1)}, (32, 3, 3, 3)),
        ({"conv_proj.weight": (768, 3, 16, 16), "encoder.pos_embedding": (1, 197, 768)}, (128, 3, 16, 16)),
    ],
)
def test_the_first_convolution_of_any_network_is_found(tmp_path, tensors, shape):
    (weights,) = load_first_layers([base_file(tmp_path, tensors)]).values()
    assert weights.shape == shape


@pytest.mark.filterwarnings("error")
def test_a_network_that_begins_with_no_convolution_has_no_filters(tmp_path):
    layers = load_first_layers([base_file(tmp_path, {"stem.weight": (64, 48, 3, 3)})])
    filters = filter_table(layers)
    shares = share_table(layers, filters)
    assert (layers, len(filters), len(shares)) == ({}, 0, 0)
    (axes,) = plot_filters(layers, filters, shares).axes
    assert [text.get_text() for text in axes.texts] == ["The network does not begin with a convolution over colours."]


@pytest.mark.filterwarnings("error")
def test_filters_of_three_by_three_are_shown_and_not_classified():
    layers = {("whole", "whole", 0): untrained_filters((4, 3, 3, 3))}
    layers["whole", "whole", 0][5] = np.nan
    filters = filter_table(layers)
    assert set(filters["kind"]) == {"too small to tell", "not a number"}
    assert filters[["gabor_r2", "colour_blob"]].isna().all(axis=None)
    shares = share_table(layers, filters)
    assert list(shares["too small to tell percent"]) == pytest.approx([100 * 15 / 16, 100])
    assert shares[["gabor percent", "colour blob percent"]].eq(0).all(axis=None)
    figure = plot_filters(layers, filters, shares)
    assert [axes.get_title() for axes in figure.axes if axes.images] == ["whole, seed 0", "untrained"]


def test_a_file_without_weights_is_named(tmp_path):
    file = base_file(tmp_path, {"conv1.weight": (1, 3, 7, 7)})
    file.path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"base-A\.safetensors: it holds no readable weights"):
        load_first_layers([file])
