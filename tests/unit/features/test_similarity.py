"""Linear CKA against the textbook, and base networks compared layer by layer."""

import subprocess

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from helpers import PYTHON, ROOT, save_tasks

from workflow_scripts.features.compare_bases import compare_bases, load_network
from workflow_scripts.features.similarity import gram_matrix, linear_cka, unit_grams
from workflow_scripts.network.architectures import mini_caffenet
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.networks import CaffeNet
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.report.figures.similarity import plot_similarity, transfer_cost
from workflow_scripts.results.groups import load_results
from workflow_scripts.study.jobs import TrainingJob

PUBLISHED = ROOT / "configs" / "published_results.csv"
SETTINGS = {
    "architecture": "mini_caffenet",
    "crop": 32,
    "input": "mean_image",
    "input_scale": 1 / 64,
    "init": "he",
    "mean_image": "source",
}
RANDOM = torch.Generator().manual_seed(0)


def features(images, count):
    return torch.randn(images, count, generator=RANDOM, dtype=torch.float64)


def cka(first, second):
    return linear_cka(gram_matrix(first), gram_matrix(second))


def made(seed, classes=20):
    network = CaffeNet(mini_caffenet(), 32, classes)
    initialise(network, "he", seed)
    return network


def test_rotated_and_scaled_features_are_the_same():
    first = features(50, 20)
    rotation, _ = torch.linalg.qr(features(20, 20))
    assert cka(first, first) == pytest.approx(1)
    assert cka(first, 3 * first @ rotation + 5) == pytest.approx(1)


def test_unrelated_features_are_near_zero_even_when_there_are_more_of_them_than_images():
    found = [cka(features(40, 400), features(40, 400)) for _ in range(20)]
    assert abs(np.mean(found)) < 0.02
    biased = [_plain_cka(features(40, 400).numpy(), features(40, 400).numpy()) for _ in range(3)]
    assert min(biased) > 0.8  # why the plain estimator is not used


def _plain_cka(first, second):
    """Kornblith et al. 2019, equation 3, on centred features."""
    first, second = first - first.mean(0), second - second.mean(0)
    cross = np.linalg.norm(first.T @ second) ** 2
    return cross / np.linalg.norm(first.T @ first) / np.linalg.norm(second.T @ second)


def test_it_is_the_plain_one_where_images_are_many():
    first = features(3000, 5)
    second = first @ features(5, 4) + 0.5 * features(3000, 4)
    assert cka(first, second) == pytest.approx(_plain_cka(first.numpy(), second.numpy()), abs=0.005)


def test_a_large_common_offset_changes_nothing():
    first, second = features(50, 20), features(50, 20)
    assert cka(first + 1e7, second) == pytest.approx(cka(first, second), abs=1e-6)


def test_what_cannot_be_compared():
    assert np.isnan(cka(features(3, 2), features(3, 2)))  # fewer images than the estimator is defined for
    assert np.isfinite(cka(features(4, 2), features(4, 2)))
    with pytest.raises(ValueError, match="same"):
        cka(features(5, 2), features(6, 2))
    assert np.isnan(cka(torch.ones(8, 3), features(8, 3)))
    assert np.isnan(cka(torch.full((49, 3), 0.1, dtype=torch.float64), features(49, 3)))  # its mean is not quite 0.1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e200])
def test_a_diverged_network_is_like_none(bad):
    broken = features(8, 3)
    broken[2, 1] = bad
    assert np.isnan(cka(broken, features(8, 3)))
    assert np.isnan(cka(features(8, 3), broken))


def test_depth_n_is_the_output_of_the_first_n_layers():
    network, images = made(1), torch.randn(10, 3, 32, 32, generator=RANDOM)
    grams = dict(unit_grams(network, images))
    assert list(grams) == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"]
    with torch.inference_mode():
        outputs = network.layers["conv2"](network.layers["conv1"](images)).flatten(1).double()
    outputs = outputs - outputs.mean(0)
    assert torch.allclose(grams["conv2"], outputs @ outputs.T, rtol=1e-6, atol=1e-6)


def test_the_same_network_is_alike_at_every_depth_and_an_untrained_one_is_not(store, tasks):
    same = {half: made(1) for half in "AB"}
    table = compare_bases(dict.fromkeys("AB", store), tasks, same, made(2), SETTINGS | {"mean_image": "target"}, 40)
    assert list(table["target"]) == ["A"] * 7 + ["B"] * 7
    assert list(table["depth"]) == [1, 2, 3, 4, 5, 6, 7] * 2
    assert list(table["unit"][:3]) == ["conv1", "conv2", "conv3"]
    assert table["cka"].to_list() == pytest.approx([1] * 14)
    assert (table["cka_untrained"] < 0.999).all()
    assert set(table["images"]) == {40}
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    other = compare_bases(
        dict.fromkeys("AB", store), tasks, same, made(2), SETTINGS, 40
    )  # the source's mean image changes what it sees
    assert (other["cka"] < 1 - 1e-9).any()


def test_the_step_gives_the_same_bytes_and_refuses_other_weights(store, tasks, tmp_path):
    save_tasks(tasks, store, tmp_path)
    for half in tasks:
        weights = tmp_path / f"base-{half}.safetensors"
        safetensors.torch.save_file(made(ord(half)).state_dict(), weights)
        record = {"networks": TrainingJob.base("random0", 0, half).networks, "leaves": SETTINGS}
        write_record(weights.with_suffix(".json"), record, [weights], [tmp_path / f"{half}.npz"])
    command = [PYTHON, "-m", "workflow_scripts.features.compare_bases"]
    for half in "AB":
        command += [f"--manifest-{half.lower()}", str(store)]
        command += [f"--task-{half.lower()}", str(tmp_path / f"{half}.npz")]
        command += [f"--weights-{half.lower()}", str(tmp_path / f"base-{half}.safetensors")]
    command += [
        "--partition",
        "random0",
        "--seed",
        "0",
        "--settings",
        str(SETTINGS).replace("'", '"'),
        "--images",
        "30",
    ]
    for name in ("one", "two"):
        outputs = ["--output", str(tmp_path / f"{name}.csv"), "--record", str(tmp_path / f"{name}.json")]
        done = subprocess.run([*command, *outputs], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len(pd.read_csv(tmp_path / "one.csv")) == 14
    with pytest.raises(InputError, match=r"base-A\.safetensors: it is not a mini_caffenet of 7 classes"):
        load_network(tmp_path / "base-A.safetensors", SETTINGS, 7)


def built_similarity(results):
    rows = results[results["group"] == "AnB"][["partition", "target", "seed", "depth"]]
    return rows.assign(cka=1 - rows["depth"] / 10, cka_untrained=0.1)


def test_the_figure_pairs_cost_and_likeness_by_network():
    results = load_results(PUBLISHED)
    costs, name = transfer_cost(results)
    assert name == "specialisation, BnB - AnB"
    assert len(costs) == 4 * 7  # BnB was published for the four halves A
    by_depth, against = plot_similarity(results, built_similarity(results)).axes
    assert sum(len(line.get_xdata()) for line in against.get_lines() if line.get_linestyle() == "None") == 4 * 7
    assert "28 networks, not independent" in against.get_title()
    natman = next(line for line in by_depth.get_lines() if line.get_label() == "natural / man-made halves")
    assert list(natman.get_ydata()) == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])


def test_without_selffers_the_whole_drop_is_drawn():
    results = load_results(PUBLISHED)
    rows = results[results["partition"] == "natman"]
    costs, name = transfer_cost(rows)
    assert (name, len(costs)) == ("drop, base - AnB", 14)
    assert plot_similarity(rows, built_similarity(rows)).axes[1].get_ylabel() == "drop, base - AnB, points"
