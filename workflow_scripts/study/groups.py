"""Which depths of a curve one job trains. Light on purpose: the Snakefile calls this at parse time."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

AUTO = "auto"  # running.depths_per_job: the number that ends first on running.devices
RECORD = re.compile(r"depths-(\d+(?:-\d+)*)\.json")
Group = tuple[int, ...]


def groups_of(depths: Iterable[int], size: int, made: Iterable[Iterable[int]] = ()) -> list[Group]:
    """`depths` of a curve as jobs of at most `size` depths, sorted. The groups in `made` stay together, largest first.

    While the jobs of such groups finish one after the other, and each joins `made`, the groups stay the same.
    """
    left, groups = set(depths), []
    for group in sorted(map(tuple, made), key=lambda group: (-len(group), group)):
        if left.issuperset(group):
            groups.append(group)
            left.difference_update(group)
    rest = sorted(left)
    return sorted(groups + [tuple(rest[start : start + size]) for start in range(0, len(rest), size)])


def made_groups(results: Path) -> dict[str, list[Group]]:
    """The depths of each record in a study's results directory, by the folder of its curve below `curves/`."""
    made: dict[str, list[Group]] = {}
    for path in sorted((results / "curves").glob("*/*/*/depths-*.json")):
        if match := RECORD.fullmatch(path.name):
            folder = path.parent.relative_to(results / "curves").as_posix()
            made.setdefault(folder, []).append(tuple(map(int, match[1].split("-"))))
    return made


def with_groups(config: Mapping, size: int, made: Mapping[str, Iterable[Iterable[int]]]) -> dict:
    """A configuration, or leaves of one, with jobs of `size` depths where `made` has no other (made_groups)."""
    running = {key: value for key, value in config["running"].items() if key != "made"}
    kept = {folder: sorted(map(list, groups)) for folder, groups in sorted(made.items())}
    return {**config, "running": running | {"depths_per_job": size} | ({"made": kept} if kept else {})}
