"""The paper's numbers side by side: from a study, from the published logs, and as printed in the paper."""

from pathlib import Path

import pandas as pd

from workflow_scripts.results.given_tables import read_printed_numbers
from workflow_scripts.results.groups import equal_halves, in_families, main_variant, not_diverged, undrawn
from workflow_scripts.results.tables import boost_table, reduced_curve
from workflow_scripts.study.columns import PRINTED_COLUMNS, SCORE

OVER = {"over_base_points": "base", "over_selffer_points": "BnB+"}
COMPARISON_COLUMNS = ["quantity", "this_study", "published_logs", "printed", "printed_against_logs"]


def comparison_table(results: pd.DataFrame, published: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """One row per quantity of the paper, in percent or points: columns COMPARISON_COLUMNS. NaN where a study lacks the
    networks.

    `printed` has columns quantity, percent and source (read_printed). printed_against_logs says how the two published
    numbers agree. Quantities of `printed` that the published networks do not give come last.
    """
    ours, theirs = quantities(results), quantities(published)
    numbers = printed.set_index("quantity")
    rows = []
    for name in dict.fromkeys([*theirs, *numbers.index]):
        logged = theirs.get(name, float("nan"))
        number = float(numbers["percent"].get(name, float("nan")))
        source = numbers["source"].get(name, "")
        rows.append((name, ours.get(name, float("nan")), logged, number, _agreement(number, logged, source)))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def quantities(results: pd.DataFrame) -> dict[str, float]:
    """The paper's quantities from a results table (groups.load_results), in percent or points of top-1 accuracy."""
    rows = undrawn(not_diverged(main_variant(results)))
    halves = equal_halves(rows)
    found = {"base networks of random halves, mean": _mean(halves[halves["group"] == "base"], SCORE)}
    for boost in boost_table(results).to_dict("records"):
        for column, control in OVER.items():
            found[f"boost of AnB+ over {control}, n = {boost['layers']}, unpaired"] = boost[column]
    natman = rows[in_families(rows, "natman")]
    for target, task in (("A", "natural"), ("B", "man-made")):
        of_target = natman[natman["target"] == target]
        found[f"base network of the {task} half"] = _mean(of_target[of_target["group"] == "base"], SCORE)
        for depth, chosen in of_target[of_target["group"] == "AnB"].groupby("depth"):
            found[f"AnB onto the {task} half, n = {depth}"] = _mean(chosen, SCORE)
    for depth, chosen in rows[rows["group"] == "random"].groupby("depth"):
        found[f"random features, n = {depth}"] = _mean(chosen, SCORE)
    for images, chosen in not_diverged(reduced_curve(results)).groupby("images_per_class"):
        found[f"base network on {images} images a class"] = _mean(chosen, SCORE)
    return found


def read_printed(path: Path) -> pd.DataFrame:
    """The numbers printed in the paper: columns quantity, percent (a number) and source.

    Raises InputError as given_tables.read_printed_numbers.
    """
    return pd.DataFrame(read_printed_numbers(path), columns=PRINTED_COLUMNS)


def _mean(rows: pd.DataFrame, column: str) -> float:
    return float(100 * rows[column].mean())


def _agreement(printed: float, logged: float, source: str) -> str:
    """How a printed number compares with the one from the logs."""
    if pd.isna(printed):
        return "not printed"
    if pd.isna(logged):
        return f"not in the logs: the published networks do not give this quantity ({source})"
    if abs(printed - round(logged, 1)) < 1e-9:
        return f"agree to the one decimal printed: {logged:.2f} in the logs ({source})"
    return f"differ by {printed - logged:+.2f}: the published logs are not all that the paper averaged ({source})"
