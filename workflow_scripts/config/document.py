"""Step: write the page that explains every key of a configuration, from its JSON schema and the default study."""

import argparse
import math
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from workflow_scripts.config.file import check_config_file
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text

GENERATED = """\
This page is generated from `schemas/config.schema.yaml` and `config.yaml`. Do not edit it.
`make docs` writes it with this command:

```
.venv/bin/python -m workflow_scripts.config.document \\
  --schema schemas/config.schema.yaml --defaults config.yaml --output docs/configuration.md
```"""
TABLE_COLUMNS = ("key", "what it is", "allowed values", "default")
TYPES = {
    "array": "list",
    "boolean": "`true` or `false`",
    "integer": "integer",
    "null": "`null`",
    "number": "number",
    "object": "section of the keys below",
    "string": "text",
}
WORD = re.compile(r"\^([a-z]+)\$")
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "{} or more characters",
    "maxLength": "at most {} characters",
    "minItems": "{} or more items",
    "uniqueItems": "all different",
}


def document(schema: dict, defaults: dict) -> str:
    """The page in Markdown: a section per key at the top level of `schema`, with the values of `defaults`, config.yaml.

    A key that `defaults` lacks is said to be required or not set.
    """
    definitions = schema.get("$defs", {})
    parts = ["# Configuration", _paragraph(schema), GENERATED]
    for name, value in schema["properties"].items():
        rows = list(_rows("", name, schema, defaults, definitions))
        parts.append(f"## {name}")
        if "properties" in value:  # its own row would only repeat the prose
            parts.append(_paragraph(value))
            rows = rows[1:]
        parts.append(_table(rows))
    return "\n\n".join(parts) + "\n"


def _rows(lead: str, name: str, section: dict, values: dict, definitions: dict) -> Iterator[tuple[str, ...]]:
    """The table's cells for the key `name` of `section`, whose keys begin with `lead`, and for all keys below it."""
    schema, key = section["properties"][name], f"{lead}{name}"
    items = schema.get("items", {})
    default = "see below" if isinstance(values.get(name), dict) else _default(name, section, values)
    yield f"`{key}`", _prose(schema), _allowed(schema, definitions), default
    for inner in schema.get("properties", {}):
        yield from _rows(f"{key}.", inner, schema, values.get(name) or {}, definitions)
    for inner in items.get("properties", {}):
        yield from _rows(f"{key}[].", inner, items, {}, definitions)


def _default(name: str, section: dict, values: dict) -> str:
    if name in values:
        return _code(values[name])
    return "required" if name in section.get("required", []) else "not set"


def _code(value: object) -> str:
    """The value as one writes it in YAML."""
    # In a list even a lone word is written without YAML's document end.
    text = yaml.safe_dump([value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf)
    return f"`{text.strip()[1:-1]}`"


def _allowed(schema: dict, definitions: dict) -> str:
    """What the schema lets a value be, in words; patterns are left to descriptions."""
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        return _prose(target) or _allowed(target, definitions)
    if "enum" in schema:
        return _choice(map(_code, schema["enum"]))
    if "anyOf" in schema:
        return _choice(_allowed(option, definitions) for option in schema["anyOf"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    limits = f" ({', '.join(_limits(schema))})" if any(key in schema for key in LIMITS) else ""
    items = f", each item: {_allowed(schema['items'], definitions)}" if "items" in schema else ""
    word = WORD.fullmatch(schema.get("pattern", ""))  # all that a text may be
    bare = {"null": TYPES["null"]} | ({"string": _code(word[1])} if word else {})
    return _choice(bare.get(kind, TYPES[kind] + limits + items) for kind in types)


def _limits(schema: dict) -> Iterator[str]:
    """The limits of `schema` in words, a range as one."""
    span = {"minimum", "maximum"} if schema.keys() >= {"minimum", "maximum"} else set()
    if span:
        yield f"{schema['minimum']} to {schema['maximum']}"
    yield from (words.format(schema[key]) for key, words in LIMITS.items() if key in schema and key not in span)


def _choice(options: Iterable[str]) -> str:
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


def _prose(schema: dict) -> str:
    """The description on one line."""
    return " ".join(schema.get("description", "").split())


def _paragraph(schema: dict) -> str:
    """The description in lines of at most 120 characters."""
    return textwrap.fill(_prose(schema), 120, break_long_words=False, break_on_hyphens=False)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; a bar in a cell would end it, so it is escaped."""
    lines = [
        TABLE_COLUMNS,
        ("---",) * len(TABLE_COLUMNS),
        *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _read(path: Path) -> dict:
    check_config_file(path)
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schema", type=Path, required=True)
    parser.add_argument("--defaults", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    write_text(args.output, document(_read(args.schema), _read(args.defaults)))


if __name__ == "__main__":
    cli.run(main)
