"""Checks of the section `dataset` that need no look at the data. Light on purpose: the Snakefile calls this."""

from workflow_scripts.config.resources import SAMPLE_CLASS_COUNT
from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import same_place
from workflow_scripts.study.leaves import DATASET_LEAVES


def check_sample(key: str, dataset: dict, store: dict) -> None:
    """Raise InputError if the sample would be drawn where a user's archives may be, or if a shard would be empty."""
    if dataset["kind"] != "sample":
        return
    drawn = f"data/{dataset['name']}/archives"
    if not same_place(dataset["path"], drawn):
        raise InputError(
            f"configuration: {key}.path: the sample is drawn into {drawn}, not {dataset['path']}. Write that path, "
            f"or set {key}.kind to ilsvrc or folder for images of your own."
        )
    most = {"train": SAMPLE_CLASS_COUNT, "val": SAMPLE_CLASS_COUNT * dataset["sample"]["val_per_class"]}
    for split in SPLITS:
        if store[f"{split}_shards"] > most[split]:
            raise InputError(
                f"configuration: store.{split}_shards: {store[f'{split}_shards']} shards would leave some empty. "
                f"Lower it to {most[split]} or less."
            )


def check_reading(key: str, dataset: dict) -> None:
    """Raise InputError for a key that the dataset's kind would ignore, and for a split that says two things or none."""
    kinds = {leaf: [kind for kind, leaves in DATASET_LEAVES.items() if leaf in leaves] for leaf in dataset}
    for leaf, its_kinds in kinds.items():
        if its_kinds and dataset[leaf] and dataset["kind"] not in its_kinds:
            *others, last = its_kinds
            in_words = f"{', '.join(others)} and {last}" if others else last
            raise InputError(
                f"configuration: {key}.{leaf}: it is for kind {in_words}, not {dataset['kind']}. Remove the key."
            )
    split = dataset["split"] or {}
    given = [leaf for leaf in ("val_per_class", "val_fraction") if split.get(leaf) is not None]
    if dataset["split"] is not None and len(given) != 1:
        raise InputError(
            f"configuration: {key}.split: it has {' and '.join(given) or 'neither val_per_class nor val_fraction'}. "
            "Give one of them."
        )
