"""The hierarchy above a dataset's classes: descendants, distances between classes, and halves graded by distance."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from workflow_scripts.plumbing.cli import InputError

MEASURE = "mean number of edges of the shortest is-a path between a class of A and one of B (Rada et al. 1989)"


def descendants(edges: Sequence[tuple[str, str]], ancestor: str) -> set[str]:
    """All names below `ancestor` in the hierarchy of (parent, child) edges, itself included."""
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    found, waiting = set(), [ancestor]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(children.get(name, []))
    return found


def class_distances(classes: Sequence[str], edges: Sequence[tuple[str, str]]) -> np.ndarray:
    """Distances of all pairs of `classes` (int64, C x C): edges of the shortest path along is-a links.

    The conceptual distance of R. Rada, H. Mili, E. Bicknell, M. Blettner, "Development and application of a metric on
    semantic nets", IEEE Transactions on Systems, Man, and Cybernetics 19(1), 1989. Raises InputError without a
    hierarchy, or if it does not connect the classes.
    """
    if not edges:
        raise InputError("the dataset: it has no hierarchy of classes to grade halves by. Give the halves as csv.")
    number = {name: index for index, name in enumerate(sorted({name for edge in edges for name in edge}))}
    if missing := [name for name in classes if name not in number]:
        raise InputError(f"the dataset: class {missing[0]} is not in its hierarchy. Give the halves as csv.")
    parents, children = (np.array([number[name] for name in side]) for side in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(edges)), (parents, children)), shape=(len(number), len(number)))
    own = [number[name] for name in classes]
    distances = shortest_path(graph.tocsr(), directed=False, unweighted=True, indices=own)[:, own]
    if np.isinf(distances).any():
        apart = classes[int(np.argmax(np.isinf(distances).any(axis=0)))]
        raise InputError(
            f"the dataset: its hierarchy does not connect class {apart} with all others. Give the halves as csv."
        )
    return distances.astype(np.int64)


def mean_distance(distances: np.ndarray, in_a: np.ndarray) -> float:
    """The mean distance between the classes of A (`in_a`, C booleans) and of B."""
    return float(distances[np.ix_(in_a, ~in_a)].mean())


def graded_halves(distances: np.ndarray, order: np.ndarray, grade: str) -> np.ndarray:
    """Half of the classes (C booleans) at low ("near"), middle or high ("far") mean distance from the other half.

    `order` is a random order of the classes. near and far start from the first half of `order` and follow the heuristic
    of B. W. Kernighan and S. Lin ("An efficient heuristic procedure for partitioning graphs", Bell System Technical
    Journal 49(2), 1970). middle is far with some classes exchanged, in that order: as many as bring the mean distance
    closest to halfway between near and far.
    """
    start = np.zeros(len(order), dtype=bool)
    start[order[: len(order) // 2]] = True
    near, far = (_exchanged(sign * distances, start) for sign in (-1, 1))
    if grade != "middle":
        return {"near": near, "far": far}[grade]
    wanted = (mean_distance(distances, near) + mean_distance(distances, far)) / 2
    of_a, of_b = order[far[order]], order[~far[order]]

    def mixed(count: int) -> np.ndarray:
        half = far.copy()
        half[of_a[:count]], half[of_b[:count]] = False, True
        return half

    # Exchanging more than half of them would give the same halves with their names exchanged.
    counts = range(len(of_a) // 2 + 1)
    return mixed(min(counts, key=lambda count: abs(mean_distance(distances, mixed(count)) - wanted)))


def _exchanged(distances: np.ndarray, start: np.ndarray) -> np.ndarray:
    """`start` after passes of exchanges, until no pass raises the sum of distances across."""
    in_a = start.copy()
    while (pairs := _best_pass(distances, in_a)).size:
        in_a[pairs[:, 0]], in_a[pairs[:, 1]] = False, True
    return in_a


def _best_pass(distances: np.ndarray, in_a: np.ndarray) -> np.ndarray:
    """The pairs (of A, of B) whose exchange in turn raises the sum across most, k x 2; k = 0 if none does.

    Every class is exchanged once, the best pair first even where it loses, so that whole groups can change sides.
    """
    a, b = np.flatnonzero(in_a), np.flatnonzero(~in_a)
    # What the sum across gains when a class changes sides; an exchanged pair's own distance stays across.
    gain = np.where(in_a, 1, -1) * (distances[:, a].sum(axis=1) - distances[:, b].sum(axis=1))
    pairs, gains = [], []
    while len(a) and len(b):
        gains_here = gain[a][:, None] + gain[b][None, :] + 2 * distances[np.ix_(a, b)]
        row, column = np.unravel_index(gains_here.argmax(), gains_here.shape)
        pairs.append((a[row], b[column]))
        gains.append(gains_here[row, column])
        # For the classes that stay in A, the one that left is now across, and the one that came is not. B is alike.
        shift = 2 * (distances[:, b[column]] - distances[:, a[row]])
        gain += np.where(in_a, shift, -shift)
        a, b = np.delete(a, row), np.delete(b, column)
    sums = np.cumsum(gains)
    best = int(sums.argmax())
    return np.array(pairs[: best + 1] if sums[best] > 0 else []).reshape(-1, 2)
