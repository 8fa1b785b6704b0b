"""What `make ask` says: minutes, the ranking of networks, and errors in the words of the command."""

import csv
import math
from pathlib import Path

# The findings that answer (results/probe_findings.py).
CUT = "Where should the network be cut for a linear classifier?"
ABOVE = "What does training the units above the cut give?"
# What steps and checks say of a study's keys.
IN_OTHER_WORDS = {
    "or give a file.": "or give a file: make ask WEIGHTS=file.safetensors.",
    "training.architecture: ": "NETWORK: ",
    "training.pretrained: ": "WEIGHTS: ",
}
HEADER = ("", "network", "cut after", "accuracy, %", "ms an image", "last unit, %", "ms an image")


def minutes_in_words(minutes: float) -> str:
    """As in: about 3 minutes."""
    whole = max(1, math.ceil(minutes))
    return f"about {whole} minute{'s' * (whole != 1)}"


def in_the_commands_words(text: str) -> str:
    """An error of a step or check, without the keys of a study that the user has not written."""
    for words, others in IN_OTHER_WORDS.items():
        text = text.replace(words, others)
    return text


def ranking_text(table: Path) -> str:
    """The table of report.rank_networks in columns for a terminal."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = [_cells(number, row) for number, row in enumerate(csv.DictReader(file), start=1)]
    widths = [max(len(row[column]) for row in (HEADER, *rows)) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (HEADER, *rows)
    )


def _cells(number: int, row: dict[str, str]) -> tuple[str, ...]:
    def accuracy(lead: str) -> str:
        points, low, high = (row[f"{lead}{name}"] for name in ("points", "low", "high"))
        return f"{float(points):.1f}" + (f" ({float(low):.1f} to {float(high):.1f})" if low else "")

    times = [f"{float(row[f'{lead}milliseconds']):.3g}" for lead in ("", "last_")]
    cut = f"{row['unit']} (n = {row['cut']})"
    return f"{number}.", row["network"], cut, accuracy(""), times[0], accuracy("last_"), times[1]
