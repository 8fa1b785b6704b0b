"""Linear probes: multinomial logistic regression, its penalty chosen on held-out training images."""

import contextlib
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PENALTIES = tuple(10 ** (-half / 2) for half in range(-2, 11))  # half decades, from 10 to 1e-5
DEFAULT_PENALTY = 1e-3  # where nothing can be held out
HELD_OUT = 5  # one image of so many, of each class
PATH_NEARNESS, NEARNESS = 0.05, 0.03  # of weights to the best ones, in choosing the penalty and at the end
ITERATIONS = 500  # at most, at one penalty
LEAST_CURVATURE = 1e-8  # of a bias whose class is certain
RANK = 1e-6  # of an eigenvalue, as a part of the largest: less is rounding error


@dataclass(frozen=True)
class Probe:
    """A linear classifier: weight (classes, features) and bias (classes,) for features standardised with mean and std
    (features,), all float32; the `penalty` it was fitted with, the top-1 share on the held-out images at that penalty,
    and the iterations of the last fit with whether it converged in fewer than ITERATIONS.
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
    components, basis = _principal_components(features.to(torch.float32, copy=True).sub_(mean).div_(std))
    labels = labels.to(features.device)
    held_out = _held_out(labels, classes, seed)
    penalty, top1, start = DEFAULT_PENALTY, None, components.new_zeros(components.shape[1], classes)
    if held_out.any():
        penalty, top1, start = _chosen(components, labels, held_out, start)
    weights, iterations, converged = _fit(components, labels, penalty, start, NEARNESS)
    return Probe((basis @ weights[:-1]).T.contiguous(), weights[-1], mean, std, penalty, top1, iterations, converged)


def _principal_components(standard: Tensor) -> tuple[Tensor, Tensor]:
    """Standardised features as their principal components (images, components), with a last column of ones for the
    bias, and the basis (features, components) that turns weights back.

    The basis is orthogonal, so the best weights and their penalty stay the same. With more features than images, the
    best weights lie in the span of the images, which the eigenvectors of their Gram matrix give.
    """
    images, features = standard.shape
    if features <= images:
        basis = torch.linalg.eigh((standard.T @ standard).double())[1].float()
    else:
        squares, vectors = torch.linalg.eigh((standard @ standard.T).double())
        kept = squares > RANK * squares[-1]
        basis = standard.T @ (vectors[:, kept] / squares[kept].sqrt()).float()
    return torch.cat([standard @ basis, standard.new_ones(images, 1)], 1), basis


def _held_out(labels: Tensor, classes: int, seed: int) -> Tensor:
    """A mask (images,) of about one image in HELD_OUT of each class, one at least where the class has two or more."""
    random, places = torch.Generator().manual_seed(seed), labels.cpu()
    mask = torch.zeros(len(places), dtype=torch.bool)
    for label in range(classes):
        members = (places == label).nonzero().flatten()
        count = max(round(len(members) / HELD_OUT), 1) if len(members) > 1 else 0
        mask[members[torch.randperm(len(members), generator=random)[:count]]] = True
    return mask.to(labels.device)


def _chosen(components: Tensor, labels: Tensor, held_out: Tensor, start: Tensor) -> tuple[float, float, Tensor]:
    """The penalty with the least cross entropy on the held-out images, their top-1 share, and the weights there.

    The path goes from strong to weak, each fit beginning at the last one's weights, until cross entropy falls no more.
    """
    kept, kept_labels = components[~held_out], labels[~held_out]
    checked, wanted = components[held_out], labels[held_out]
    least, best = float("inf"), None
    for penalty in PENALTIES:
        start, _, _ = _fit(kept, kept_labels, penalty, start, PATH_NEARNESS)
        scores = checked @ start
        loss = functional.cross_entropy(scores, wanted).item()
        if loss >= least:
            break
        least, best = loss, (penalty, (scores.argmax(1) == wanted).float().mean().item(), start)
    return best


class _NearEnough(Exception):
    """The weights are as near the best ones as asked."""


def _fit(
    components: Tensor, labels: Tensor, penalty: float, start: Tensor, nearness: float
) -> tuple[Tensor, int, bool]:
    """The best weights (components, classes), the iterations, and whether they were few enough.

    The weights' distance from the best ones is at most `nearness` of their length, or as little as float32 allows: the
    objective curves by `penalty` at least, so its gradient over `penalty` bounds the distance. L-BFGS begins at
    `start`. It works on weights divided by a scale, so that the objective curves by 1 along each of them there.
    """
    decay = torch.full_like(start, penalty)
    decay[-1] = 0  # the bias
    shares = (components @ start).softmax(1)
    curvature = components.square().T @ (shares * (1 - shares) / len(labels)) + decay
    scale = curvature.clamp(min=LEAST_CURVATURE).rsqrt()
    scaled = (start / scale).requires_grad_()
    # It stops where float32 shows no change: any tolerance above zero means that.
    tolerances = {"tolerance_grad": 0, "tolerance_change": 1e-15}
    optimizer = torch.optim.LBFGS([scaled], max_iter=ITERATIONS, line_search_fn="strong_wolfe", **tolerances)

    def objective() -> Tensor:
        optimizer.zero_grad()
        weights = scale * scaled
        decayed = decay * weights
        loss = functional.cross_entropy(components @ weights, labels) + (decayed * weights).sum() / 2
        loss.backward()
        if torch.linalg.norm(scaled.grad / scale) <= nearness * torch.linalg.norm(decayed):
            raise _NearEnough
        return loss

    with contextlib.suppress(_NearEnough):
        optimizer.step(objective)
    iterations = optimizer.state[scaled]["n_iter"]
    return (scale * scaled).detach(), iterations, iterations < ITERATIONS
