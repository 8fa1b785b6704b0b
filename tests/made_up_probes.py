"""Tables of probes that nobody fitted, with accuracies of known differences."""

import math

import pandas as pd

from workflow_scripts.results.probes import read_probes
from workflow_scripts.study.columns import PROBE_COLUMNS

MARGIN = 0.012  # half an interval over validation images
DEPTHS = 8


def unit(depth):
    return "all units" if math.isinf(depth) else "conv1" if depth == 1 else f"layer{1 + (depth - 2) // 2}.{depth % 2}"


def accuracy(source, depth, seed):
    """It rises to n = 6, falls behind it, and is best with all units; untrained features rise far less."""
    if source == "random":
        return 0.1 + 0.01 * min(depth, 8) + 0.003 * seed
    top1 = 0.3 + 0.1 * depth if depth <= 6 else 0.9 - 0.03 * (depth - 6)
    top1 = 0.91 if math.isinf(depth) else top1
    return top1 - {"pretrained": 0, "A": 0.1, "B": 0.05, "whole": 0.05}[source] + 0.003 * seed


def probe_rows(
    partition="whole", source="pretrained", target="whole", seed=0, depths=DEPTHS, score=accuracy, held_out=None, **more
):
    """The rows of one probe job. `score` and `held_out` (`score` less 1 point) are functions of source, depth, seed."""
    held_out = held_out or (lambda *names: score(*names) - 0.01)
    rows = []
    for depth in [*range(1, depths + 1), math.inf]:
        together, top1, gap = math.isinf(depth), score(source, depth, seed), None
        if depth != depths:
            gap = top1 - score(source, depths, seed)
        row = {"partition": partition, "pair": "", "source": source, "target": target, "seed": seed}
        row |= {"depth": None if together else depth, "unit": unit(depth), "features": 9000 if together else 64 * depth}
        row |= {"penalty": 0.01, "held_out_top1": held_out(source, depth, seed)}
        row |= {"top1": top1, "top1_low": top1 - MARGIN, "top1_high": top1 + MARGIN}
        row |= {"top1_per_class_mean": top1, "top5": 0.99, "loss": 0.5, "last_gap": gap}
        row |= {"last_gap_low": gap and gap - MARGIN, "last_gap_high": gap and gap + MARGIN}
        below = None if together else score(source, math.inf, seed) - top1
        row |= {"together_gap": below, "together_gap_low": None if together else below - MARGIN}
        row |= {"together_gap_high": None if together else below + MARGIN}
        row |= {"classes": 10, "train_images": 500, "val_images": 1000, "majority_share": 0.1, "diverged": False}
        share = None if together else depth / (depths + 1)
        row |= {"parameters_share": share, "multiplications_share": share, "milliseconds": share and 10 * share}
        rows.append(row | more)
    return rows


def table(*jobs):
    """The table of these jobs' probes (probe_rows)."""
    return pd.DataFrame([row for rows in jobs for row in rows], columns=PROBE_COLUMNS)


def diverged(made, chosen):
    """`made` with the `chosen` probes diverged: they have no score."""
    scores = ["penalty", "held_out_top1", "top1", "top1_low", "top1_high", "top1_per_class_mean", "top5", "loss"]
    made = made.assign(diverged=made["diverged"] | chosen)
    gaps = [name for name in PROBE_COLUMNS if "_gap" in name]
    made.loc[chosen, [*scores, *gaps]] = float("nan")
    return made


def loaded(made, folder):
    """`made` as its probes.csv in `folder` and as the steps read it (probes.read_probes)."""
    made.to_csv(folder / "probes.csv", index=False)
    return read_probes(folder / "probes.csv")


def every_source(seeds=(0,)):
    """Jobs of a pretrained, an untrained and both base networks onto both random halves."""
    other = {"A": "B", "B": "A"}
    return [
        probe_rows("random0", source or other[target], target, seed)
        for seed in seeds
        for target in "AB"
        for source in ("pretrained", "random", None, target)
    ]


def few_images(seeds=(0, 1, 2), amounts=(1, 5, None), **more):
    """Jobs of a pretrained and an untrained network onto drawn images; fewer images are best cut earlier."""
    return [
        probe_rows(
            "whole" if amount is None else f"whole_draw_{amount}_per_class",
            source,
            seed=seed,
            score=lambda *names, loss=0.0 if amount is None else 0.3 / amount**0.5: (
                accuracy(*names) * (1 - loss) - loss * min(names[1], 9) / 20
            ),
            **({"held_out": lambda *_: None} if amount == 1 else {}),
            **more,
        )
        for amount in amounts
        for seed in seeds
        for source in ("pretrained", "random")
    ]
