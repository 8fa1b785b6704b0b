"""Linear probes: multinomial logistic regression, its penalty chosen on held-out training images."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PENALTIES = tuple(10 ** (-half / 2) for half in range(-2, 13))  # half decades from 10 down to 1e-6
DEFAULT_PENALTY = 1e-2  # where nothing can be held out
HELD_OUT = 5  # one image of so many, of each class
PATH_NEARNESS, NEARNESS = 0.05, 0.02  # of weights to the best ones, in choosing the penalty and at the end
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
        return functional.linear((features.float() - self.mean) / self.std, self.weight, self.bias)


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
    std, mean = torch.std_mean(features.float(), 0, correction=0)
    if not torch.isfinite(std).all():
        raise ValueError("the features are not finite, or too large")
    std = torch.where(features.amax(0) == features.amin(0), 1, std)
    rotated = _rotated((features.float() - mean) / std)
    labels = labels.to(features.device)
    held_out = _held_out(labels, classes, seed)
    start = rotated.components.new_zeros(rotated.components.shape[1], classes)
    penalty, top1, start = (
        _chosen(rotated, labels, held_out, start) if held_out.any() else (DEFAULT_PENALTY, None, start)
    )
    weights, iterations, converged = _fit(rotated.components, labels, penalty, start, NEARNESS)
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
        start, _, _ = _fit(kept, labels[~held_out], penalty, start, PATH_NEARNESS)
        scores = checked @ start
        loss = functional.cross_entropy(scores, labels[held_out]).item()
        if loss >= best[0]:
            break
        best = (loss, penalty, (scores.argmax(1) == labels[held_out]).float().mean().item(), start)
    return best[1:]


class _Enough(Exception):
    """The weights are as near the best ones as asked."""


def _fit(
    components: Tensor, labels: Tensor, penalty: float, start: Tensor, nearness: float
) -> tuple[Tensor, int, bool]:
    """The best weights (components, classes), the evaluations of the objective, and whether they converged.

    The weights' distance from the best ones is then at most `nearness` of their length: the objective is curved by
    `penalty` at least, so its gradient over `penalty` bounds the distance. L-BFGS begins at `start`. It works on weights
    divided by a scale, at which the objective is about as curved in all directions.
    """
    decay = torch.full_like(start, penalty)
    decay[-1] = 0  # the bias
    spread = (components @ start).softmax(1)
    spread = spread * (1 - spread) / len(labels)
    scale = (components.square().T @ spread + decay).clamp(min=1e-8).rsqrt()
    scaled = (start / scale).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [scaled],
        max_iter=ITERATIONS,
        tolerance_grad=0,
        tolerance_change=1e-15,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        weights = scale * scaled
        decayed = decay * weights
        loss = functional.cross_entropy(components @ weights, labels) + (decayed * weights).sum() / 2
        loss.backward()
        if torch.linalg.norm(scaled.grad / scale) <= nearness * torch.linalg.norm(decayed):
            raise _Enough
        return loss

    converged = False
    try:
        optimizer.step(objective)
    except _Enough:
        converged = True
    return (scale * scaled).detach(), optimizer.state[scaled]["func_evals"], converged
