"""What a user gave, made a whole configuration: defaults are added, text is read, the workflow's own lists are found.

Light on purpose: the Snakefile calls this at parse time.
"""

import copy
import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from workflow_scripts.config.file import check_config_file
from workflow_scripts.config.network_input import fill_auto
from workflow_scripts.config.paths import expand_paths, path_leaves
from workflow_scripts.config.schema import Validator, check_sizes, read_schema
from workflow_scripts.config.torchvision_checks import fill_root
from workflow_scripts.plumbing.cli import InputError

DEFAULTS, SCHEMA = "config.yaml", "schemas/config.schema.yaml"
READ = (bool, int, float, list, dict, type(None))  # what text may mean; YAML also has dates
SCALARS = (bool, int, float, type(None), datetime.date)
NULLS = {"null", "Null", "NULL", "~"}


def config_files(root: Path, command_line: Sequence[str | Path], module: bool) -> list[str]:
    """The configuration files that the workflow in the folder `root` reads itself: its defaults, then, over them, the
    config.yaml of the working directory.

    A module reads only its defaults: a config.yaml of the working directory is the importing workflow's. Raises
    InputError if one of them or of `command_line`, those of --configfile, is no configuration.
    """
    defaults, own = root / DEFAULTS, Path(DEFAULTS)
    files = [defaults] if module or not own.is_file() else [defaults, own]
    if files[-1].exists() and files[-1].samefile(defaults):
        files = files[-1:]  # by its shorter name
    for path in [*files, *([] if module else map(Path, command_line))]:
        check_config_file(path)
    return list(map(str, files))


def study_config(given: dict, root: Path, module: bool, arguments: Iterable[str] | None) -> dict:
    """The whole configuration, to be checked: Snakemake's `given`, its texts read, its paths expanded, the lists of
    `root` found, and `auto` and the path of a torchvision dataset replaced.

    `root` is the folder of the workflow, and `arguments` are those of --config. Snakemake gives a module what the
    importing workflow says in place of the module's own file, so the defaults are put below it here. Raises InputError
    for more than a study can have, and for a path that cannot be expanded.
    """
    config = with_defaults(root / DEFAULTS, given) if module else given
    fill_datasets(config, root / DEFAULTS)
    read_texts(config, root / SCHEMA, () if module else arguments or ())
    expand_paths(config)
    for section in (config.get("dataset"), *_sections(config.get("datasets"))):
        fill_root(section)
    find_shipped(config, root)
    fill_auto(config)
    return config


def with_defaults(defaults: Path, given: Mapping) -> dict:
    """A new configuration: the file `defaults` with `given` over it. Sections are merged, lists are replaced."""
    return _merged(yaml.safe_load(defaults.read_text(encoding="utf-8")), given)


def _merged(below: object, above: object) -> object:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return copy.deepcopy(above)
    merged = {key: _merged(below.get(key), value) for key, value in above.items()}
    return {key: merged.get(key, value) for key, value in below.items()} | merged


def read_texts(config: dict, schema: Path, arguments: Iterable[str] = ()) -> None:
    """Replace in `config` each text by what it means as YAML, where the JSON schema in the file `schema` wants no text.

    Snakemake hands over text for what stands inside a list or section of --config. `arguments` are those of --config as
    written, `key=value`: a name that looks like a number is text again. What means nothing of the right type stays, and
    check_config names it. Raises InputError for more than a study can have.
    """
    root = read_schema(schema)
    definitions, known = root.get("$defs", {}), root["properties"]
    known = known | {"datasets": known["datasets"] | {"additionalProperties": known["dataset"]}}
    for argument in arguments:
        key, _, text = argument.partition("=")
        wanted = known.get(key)
        misread = isinstance(config.get(key), SCALARS) and wanted and not _valid(config[key], wanted, definitions)
        if text and misread and _valid(text, wanted, definitions):
            config[key] = text  # before the sizes: a name may look like a number beyond them
    check_sizes(config)
    config.update(_read(config, root | {"properties": known}, definitions))
    check_sizes(config)


def _read(value: object, schema: Mapping, definitions: Mapping) -> object:
    """`value` with the texts in it read, as far as `schema` is known."""
    if isinstance(value, str) and (value in NULLS or not _valid(value, schema, definitions)):
        meant = _meant(value)
        if isinstance(meant, READ) and (value not in NULLS or _valid(None, schema, definitions)):
            value = meant
    if isinstance(value, Mapping):
        known, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: _read(item, known.get(key, others), definitions) for key, item in value.items()}
    if isinstance(value, list) and "items" in schema:
        return [_read(item, schema["items"], definitions) for item in value]
    return value


def _valid(value: object, schema: Mapping, definitions: Mapping) -> bool:
    return Validator({**schema, "$defs": definitions}).is_valid(value)


def _meant(text: str) -> object:
    """What `text` means as YAML; the text itself if it is no YAML."""
    try:
        meant = yaml.safe_load(text)
        check_sizes({text: meant})  # aliases may contain themselves
        return float(meant) if isinstance(meant, str) else meant  # YAML takes 1e-3 for text
    except (yaml.YAMLError, ValueError, RecursionError, InputError):
        return text


def fill_datasets(config: dict, defaults: Path) -> None:
    """Give each section of `config`'s datasets its name, and the keys that it lacks from the file `defaults`.

    A sample's path follows from its name. Values of other types stay, and check_config names them.
    """
    datasets = config.setdefault("datasets", {})
    if not isinstance(datasets, dict) or not datasets:  # the file is not read in vain at every start
        return
    default = yaml.safe_load(defaults.read_text(encoding="utf-8"))["dataset"]
    neutral = {key: value for key, value in default.items() if key not in ("name", "kind", "path")}
    for name, section in datasets.items():
        if isinstance(section, dict):
            place = {"path": f"data/{name}/archives"} if section.get("kind") == "sample" else {}
            datasets[name] = copy.deepcopy(neutral) | {"name": name} | place | section


def _sections(datasets: object) -> Iterable[object]:
    return datasets.values() if isinstance(datasets, dict) else ()


def find_shipped(config: dict, root: Path) -> None:
    """Let the paths of lists and tables in `config` that are not below the working directory name those below `root`.

    `root` is the workflow's own folder. A file of the working directory goes first. Values of other types stay.
    """
    for _, section, leaf in path_leaves(config):
        path = section.get(leaf)
        listed = isinstance(path, str) and leaf not in ("path", "root")
        if listed and not Path(path).exists() and (root / path).is_file():
            section[leaf] = str(root / path)
