"""The tables of names that a survey writes: classes.csv and hierarchy.csv."""

from pathlib import Path

import pandas as pd

from workflow_scripts.dataset.dataset import ClassList


def class_tables(classes: ClassList) -> tuple[pd.DataFrame, pd.DataFrame]:
    """classes.csv and hierarchy.csv as tables."""
    table = pd.DataFrame({"class": classes.names, "words": classes.words})
    table.index.name = "class_index"
    return table, pd.DataFrame(classes.edges, columns=["parent", "child"])


def read_classes(classes: str | Path, hierarchy: str | Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of the classes in order, and the edges (parent, child) above them, from files of class_tables."""
    edges = read_names(hierarchy).itertuples(index=False, name=None)
    return list(read_names(classes)["class"]), list(edges)


def read_names(path: str | Path) -> pd.DataFrame:
    """A CSV of names (classes.csv, hierarchy.csv, halves) with every cell as text, since a class may be called NA."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)
