"""Checks a configuration file (YAML or JSON) before Snakemake loads it.

Snakemake would load some mistakes in silence, and refuse others without naming the place. Light on purpose: the
Snakefile calls this at parse time.
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import yaml

from workflow_scripts.config.extent import Named, check_extent
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.text_file import UTF_8, read_text

MAX_BYTES = 300_000


def check_config_file(path: Path) -> None:
    """Raise InputError naming the file, and where it can the line, unless `path` holds one YAML or JSON mapping.

    Keys that are twice in a section are refused too, since Snakemake would take the last. So are aliases that contain
    themselves or multiply (extent.check_extent), and tags of other languages' objects.
    """
    text = _text(path)
    try:
        if not _is_json(path, text):
            _check_yaml(path, text)
    except RecursionError:
        raise InputError(
            f"configuration: {path}: it is nested too deeply. Write it as config.yaml is written."
        ) from None


def _text(path: Path) -> str:
    try:
        return read_text(path, MAX_BYTES, UTF_8)  # Snakemake reads no other encoding
    except InputError as error:
        raise InputError(f"configuration: {error}") from None


def _is_json(path: Path, text: str) -> bool:
    """Whether Snakemake takes the file as JSON, which it tries first."""

    def section(pairs: list[tuple[str, object]]) -> dict:
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1:
                raise InputError(f"configuration: {path}: {name} stands here twice. Keep one.")
        return dict(pairs)

    try:
        return isinstance(json.loads(text, object_pairs_hook=section), dict)
    except ValueError:
        return False


def _check_yaml(path: Path, text: str) -> None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"configuration: {path}: it has no keys at its top level. Write `key: value` lines.")
        check_extent((f"{path}, line 1", root), _node_parts(path), lambda _, node: _check_keys(path, node))
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(f"configuration: {path}, line {mark.line + 1}: {error.problem}. Fix the YAML there.") from None
    except (yaml.YAMLError, ValueError) as error:  # unprintable characters; a date that cannot be, a number too long
        raise InputError(f"configuration: {path}: it is not valid YAML ({error}). Fix it.") from None


def _node_parts(path: Path) -> Callable[[str, object], list[Named]]:
    """For check_extent: what is directly in a YAML node, by its line; an alias is the node that it names."""

    def parts(_: str, node: object) -> list[Named]:
        if isinstance(node, yaml.MappingNode):
            nodes = [value for _, value in node.value]
        else:
            nodes = node.value if isinstance(node, yaml.SequenceNode) else []
        own = node.start_mark.line  # an alias names a node that stands further up
        return [(f"{path}, line {max(own, item.start_mark.line) + 1}", item) for item in nodes]

    return parts


def _check_keys(path: Path, node: object) -> None:
    """Raise InputError if a key of the section `node` is not plain text or stands there twice."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, _ in node.value:
        line = f"configuration: {path}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{line}: a list or section cannot be a key. Give the key a name.")
        if key.value in seen:
            raise InputError(f"{line}: {key.value} stands here twice. Keep one.")
        seen.add(key.value)
