"""Small results tables of odd studies that nobody trained: empty groups, diverged networks, one of everything."""

import pandas as pd

from workflow_scripts.results.groups import load_results
from workflow_scripts.study.columns import DISTANCE_COLUMNS, KEY_COLUMNS, RESULT_COLUMNS, SCORE

OTHER = {"A": "B", "B": "A"}
# group -> whether the source is another half, whether the copied units learn
CURVES = {"BnB": (False, False), "BnB+": (False, True), "AnB": (True, False), "AnB+": (True, True)}
PRETRAINED = ("PnB", "PnB+")
CONTROLS = ("base twice", "BnB then +", "AnB then +")  # of fine-tuning
EVERY = (*CURVES, "base")


def table(partitions=("random0",), groups=EVERY, depths=(1, 4, 7), seeds=(0,), targets="AB", score=None, **columns):
    """A results table of these networks; `score` is a function of a network's group, target, depth and seed."""
    score = score or _score
    rows = []
    for partition in partitions:
        halves = ["whole"] if partition.startswith("whole") else list(targets)
        for target, seed, group in ((target, seed, group) for target in halves for seed in seeds for group in groups):
            for depth in [0] if group.startswith("base") else depths:
                if (source := _source(group, target)) is not None:
                    treatment = _treatment(group)
                    top1 = score(group, target, depth, seed)
                    rows.append((partition, source, target, depth, treatment, seed, 12, top1))
    made = pd.DataFrame(rows, columns=[*KEY_COLUMNS[:6], "iterations", SCORE])
    made["top1_last"], made["top5_last"], made["loss_last"] = made[SCORE], made[SCORE], 1.0
    defaults = {
        "diverged": False,
        "diverged_cause": "",
        "preserve": 0,
        "init": "he",
        "norm_statistics": "",
        "learning_rate": "",
        "val_images": 80,
    }
    made = made.assign(**defaults | columns)
    return made[[name for name in RESULT_COLUMNS if name in made]]


def _source(group, target):
    if group == "random" or group.startswith("PnB"):
        return "random" if group == "random" else "pretrained"
    return OTHER.get(target) if group.startswith("AnB") else target


def _treatment(group):
    if group.startswith("base"):
        return group.replace(" ", "_")
    return "staged" if group.endswith(" then +") else "finetuned" if group.endswith("+") else "frozen"


def _score(group, target, depth, seed):
    loss = {"AnB": 0.01, "PnB": 0.008, "random": 0.05}.get(group, 0.0) * depth
    return 0.6 + 0.1 * (target == "B") + 0.013 * seed - loss + 0.02 * group.endswith("+")


def diverged(made, chosen=None, cause="loss", top1=0.05):
    """`made` with the `chosen` networks (all by default) diverged."""
    chosen = pd.Series(True, index=made.index) if chosen is None else chosen
    made = made.assign(diverged=made["diverged"] | chosen)
    made.loc[chosen, "diverged_cause"] = cause
    made.loc[chosen, SCORE] = top1
    if cause == "loss":
        made.loc[chosen, "loss_last"] = float("nan")
    return made


def preserved(made, units=1):
    """`made` with its frozen curves a second time, with `units` preserved."""
    frozen = made[made["treatment"] == "frozen"]
    return pd.concat([made, frozen.assign(preserve=units)], ignore_index=True)


def with_statistics(made, *choices, change=0.02):
    """`made` with its frozen curves once more for each of these norm statistics, `change` better or worse by turns."""
    frozen = made[made["treatment"] == "frozen"]
    more = [
        frozen.assign(norm_statistics=one, **{SCORE: frozen[SCORE] - change * (number + 1)})
        for number, one in enumerate(choices)
    ]
    return pd.concat([made, *more], ignore_index=True)


def units_of(deepest=7):
    """A made-up units.csv of a network with this many units below its head."""
    names = ["conv1", *(f"layer{1 + n // 3}.{n % 3}" for n in range(deepest - 1)), "linear"]
    rows = [
        (n, name, 100, 1000, 10, min(1, n / max(1, deepest)), min(1, n / max(1, deepest)))
        for n, name in enumerate(names, 1)
    ]
    columns = ["depth", "unit", "parameters", "multiplications", "outputs"]
    made = pd.DataFrame(rows, columns=[*columns, "parameters_share", "multiplications_share"])
    made.loc[made.index[-1], ["parameters_share", "multiplications_share"]] = float("nan")  # the head has none
    return made


def where(made, **names):
    """Which rows of `made` have these values."""
    found = pd.Series(True, index=made.index)
    for name, value in names.items():
        found &= made[name] == value
    return found


def _cases():
    whole = table()
    both = table(["random0", "natman", "near0", "whole"], (*EVERY, "random"))
    yield "every group", whole
    yield "every kind of halves", both
    for group in (*EVERY, "random"):
        yield f"only {group}", table(["random0", "whole"], [group])
        if group != "base":
            yield f"only {group} and base", table(["random0", "whole"], [group, "base"])
        mine = whole if group != "random" else both
        treatment, random = _treatment(group), group == "random"
        chosen = (mine["treatment"] == treatment) & ((mine["source"] == "random") == random)
        if group in CURVES:
            chosen &= (mine["source"] != mine["target"]) == CURVES[group][0]
        yield f"all {group} diverged", diverged(mine, chosen)
    yield "all diverged", diverged(whole)
    yield "all of every kind diverged", diverged(both)
    yield "all at chance", diverged(whole, cause="chance")
    yield "all curves diverged", diverged(whole, whole["treatment"] != "base")
    yield "one base diverged", diverged(whole, where(whole, treatment="base", target="A"))
    yield "one depth diverged", diverged(whole, where(whole, depth=4))
    yield "the greatest depth diverged", diverged(whole, where(whole, depth=7))
    yield "one target diverged", diverged(whole, where(whole, target="B"))
    yield "all but one network diverged", diverged(whole, whole.index > 0)
    yield "four lines, all diverged", diverged(table(depths=[3], groups=["base", "AnB"]))
    yield "one network", table(groups=["AnB"], depths=[3], targets="A")
    yield "one base network", table(groups=["base"], targets="A")
    yield "one depth", table(depths=[3])
    yield "one target", table(targets="A")
    yield "selffers of all classes", table(["whole"], ("base", "BnB", "BnB+"))
    yield "three seeds", table(seeds=(0, 1, 2))
    yield "three partitions", table(["random0", "random1", "random2"])
    yield "one kind of halves that is not equal", table(["natman"])
    yield "graded halves", table(["near0", "far1"])
    yield "halves from a CSV", table(["mine"])
    yield "reduced data", table(["whole_first_5_per_class", "whole_first_50_per_class"], ["base"])
    yield "reduced data, diverged", diverged(table(["whole_first_5_per_class"], ["base"]))
    yield "reduced halves", table(["random0_first_5_per_class"])
    few = ["random0_draw_1_per_class", "random0_draw_30_per_class"]
    drawn = table(["random0", *few])
    yield "drawn images", drawn
    yield "drawn images, three seeds", table(["random0", *few], seeds=(0, 1, 2))
    yield "drawn images alone", table(few)
    yield "drawn images of one number", table(few[:1], ("AnB",), depths=[3])
    yield "drawn images, base networks only", table(["whole", "whole_draw_2_per_class"], ["base"])
    yield "drawn images beside sources", pd.concat([table(groups=["base"]), table(few)], ignore_index=True)
    yield "drawn images, diverged", diverged(drawn, drawn["partition"] != "random0")
    yield "drawn images, base networks diverged", diverged(drawn, where(drawn, treatment="base"), cause="chance")
    yield (
        "drawn images of a pretrained source",
        table(["whole", "whole_draw_2_per_class"], ("base", "BnB", *PRETRAINED, "random")),
    )
    yield "drawn images of halves and a pretrained source", table(["natman", few[0]], (*EVERY, *PRETRAINED))
    yield "drawn images with preserved units", preserved(drawn)
    yield "drawn images with preserved units alone", preserved(drawn)[lambda made: made["preserve"] > 0]
    yield "drawn images with norm statistics", with_statistics(drawn, "batch")
    yield "preserved units", preserved(whole)
    yield "preserved units, diverged", diverged(preserved(whole), preserved(whole)["preserve"] > 0)
    yield "preserved units alone", preserved(whole)[lambda made: (made["preserve"] > 0) | (made["depth"] == 0)]
    yield "more preserved units than any", preserved(whole, 5)
    yield "another init", pd.concat([both, both[both["source"] == "random"].assign(init="caffe")])
    everything = table(["whole"], ("base", "BnB", "BnB+", *PRETRAINED, "random"))
    yield "a pretrained source", everything
    yield "a pretrained source without controls", table(["whole"], PRETRAINED)
    yield "a pretrained source without selffers", table(["whole"], ("base", *PRETRAINED))
    yield "a pretrained source, three seeds", table(["whole"], ("base", "BnB", *PRETRAINED), seeds=(0, 1, 2))
    yield "a pretrained source and another half", table(["random0"], (*EVERY, *PRETRAINED, "random"))
    yield "a pretrained source of halves and of all", table(["random0", "natman", "whole"], (*EVERY, *PRETRAINED))
    yield "a pretrained source on reduced data", table(["whole_first_5_per_class"], ("base", "PnB"))
    yield "all of a pretrained source diverged", diverged(everything, everything["source"] == "pretrained")
    yield "a pretrained source with preserved units", preserved(everything)
    yield "deep networks", table(["whole"], ("base", "BnB", "PnB", "PnB+"), depths=tuple(range(1, 53)))
    yield "controls of fine-tuning", table(["random0", "natman"], (*EVERY, *CONTROLS))
    yield "controls of fine-tuning, three seeds", table(["random0"], (*EVERY, *CONTROLS), seeds=(0, 1, 2))
    yield "controls of fine-tuning alone", table(["random0"], ("base", *CONTROLS))
    yield "controls of a pretrained source", table(["whole"], ("base", *PRETRAINED, *CONTROLS[:2], "PnB then +"))
    yield "controls of drawn images", table(["random0", few[0]], (*EVERY, *CONTROLS))
    yield (
        "controls of fine-tuning, diverged",
        diverged(
            controls := table(["random0"], (*EVERY, *CONTROLS)), controls["treatment"].isin(["staged", "base_twice"])
        ),
    )
    yield "norm statistics", with_statistics(whole, "target", "batch")
    yield "norm statistics, three seeds", with_statistics(table(seeds=(0, 1, 2)), "batch")
    yield "norm statistics of a pretrained source", with_statistics(everything, "source", "target", "batch")
    yield (
        "norm statistics without plain curves",
        with_statistics(whole, "batch")[lambda made: (made["norm_statistics"] != "") | (made["depth"] == 0)],
    )
    varied = with_statistics(whole, "batch")
    yield "norm statistics, diverged", diverged(varied, varied["norm_statistics"] != "")
    yield "norm statistics of preserved units", with_statistics(preserved(whole), "batch")
    yield "no spread", table(["random0", "random1"], score=lambda *_: 0.5)
    yield "all right", table(["random0", "random1"], score=lambda *_: 1.0, val_images=4)
    yield "all wrong", table(score=lambda *_: 0.0)
    yield "all right or all wrong", table(score=lambda group, *_: float(group != "AnB"), val_images=1)
    yield "all wrong, three seeds", table(seeds=(0, 1, 2), score=lambda *_: 0.0)
    yield "one validation image", table(val_images=1)
    yield "no numbers of images", whole.drop(columns="val_images")
    yield "nothing but what is required", whole[["partition", "source", "target", "depth", "treatment", SCORE]]
    yield "networks without a score", whole.assign(**{SCORE: whole[SCORE].where(whole["depth"] != 4)})
    yield "only base networks have a score", whole.assign(**{SCORE: whole[SCORE].where(whole["depth"] == 0)})
    yield "only curves have a score", whole.assign(**{SCORE: whole[SCORE].where(whole["depth"] > 0)})
    yield "a cost of nearly nothing", table(score=lambda group, *_: 0.5 - 0.0001 * (group == "AnB"))
    yield "far apart seeds", table(seeds=(0, 1), score=lambda group, target, depth, seed: abs(seed - (group == "AnB")))


ODD_STUDIES = dict(_cases())


def loaded(made, folder):
    """`made` as its results.csv in `folder` and as the steps read it (groups.load_results)."""
    made.to_csv(folder / "results.csv", index=False)
    return load_results(folder / "results.csv")


def readings_of(made, trained=True):
    """Made-up learning curves of the networks of `made`; a network whose loss diverged has readings without a loss."""
    if not set(KEY_COLUMNS) <= set(made):
        return None
    rows = [
        dict(zip(KEY_COLUMNS, (getattr(row, name) for name in KEY_COLUMNS), strict=True))
        | {"iteration": iteration, "top1": getattr(row, SCORE) if trained else 0.0}
        | {"loss": getattr(row, "loss_last", 1.0), "train_loss": getattr(row, "loss_last", 1.0)}
        for row in made.itertuples()
        for iteration in (4, 12)
    ]
    return pd.DataFrame(rows)


def distances_of(made, deepest=7):
    """A made-up distances.csv of the networks of `made` that learn what they copied and did not diverge."""
    names = list(units_of(deepest)["unit"])
    rows = [
        dict(zip(KEY_COLUMNS, (getattr(row, name) for name in KEY_COLUMNS), strict=True))
        | {
            "unit_number": number,
            "unit": names[number - 1],
            "distance": 0.1 * number + 0.05 * (row.source != row.target),
        }
        for row in made[~made["diverged"]].itertuples()
        for number in _learned(row, deepest)
    ]
    return pd.DataFrame(rows, columns=DISTANCE_COLUMNS)


def _learned(row, deepest):
    """The numbers of the copied units of a network that learn; of a base network, those of all units."""
    if row.treatment == "base":
        return range(1, deepest + 1)
    first = row.depth + 1 if row.treatment == "frozen" else 1
    return range(first, min(deepest, row.depth + row.preserve) + 1)


def similarity_of(made, cka=0.5):
    """Made-up tables of compare_bases for the partitions of `made` with transfer, put together."""
    pairs = made[["partition", "seed"]].drop_duplicates().itertuples(index=False, name=None)
    rows = [
        {"partition": partition, "seed": seed, "target": target, "depth": depth, "unit": f"conv{depth}"}
        | {"cka": cka - 0.01 * depth, "cka_untrained": cka / 2, "images": 40}
        for partition, seed in pairs
        for target in "AB"
        for depth in range(1, 8)
    ]
    return pd.DataFrame(rows)
