"""The configuration page: the file in docs/ is what its step makes of the schema and config.yaml."""

import copy
import re
import subprocess

import pytest
import yaml
from helpers import PYTHON, ROOT

from workflow_scripts.config.document import document

SCHEMA = yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PAGE = ROOT / "docs" / "configuration.md"


def leaves(section, lead=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{lead}{key}.")
        else:
            yield f"{lead}{key}", value


def cells_of(page):
    """What a page says of each key: what it is, allowed values, default."""
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {key.strip("`"): rest for key, *rest in rows}


def page_of(key_schema, defaults):
    """The cells of the key `k` with this schema in a configuration of one key."""
    return cells_of(document({"description": "A test.", "properties": {"k": key_schema}}, defaults))["k"]


def test_the_page_in_docs_is_up_to_date():
    assert document(SCHEMA, DEFAULTS) == PAGE.read_text(encoding="utf-8"), "run make docs"


def test_the_command_on_the_page_writes_it(tmp_path):
    command = re.search(r"```\n\S+python (.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    *arguments, output = command.replace("\\\n", " ").split()
    assert ROOT / output == PAGE
    subprocess.run([PYTHON, *arguments, tmp_path / "page.md"], cwd=ROOT, check=True)
    assert (tmp_path / "page.md").read_bytes() == PAGE.read_bytes()


@pytest.mark.parametrize(("key", "value"), [*leaves(DEFAULTS)], ids=lambda value: str(value)[:40])
def test_every_leaf_has_a_row_with_its_default(key, value):
    default = cells_of(PAGE.read_text(encoding="utf-8"))[key][-1]
    assert yaml.safe_load(default.strip("`")) == value


def test_every_key_of_a_matrix_entry_has_a_row():
    cells = cells_of(PAGE.read_text(encoding="utf-8"))
    for key in SCHEMA["properties"]["matrix"]["items"]["properties"]:
        assert cells[f"matrix[].{key}"][-1] == ("required" if key == "partition" else "not set")


def test_every_key_is_described_and_says_what_it_may_be():
    for key, (description, allowed, default) in cells_of(PAGE.read_text(encoding="utf-8")).items():
        assert description and allowed and default, key


def test_placeholders_are_not_lost_as_html():
    prose = re.sub(r"`[^`]*`", "", PAGE.read_text(encoding="utf-8"))
    assert "<" not in prose


def test_a_bar_in_a_description_is_escaped():
    schema = copy.deepcopy(SCHEMA)
    schema["properties"]["training"]["properties"]["crop"]["description"] = "Either | or."
    page = document(schema, DEFAULTS)
    assert "| `training.crop` | Either \\| or. | integer (8 to 1024) or `auto` | `auto` |" in page


@pytest.mark.parametrize(
    ("schema", "allowed"),
    [
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number (above 0, at most 1)"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number (at least 0, below 1)"),
        ({"type": ["integer", "null"], "minimum": 0, "maximum": 9}, "integer (0 to 9) or `null`"),
        ({"type": "string", "pattern": "^a+$", "minLength": 1}, "text (1 or more characters)"),
        ({"type": ["integer", "string"], "pattern": "^auto$", "minimum": 1}, "integer (at least 1) or `auto`"),
        ({"enum": ["a", "b", 3]}, "`a`, `b` or `3`"),
        ({"anyOf": [{"type": "boolean"}, {"enum": ["auto"]}]}, "`true` or `false` or `auto`"),
        (
            {"type": "array", "items": {"enum": ["a"]}, "minItems": 1, "uniqueItems": True},
            "list (1 or more items, all different), each item: `a`",
        ),
    ],
)
def test_allowed_values_are_put_into_words(schema, allowed):
    assert page_of({"description": "A key."} | schema, {"k": 1}) == ["A key.", allowed, "`1`"]


def test_a_reference_is_explained_by_the_description_of_its_definition():
    schema = {
        "properties": {"k": {"description": "How long.", "$ref": "#/$defs/length"}},
        "$defs": {"length": {"description": "Hours\nor days.", "anyOf": [{"type": "integer"}]}},
    }
    assert cells_of(document(schema, {"k": "2 days"}))["k"] == ["How long.", "Hours or days.", "`2 days`"]
