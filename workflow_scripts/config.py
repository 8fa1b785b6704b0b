"""Checking a study's configuration: its JSON schema, then what a schema cannot say. One line per mistake.

Light on purpose: the Snakefile calls this at parse time.
"""

import difflib
import math
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import yaml

from workflow_scripts.architectures import ARCHITECTURES, layer_costs
from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ilsvrc_files
from workflow_scripts.partition_names import NEEDS_HIERARCHY, parse_partition
from workflow_scripts.seals import read_record


def check_config(config: dict, schema: Path) -> None:
    """Raise InputError naming the first offending key, unless `config` is a valid study."""
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    errors = sorted(validator.iter_errors(config), key=lambda error: (len(error.absolute_path), error.json_path))
    if errors:
        raise InputError(_message(errors[0]))
    _check_finite("", config)
    _check_tables(config)
    _check_sample(config["dataset"])
    _check_training(config)
    for number, entry in enumerate(config["matrix"]):
        _check_entry(f"matrix[{number}]", entry, config)


def check_duplicates(path: Path) -> None:
    """Raise InputError if a key stands twice in a section of the YAML file; YAML would take the last one in silence."""

    def walk(node: yaml.Node | None) -> None:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        seen: set[str] = set()
        for key, value in pairs:
            if key.value in seen:
                raise InputError(
                    f"configuration: {path}, line {key.start_mark.line + 1}: {key.value} stands here twice"
                )
            seen.add(key.value)
            walk(value)
        for item in node.value if isinstance(node, yaml.SequenceNode) else []:
            walk(item)

    walk(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))


def check_dataset(dataset: dict) -> None:
    """Raise InputError if the files that the checked section `dataset` names are not there (the sample is drawn)."""
    path = Path(dataset["path"])
    wanted = {"sample": [], "folder": [path], "ilsvrc": ilsvrc_files(path)}
    for file in wanted[dataset["kind"]]:
        if not file.exists():
            raise InputError(f"configuration: dataset.path: {file} does not exist; put it there or correct the path")


def check_store(store: Path, max_bad_fraction: float) -> None:
    """Raise InputError if the manifest of the finished `store` is damaged, or a shard of it, which another study may
    have packed, has too many undecodable images.
    """
    if not (store / "manifest.json").exists():
        return
    for shards in read_record(store / "manifest.json")["shards"].values():
        for shard in shards:
            if shard["quarantined"] > max_bad_fraction * (shard["images"] + shard["quarantined"]):
                raise InputError(
                    f"configuration: store.max_bad_fraction: more than {max_bad_fraction:g} of {store}/{shard['file']} "
                    f"could not be decoded ({shard['quarantined']} images, see quarantine.csv there); mend them and "
                    "delete that folder, or raise it"
                )


def _message(error: jsonschema.ValidationError) -> str:
    key = error.json_path.removeprefix("$").lstrip(".")
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        unknown = sorted(set(error.instance) - set(known))[0]
        close = difflib.get_close_matches(str(unknown), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"configuration: unknown key {'.'.join(filter(None, [key, str(unknown)]))}; {hint}"
    text = f"configuration: {key or 'the file'}: {error.message}"
    description = error.schema.get("description") if isinstance(error.schema, dict) else None
    return f"{text} ({' '.join(description.split())})" if description else text


def _check_finite(key: str, value: object) -> None:
    """YAML's .inf and .nan pass a schema's limits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"configuration: {key}: {value} is no finite number")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        _check_finite(f"{key}[{name}]" if isinstance(value, list) else f"{key}.{name}".lstrip("."), item)


def _check_tables(config: dict) -> None:
    """The tables that results are taken from, or compared with, are there."""
    named = {"results_table": config["results_table"]}
    named |= {f"reference.{key}": path for key, path in (config["reference"] or {}).items()}
    for key, path in named.items():
        if path is not None and not Path(path).is_file():
            raise InputError(f"configuration: {key}: {path} does not exist; correct the path or set it to null")


def _check_sample(dataset: dict) -> None:
    """The sample is drawn to one place only, so that it can never overwrite a user's archives."""
    drawn = f"data/{dataset['name']}/archives"
    if dataset["kind"] == "sample" and dataset["path"] != drawn:
        raise InputError(
            f"configuration: dataset.path: the sample is drawn into {drawn}, not {dataset['path']}; for images of your "
            "own set dataset.kind to ilsvrc or folder"
        )


def _check_training(config: dict) -> None:
    training = config["training"]
    if training["crop"] > config["store"]["image_size"]:
        raise InputError(f"configuration: training.crop: {training['crop']} is larger than store.image_size")
    try:
        layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], classes=2)
    except ValueError as error:
        raise InputError(f"configuration: training.crop: {error}") from None
    if (gpus := training["gpus_per_job"]) > 1:
        wrong = {
            "training.device is cpu": training["device"] != "cuda",
            f"training.batch_size is only {training['batch_size']}": training["batch_size"] < gpus,
            "training.jobs_per_gpu is above 1": training["jobs_per_gpu"] > 1,
        }
        for why in (why for why, holds in wrong.items() if holds):
            raise InputError(f"configuration: training.gpus_per_job: {gpus} cannot be, since {why}")


def _check_entry(key: str, entry: dict, config: dict) -> None:
    _check_partition(key, entry, config)
    layers = len(ARCHITECTURES[config["training"]["architecture"]]())
    depths: Sequence[int] = entry.get("depths", config["depths"])
    preserve = entry.get("preserve", 0)
    if max(depths) + preserve >= layers:
        where = f"{key}.depths" if "depths" in entry else "depths"
        preserved = f" with {preserve} preserved layers above (give this entry its own depths)" if preserve else ""
        raise InputError(
            f"configuration: {where}: {max(depths)} is too deep{preserved}; {config['training']['architecture']} has "
            f"{layers} layers, of which at most {layers - 1} can be copied"
        )
    if preserve and (entry.get("random") or "finetuned" in [*entry.get("selffer", []), *entry.get("transfer", [])]):
        raise InputError(
            f"configuration: {key}.preserve: goes with frozen selffer and transfer curves; where all copied layers "
            "learn, or are random, it means nothing: give the others an entry of their own"
        )
    halves = set(parse_partition(entry["partition"]).halves)
    if wrong := set(entry.get("targets", halves)) - halves:
        raise InputError(f"configuration: {key}.targets: {min(wrong)} is no half of partition {entry['partition']}")
    if halves == {"whole"} and entry.get("transfer"):
        raise InputError(f"configuration: {key}.transfer: partition {entry['partition']} has no other half")


def _check_partition(key: str, entry: dict, config: dict) -> None:
    name, csv = entry["partition"], entry.get("csv")
    parsed = parse_partition(name)
    family, seeded = parsed.family, parsed.seed is not None
    if csv is not None:
        if family == "whole" or seeded:
            raise InputError(f"configuration: {key}.csv: partition {name} is not read from a CSV; choose another name")
        if not Path(csv).is_file():
            raise InputError(f"configuration: {key}.csv: {csv} does not exist")
    elif family in NEEDS_HIERARCHY and config["dataset"]["kind"] == "folder":
        raise InputError(
            f"configuration: {key}: partition {name} needs a hierarchy of classes, which a folder dataset has not; "
            "give its halves as csv"
        )
    elif family == "natman":
        extra = config["natman"]["extra_artifacts"]
        if extra is not None and not Path(extra).is_file():
            raise InputError(f"configuration: natman.extra_artifacts: {extra} does not exist")
    elif family != "whole" and not seeded:
        raise InputError(
            f"configuration: {key}.partition: {name} is not random<seed>, near<seed>, middle<seed>, far<seed>, natman "
            "or whole and has no csv"
        )
    csvs = {other.get("csv") for other in config["matrix"] if other["partition"] == name}
    if len(csvs) > 1:
        raise InputError(f"configuration: {key}.csv: partition {name} is given different csv files")
