"""Linear probes against scikit-learn, and how their penalty is chosen."""

import pytest
import torch

from workflow_scripts.features.logistic import fit_probe


def task(images, features, classes, seed=0, distance=0.5):
    """Features around random centres of classes, of unlike scales and means; one feature is constant."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (images,), generator=random)
    centres = distance * torch.randn(classes, features, generator=random)
    found = centres[labels] + torch.randn(images, features, generator=random)
    found = found * (0.1 + torch.rand(features, generator=random)) + 10 * torch.randn(features, generator=random)
    found[:, 0] = 0.1
    return found, labels


@pytest.mark.parametrize(("images", "features", "classes"), [(400, 30, 5), (150, 400, 8), (60, 60, 2)])
def test_it_is_scikit_learns_logistic_regression(images, features, classes):
    linear_model = pytest.importorskip("sklearn.linear_model")
    found, labels = task(images, features, classes)
    probe = fit_probe(found, labels, classes, seed=0)
    assert probe.converged
    standard = ((found - probe.mean) / probe.std).double()
    peer = linear_model.LogisticRegression(C=1 / (probe.penalty * images), tol=1e-8, max_iter=10_000)
    peer.fit(standard.numpy(), labels.numpy())
    if classes == 2:
        pytest.skip("two classes have one weight there")
    wanted = torch.from_numpy(peer.coef_).float()
    assert torch.linalg.norm(probe.weight - wanted) < 0.05 * torch.linalg.norm(wanted)


def test_constant_features_have_no_weight_and_break_nothing():
    found, labels = task(200, 10, 3)
    probe = fit_probe(found, labels, 3, seed=0)
    assert probe.std[0] == 1
    assert probe.weight[:, 0].abs().max() < 1e-6
    assert torch.isfinite(probe.scores(found)).all()
