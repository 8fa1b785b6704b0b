"""A configuration file as YAML (or JSON), checked before Snakemake takes it: what it would load in silence, or refuse
without saying where.

Light on purpose: the Snakefile calls this at parse time.
"""

import json
from collections import Counter
from pathlib import Path

import yaml

from workflow_scripts.cli import InputError

MAX_BYTES = 300_000
MAX_VALUES = 20_000  # of a file, aliases written out; a few YAML aliases of aliases can stand for billions


def check_config_file(path: Path) -> None:
    """Raise InputError naming the file, and where it can the line, unless `path` holds one YAML or JSON mapping.

    Refused are also keys that stand twice in a section, of which the last would be taken, aliases that contain
    themselves or stand for more than MAX_VALUES values, and tags of other languages' objects.
    """
    text = _text(path)
    try:
        if not _is_json(path, text):
            _check_yaml(path, text)
    except RecursionError:
        raise InputError(f"configuration: {path} is nested too deeply; a study has sections in sections") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"configuration: {path} has more than {MAX_BYTES:,} bytes, which no configuration needs")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"configuration: {path} is no UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"configuration: {path} cannot be read: {error.strerror}") from None


def _is_json(path: Path, text: str) -> bool:
    """Whether Snakemake takes the file as JSON, which it tries first."""

    def section(pairs: list[tuple[str, object]]) -> dict:
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1:
                raise InputError(f"configuration: {path}: {name} stands here twice; keep one")
        return dict(pairs)

    try:
        return isinstance(json.loads(text, object_pairs_hook=section), dict)
    except ValueError:
        return False


def _check_yaml(path: Path, text: str) -> None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"configuration: {path} has no keys at its top level; write `key: value` lines")
        _count_values(path, root, {})
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(f"configuration: {path}, line {mark.line + 1}: {error.problem}; mend the YAML there") from None
    except (yaml.YAMLError, ValueError) as error:  # unprintable characters; a date that cannot be, a number too long
        raise InputError(f"configuration: {path} is no valid YAML: {error}") from None


def _count_values(path: Path, node: yaml.Node, counts: dict[int, int]) -> int:
    """The values below `node`, aliases written out; `counts` has those of nodes by id, 0 while they are counted."""
    line = f"configuration: {path}, line {node.start_mark.line + 1}"
    if counts.get(id(node)) == 0:
        raise InputError(f"{line}: an alias stands inside what it is an alias of; write the value out")
    if id(node) not in counts:
        counts[id(node)] = 0
        if isinstance(node, yaml.MappingNode):
            _check_keys(path, node)
            children = [value for _, value in node.value]
        else:
            children = node.value if isinstance(node, yaml.SequenceNode) else []
        counts[id(node)] = 1 + sum(_count_values(path, child, counts) for child in children)
        if counts[id(node)] > MAX_VALUES:
            raise InputError(f"{line}: aliases stand for more than {MAX_VALUES:,} values; write out what is needed")
    return counts[id(node)]


def _check_keys(path: Path, section: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in section.value:
        line = f"configuration: {path}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{line}: a list or section cannot be a key")
        if key.value in seen:
            raise InputError(f"{line}: {key.value} stands here twice; keep one")
        seen.add(key.value)
