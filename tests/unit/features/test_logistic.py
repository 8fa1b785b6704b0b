"""Linear probes against scikit-learn, and how their penalty is chosen."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from workflow_scripts.features.logistic import DEFAULT_PENALTY, PENALTIES, _held_out, fit_probe


def task(images, features, classes, seed=0, distance=0.5):
    """Features around random centres of classes, of unlike scales and means; the first one is constant."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(images) % classes
    centres = distance * torch.randn(classes, features, generator=torch.Generator().manual_seed(99))
    found = centres[labels] + torch.randn(images, features, generator=random)
    unlike = torch.Generator().manual_seed(98)
    found = found * (0.1 + torch.rand(features, generator=unlike)) + 10 * torch.randn(features, generator=unlike)
    found[:, 0] = 0.1
    return found, labels


def accuracy(probe, found, labels):
    return (probe.scores(found).argmax(1) == labels).float().mean().item()


def scikit_learn(probe, found, labels):
    """scikit-learn's classifier for the features that the probe standardises, at its penalty."""
    standard = ((found.float() - probe.mean) / probe.std).double().numpy()
    two = 2 if probe.weight.shape[0] == 2 else 1  # there two classes have one weight, the difference of ours
    inverse = two / (probe.penalty * len(labels))
    return LogisticRegression(C=inverse, tol=1e-8, max_iter=10_000).fit(standard, labels.numpy())


def assert_alike(probe, peer):
    weight, bias = probe.weight, probe.bias - probe.bias.mean()
    if len(weight) == 2:
        weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
    wanted, intercept = torch.from_numpy(peer.coef_).float(), torch.from_numpy(peer.intercept_).float()
    assert torch.linalg.norm(weight - wanted) < 0.05 * torch.linalg.norm(wanted)
    torch.testing.assert_close(bias, intercept, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    ("images", "features", "classes"), [(400, 30, 5), (100, 100, 4), (150, 400, 8), (60, 10, 2), (60, 90, 2)]
)
def test_it_is_scikit_learns_logistic_regression(images, features, classes):
    found, labels = task(images, features, classes, distance=0.3)
    probe = fit_probe(found, labels, classes, seed=0)
    assert probe.converged
    assert_alike(probe, scikit_learn(probe, found, labels))


def test_the_optimum_does_not_depend_on_the_scale_or_the_mean_of_features():
    found, labels = task(200, 20, 4)
    first, second = fit_probe(found, labels, 4, seed=0), fit_probe(100 * found - 7, labels, 4, seed=0)
    assert first.penalty == second.penalty
    torch.testing.assert_close(first.weight, second.weight, atol=1e-3, rtol=1e-3)


def test_a_class_without_images_is_never_the_answer():
    found, labels = task(200, 20, 4)
    probe = fit_probe(found, labels, 6, seed=0)
    assert probe.weight.shape == (6, 20)
    assert set(probe.scores(found).argmax(1).tolist()) == {0, 1, 2, 3}


def test_constant_features_have_no_weight():
    found, labels = task(200, 10, 3)
    probe = fit_probe(found, labels, 3, seed=0)
    assert probe.std[0] == 1
    assert probe.weight[:, 0].abs().max() < 1e-6
    assert torch.isfinite(probe.scores(found)).all()


def test_features_that_are_all_constant_give_the_most_frequent_class():
    labels = torch.tensor([0, 1, 1, 1, 2, 2] * 5)
    probe = fit_probe(torch.ones(30, 4), labels, 3, seed=0)
    assert set(probe.scores(torch.ones(30, 4)).argmax(1).tolist()) == {1}


@pytest.mark.parametrize("features", [20, 300])
def test_the_same_bits_each_time_and_the_seed_is_only_of_the_split(features):
    found, labels = task(150, features, 5, distance=0.2)
    first, again = fit_probe(found, labels, 5, seed=3), fit_probe(found, labels, 5, seed=3)
    assert torch.equal(first.weight, again.weight) and torch.equal(first.bias, again.bias)
    others = [fit_probe(found, labels, 5, seed=seed) for seed in range(6)]
    assert len({one.held_out_top1 for one in others}) > 1
    assert all(torch.equal(one.mean, first.mean) for one in others)
    state = torch.random.get_rng_state()
    fit_probe(found, labels, 5, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_float16_features_give_the_probe_of_the_same_numbers_in_float32():
    found, labels = task(100, 20, 4)
    half, whole = fit_probe(found.half(), labels, 4, seed=0), fit_probe(found.half().float(), labels, 4, seed=0)
    assert torch.equal(half.weight, whole.weight)
    assert half.weight.dtype == half.scores(found.half()).dtype == torch.float32


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_features_that_are_not_finite_are_refused(value):
    found, labels = task(50, 20, 4)
    found[7, 3] = value
    with pytest.raises(ValueError, match="not finite"):
        fit_probe(found, labels, 4, seed=0)


def test_noisy_features_get_a_stronger_penalty_than_clear_ones():
    noisy = fit_probe(*task(200, 150, 4, distance=0.05), 4, seed=0)
    clear = fit_probe(*task(200, 150, 4, distance=1.0), 4, seed=0)
    assert noisy.penalty > clear.penalty
    assert {noisy.penalty, clear.penalty} <= set(PENALTIES)


def test_the_chosen_penalty_is_about_the_best_for_new_images():
    found, labels = task(300, 200, 6, distance=0.2)
    new, new_labels = task(3000, 200, 6, seed=1, distance=0.2)
    probe = fit_probe(found, labels, 6, seed=0)
    peers = [LogisticRegression(C=1 / (300 * penalty), max_iter=1000) for penalty in PENALTIES]
    standard, new_standard = (((one - probe.mean) / probe.std).numpy() for one in (found, new))
    chances = [peer.fit(standard, labels.numpy()).predict_proba(new_standard) for peer in peers]
    losses = [-np.log(one[np.arange(3000), new_labels.numpy()]).mean() for one in chances]
    assert torch.nn.functional.cross_entropy(probe.scores(new), new_labels) < 1.05 * min(losses)
    assert max(losses) > 1.5 * min(losses)
    assert abs(probe.held_out_top1 - accuracy(probe, new, new_labels)) < 0.1


def test_a_fifth_of_each_class_is_held_out_one_at_least():
    counts = [1, 2, 3, 5, 10, 40]
    labels = torch.from_numpy(np.repeat(range(6), counts))
    mask = _held_out(labels, 6, seed=0)
    assert [int(mask[labels == label].sum()) for label in range(6)] == [0, 1, 1, 1, 2, 8]
    assert not torch.equal(mask, _held_out(labels, 6, seed=1))


def test_classes_of_one_image_have_the_default_penalty():
    found, labels = task(5, 20, 5)
    probe = fit_probe(found, labels, 5, seed=0)
    assert (probe.penalty, probe.held_out_top1) == (DEFAULT_PENALTY, None)
    assert accuracy(probe, found, labels) == 1
    assert_alike(probe, scikit_learn(probe, found, labels))


def test_one_class():
    probe = fit_probe(torch.randn(10, 4), torch.zeros(10, dtype=torch.long), 1, seed=0)
    assert probe.scores(torch.randn(3, 4)).shape == (3, 1)
