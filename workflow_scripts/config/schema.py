"""A configuration against its JSON schema, and against what a schema cannot say of any value. One line per mistake.

Light on purpose: the Snakefile calls this at parse time.
"""

import datetime
import difflib
import functools
import math
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import yaml

from workflow_scripts.config.extent import check_extent
from workflow_scripts.plumbing.cli import InputError, check_utf_8

MAX_INTEGER = 10**18
SHOWN_KEYS = 6  # at most, where a key is unknown: the remedy must fit into the end of a long line (plumbing.cli)


def _is_integer(_: object, value: object) -> bool:
    """Whether `value` is an int. JSON schema's integers include 64.0, which cannot count images or name a file."""
    return isinstance(value, int) and not isinstance(value, bool)


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@functools.cache
def read_schema(path: Path) -> dict:
    """The JSON schema in the file `path`, read once. Do not change it."""
    safe_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C it takes a tenth of the time, at every start
    return safe_loader(path.read_text(encoding="utf-8")).get_single_data()


def check_types(config: Mapping, schema: Path) -> None:
    """Raise InputError naming the first key of `config` that the JSON schema in the file `schema` refuses."""
    validator = Validator(read_schema(schema))
    errors = sorted(validator.iter_errors(config), key=lambda error: (len(error.absolute_path), error.json_path))
    if errors:
        raise InputError(_message(errors[0], validator.schema))


def check_sizes(config: Mapping) -> None:
    """Raise InputError naming the first section that holds more than a study can have, or a value that none has."""
    for key, section in config.items():
        check_extent((str(key), section), _items, _check_value)


def _message(error: jsonschema.ValidationError, schema: dict) -> str:
    key = error.json_path.removeprefix("$").lstrip(".")
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        unknown = min(str(name) for name in set(error.instance) - set(known))
        close = difflib.get_close_matches(unknown, known, n=1) or _sections_with(unknown, schema)
        hint = f"Did you mean {' or '.join(close)}?" if close else _known_keys(unknown, known)
        return f"configuration: {'.'.join(filter(None, [key, unknown]))}: the key is unknown. {hint}"
    description = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    said = error.message
    if _is_date(error.instance):
        said = said.replace(repr(error.instance), str(error.instance))
    if error.validator == "pattern" and isinstance(kinds := error.schema["type"], list) and kinds != ["string", "null"]:
        said = f"{error.instance!r} is not of type {kinds[0]!r}, nor {error.validator_value.strip('^$')}"
    return f"configuration: {key or 'the file'}: {said}. {_remedy(error)} {' '.join(description.split())}".strip()


def _known_keys(unknown: str, known: list[str]) -> str:
    """The remedy for an `unknown` key that is like none of those `known`: all of them, or the closest of many."""
    if len(known) <= SHOWN_KEYS:
        return f"Known keys are {', '.join(known)}."
    closest = difflib.get_close_matches(unknown, known, n=SHOWN_KEYS, cutoff=0)
    return f"Of {len(known)} known keys the closest are {', '.join(closest)}. docs/configuration.md has them all."


def _remedy(error: jsonschema.ValidationError) -> str:
    wanted = set(_types(error)) if error.validator == "type" else set()
    if error.validator == "pattern" and isinstance(error.schema["type"], list):
        wanted = {*error.schema["type"]} - {"string"}
    if isinstance(error.instance, str) and {"array", "object"} & wanted:
        return "Write a list as [a, b] and a section as {key: value}."
    if "string" in wanted and (isinstance(error.instance, int | float) or _is_date(error.instance)):
        return "Put it in quotes, since YAML takes it for something other than text."
    return "Correct it."


def _is_date(value: object) -> bool:
    """Whether YAML took `value` for a date or a time."""
    return isinstance(value, datetime.date)


def _types(error: jsonschema.ValidationError) -> list[str]:
    wanted = error.validator_value
    return [wanted] if isinstance(wanted, str) else wanted


def _sections_with(key: str, schema: dict) -> list[str]:
    """The keys called `key` of the sections at the top level, led by their section."""
    sections = schema["properties"].items()
    return sorted(f"{section}.{key}" for section, value in sections if key in value.get("properties", {}))


def _check_value(key: str, value: object) -> None:
    """Refuse text that cannot be the name of a file here, and numbers that pass a schema's limits.

    These are YAML's .inf and .nan, and integers too long to print.
    """
    if isinstance(value, str) and not value.isascii():
        _check_text(key, value)
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise InputError(f"configuration: {key}: the number is beyond {MAX_INTEGER:.0e}. Correct it.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"configuration: {key}: {value} is not a finite number. Correct it.")


def _check_text(key: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"configuration: {key}: {value!a} is not UTF-8 text. Rename what it names.") from None
    check_utf_8(f"configuration: {key}: the letters of {value!a}")


def _items(key: str, value: object) -> list[tuple[str, object]]:
    """The items directly in the section or list `key`, by their full keys; none for other values."""
    if isinstance(value, dict):
        return [(f"{key}.{name}".lstrip("."), item) for name, item in value.items()]
    return (
        [(f"{key}[{name}]", item) for name, item in enumerate(value)] if isinstance(value, list | tuple | set) else []
    )
