"""Whether the dataset is the one that was packed, at the cost of a look at it where it has moved.

Light on purpose: the Snakefile calls this at parse time.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.config.snakemake_notes import NOTES
from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.glance import missing_files
from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json, write_json
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.study.leaves import dataset_leaves
from workflow_scripts.study.paths import shard_files, store_folder


@dataclass(frozen=True)
class DatasetState:
    """`edition` is a text that changes when the dataset holds something else; `missing` are files that are gone."""

    edition: str
    missing: tuple[str, ...] = ()


def is_packed(config: Mapping, placed: Callable[[str], str] = str) -> bool:
    """Whether the study's packed store is whole, so that nothing has to be read from the dataset.

    `placed` gives the place of a path below the working directory.
    """
    store = Path(placed(str(store_folder(config))))
    tables = ("classes.csv", "hierarchy.csv", "split.csv", "quarantine.csv")
    names = (*tables, "survey.json", "dataset.json", "manifest.json")
    files = [
        *(store / name for name in names),
        *(Path(placed(file)) for file in shard_files(config, "u8", "csv", "crc", "json")),
    ]
    if not all(file.exists() for file in files):
        return False
    packed = read_record(store / "manifest.json")["shards"]
    return all(len(packed[split]) == config["store"][f"{split}_shards"] for split in SPLITS)


def dataset_state(dataset: Mapping, store: Path, notes: Path = NOTES) -> DatasetState:
    """The state of the checked section `dataset`, whose packed images are in `store`.

    The edition is that of the survey's dataset.json while the dataset holds the same. Before the survey it is where the
    dataset lies, and for other data what they hold. What a moved dataset holds is kept in `notes`. Raises InputError if
    a file of it cannot be read.
    """
    path, note = dataset["path"], store / "dataset.json"
    if dataset["kind"] == "sample":  # its record tracks what was drawn
        return DatasetState("sample")
    surveyed = read_record(note) if note.exists() else None
    if missing := missing_files(dataset_leaves(dataset), path):
        return DatasetState(surveyed["edition"] if surveyed else "", tuple(map(str, missing)))
    place = dataset_place(dataset_leaves(dataset), path)
    if surveyed is None:
        return DatasetState(json.dumps(place, sort_keys=True))
    content = _content(place, path, surveyed, notes / f"dataset-{dataset['name']}-{store.name}.json")
    return DatasetState(surveyed["edition"] if content == surveyed["content"] else content)


def _content(place: dict, path: str, surveyed: dict, seen_note: Path) -> str:
    """What the dataset holds, looked at only if it does not lie where it was last seen.

    `seen_note` is about a dataset that has moved since it was `surveyed`.
    """
    last = surveyed
    with contextlib.suppress(InputError):  # not there, or damaged
        if (seen := read_json(seen_note)).get("surveyed") == surveyed["seal"]:
            last = seen
    if last["place"] == place:
        return last["content"]
    try:
        content = dataset_content(place["dataset"], path)
    except OSError as error:
        raise InputError(
            f"configuration: dataset.path: {error.filename} cannot be read ({error.strerror}). Check its permissions."
        ) from None
    with contextlib.suppress(OSError):  # nothing can be written: it is looked at again the next time
        write_json(seen_note, {"surveyed": surveyed["seal"], "place": place, "content": content})
    return content
