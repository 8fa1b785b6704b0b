"""Linear probes: multinomial logistic regression, its penalty chosen on held-out training images."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PENALTIES = tuple(10 ** (-half / 2) for half in range(-2, 13))  # half decades from 10 down to 1e-6
DEFAULT_PENALTY = 1e-2  # where nothing can be held out
HELD_OUT = 5  # one image of so many, of each class
TOLERANCE = 1e-3  # of the largest entry of the gradient, as a part of the one of zero weights
ITERATIONS = 500  # at most, at one penalty
HISTORY = 10  # gradients that L-BFGS keeps


@dataclass(frozen=True)
class Probe:
    """A linear classifier: weight (classes, features) and bias (classes,) for features standardised with mean and std
    (features,), all float32; the `penalty` it was fitted with, the top-1 share on the held-out images at that penalty,
    and the iterations of the last fit with whether it converged.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    std: Tensor
    penalty: float
    held_out_top1: float | None
    iterations: int
    converged: bool

    def scores(self, features: Tensor) -> Tensor:
        """The scores (images, classes) of features (images, features), float32: softmax makes them probabilities."""
        weight = self.weight / self.std
        return functional.linear(features.float(), weight, self.bias - weight @ self.mean)


@dataclass(frozen=True)
class Rotated:
    """Standardised features as principal components (images, components), with a last column of ones for the bias.

    `variances` are those of the components, 1 for the ones. `basis` (features, components) turns weights back.
    """

    components: Tensor
    variances: Tensor
    basis: Tensor


def fit_probe(features: Tensor, labels: Tensor, classes: int, seed: int) -> Probe:
    """The probe for features (images, features), float16 or float32, and labels (images,), on the features' device.

    It minimises mean cross entropy + penalty / 2 * |weight|^2 over all images; scikit-learn's C is then
    1 / (penalty * images). The penalty is the one of PENALTIES with the least cross entropy on held-out images. `seed`
    decides which are held out, and nothing else is random. Raises ValueError for features that are not finite.
    """
    if not torch.isfinite(features).all():
        raise ValueError("the features are not finite numbers")
    standard = features.float()
    std, mean = torch.std_mean(standard, 0, correction=0)
    std = torch.where(standard.amax(0) == standard.amin(0), 1, std)
    rotated = _rotated((standard - mean) / std)
    labels = labels.to(features.device)
    held_out = _held_out(labels, classes, seed)
    start = rotated.components.new_zeros(rotated.components.shape[1], classes)
    penalty, top1, start = (
        _chosen(rotated, labels, held_out, start) if held_out.any() else (DEFAULT_PENALTY, None, start)
    )
    weights, iterations, converged = _fit(rotated.components, labels, rotated.variances, penalty, start)
    return Probe((rotated.basis @ weights[:-1]).T, weights[-1], mean, std, penalty, top1, iterations, converged)


def _rotated(standard: Tensor) -> Rotated:
    """Principal components: an orthogonal change of variables, so the best weights and their penalty stay the same.

    With more features than images, the best weights lie in the span of the images, whose Gram matrix gives them.
    """
    images, features = standard.shape
    if features <= images:
        variances, basis = torch.linalg.eigh((standard.T @ standard).double() / images)
        basis = basis.float()
    else:
        variances, vectors = torch.linalg.eigh((standard @ standard.T).double() / images)
        kept = variances > variances[-1] * 1e-7  # the rest is rounding error
        variances, vectors = variances[kept], vectors[:, kept]
        basis = standard.T @ (vectors / (images * variances).sqrt()).float()
    components = standard @ basis
    ones = components.new_ones(images, 1)
    variances = torch.cat([variances.float().clamp(min=0), ones[0]])
    return Rotated(torch.cat([components, ones], 1), variances, basis)


def _held_out(labels: Tensor, classes: int, seed: int) -> Tensor:
    """A mask (images,) of about one image in HELD_OUT of each class, one at least where the class has two or more."""
    random = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(classes):
        members = (labels.cpu() == label).nonzero().flatten()
        count = max(round(len(members) / HELD_OUT), 1) if len(members) > 1 else 0
        mask[members[torch.randperm(len(members), generator=random)[:count]]] = True
    return mask.to(labels.device)


def _chosen(rotated: Rotated, labels: Tensor, held_out: Tensor, start: Tensor) -> tuple[float, float, Tensor]:
    """The penalty with the least cross entropy on the held-out images, their top-1 share, and the weights there.

    The path goes from strong to weak, each fit starting at the last one's weights, until cross entropy grows.
    """
    kept, checked = rotated.components[~held_out], rotated.components[held_out]
    best = (float("inf"), DEFAULT_PENALTY, 0.0, start)
    for penalty in PENALTIES:
        start, _, _ = _fit(kept, labels[~held_out], rotated.variances, penalty, start)
        scores = checked @ start
        loss = functional.cross_entropy(scores, labels[held_out]).item()
        if loss >= best[0]:
            break
        best = (loss, penalty, (scores.argmax(1) == labels[held_out]).float().mean().item(), start)
    return best[1:]


def _fit(
    components: Tensor, labels: Tensor, variances: Tensor, penalty: float, start: Tensor
) -> tuple[Tensor, int, bool]:
    """The best weights (components, classes), the iterations, and whether they converged. `start` is where it begins.

    L-BFGS works on weights divided by a scale, at which the objective is about as curved in all directions.
    """
    classes = start.shape[1]
    decay = torch.full_like(variances, penalty)
    decay[-1] = 0  # the bias
    scale = (variances / classes + decay).rsqrt()[:, None]
    scaled = (start / scale).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [scaled],
        max_iter=ITERATIONS,
        max_eval=2 * ITERATIONS,
        tolerance_grad=0,
        tolerance_change=0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        weights = scale * scaled
        loss = functional.cross_entropy(components @ weights, labels)
        loss = loss + (decay[:, None] * weights.square()).sum() / 2
        loss.backward()
        return loss

    least = TOLERANCE * _gradient_at_zero(components, labels, scale, classes)
    optimizer.param_groups[0]["tolerance_grad"] = least
    optimizer.step(objective)
    converged = scaled.grad.abs().amax().item() <= least
    return (scale * scaled).detach(), optimizer.state[scaled]["n_iter"], converged


def _gradient_at_zero(components: Tensor, labels: Tensor, scale: Tensor, classes: int) -> float:
    """The largest entry of the objective's gradient at zero weights."""
    errors = 1 / classes - functional.one_hot(labels, classes).to(components.dtype)
    return (scale * (components.T @ errors)).abs().amax().item() / len(labels)
