"""The one reader of lists and tables: marks, line ends, spaces, separators, and refusals that name the line."""

import codecs

import pytest

from workflow_scripts.partition.division import csv_halves
from workflow_scripts.partition.halves import read_artifacts
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.plumbing.names import look_alike
from workflow_scripts.plumbing.text_file import read_lines, read_text

LINES = "n1\nn2\nn3\n"
WRITTEN = {
    "plain": LINES.encode(),
    "mark": codecs.BOM_UTF8 + LINES.encode(),
    "marks inside": codecs.BOM_UTF8 + b"n1\n" + codecs.BOM_UTF8 + b"n2\nn3\n",
    "utf-16": LINES.encode("utf-16"),
    "utf-16-be": codecs.BOM_UTF16_BE + LINES.encode("utf-16-be"),
    "utf-32": LINES.encode("utf-32"),
    "windows": LINES.replace("\n", "\r\n").encode(),
    "old mac": LINES.replace("\n", "\r").encode(),
    "no last line end": b"n1\nn2\nn3",
    "blanks and spaces": b"\n n1 \n\t\nn2\xc2\xa0\n\n\nn3\t\n\n",
    "comments": b"# natural\nn1 # an apple\n#n9\nn2\nn3\n",
}
REFUSED = {
    "latin-1": (
        "n1\ncaf\u00e9\n".encode("latin-1"),
        "line 2: the byte 0xe9 is not UTF-8 text. Save the file as UTF-8.",
    ),
    "old mac, latin-1": ("n1\r\rcaf\u00e9\r".encode("latin-1"), "line 3: the byte 0xe9 is not UTF-8 text"),
    "utf-16 without mark": ("n1\nn2".encode("utf-16-le"), "line 1: it holds a null character"),
    "half a utf-16": (codecs.BOM_UTF16_LE + b"n\0\n\0n", "line 2: the byte 0x6e is not UTF-16 text"),
}
TABLE = "class,half\nape,A\nbee,A\ncat,B\ndog,B\n"
HALVES = {"A": ["ape", "bee"], "B": ["cat", "dog"]}
TABLES = {
    "plain": TABLE,
    "semicolons": TABLE.replace(",", ";"),
    "tabs": TABLE.replace(",", "\t"),
    "sep=": "sep=;\n" + TABLE.replace(",", ";"),
    "quoted": '"class","half"\n"ape","A"\n"bee" , "A"\n"cat","B"\ndog,"B"\n'.replace('" ,', '",'),
    "spaces": " Class , HALF \n ape , A \nbee, A\ncat ,B\ndog\u00a0,B \n",
    "blank lines": "\n" + TABLE.replace("\n", "\n\n ,\n"),
    "empty columns": TABLE.replace("\n", ",,\n"),
    "more columns": "note;class;half\nx, y;ape;a\nz;bee;Natural\n;cat;B\n;dog;MANMADE\n",
    "old mac": TABLE.replace("\n", "\r"),
    "no last line end": TABLE.rstrip("\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_list_is_the_same_however_it_was_written(tmp_path, name):
    (tmp_path / "list.txt").write_bytes(WRITTEN[name])
    assert [line for _, line in read_lines(tmp_path / "list.txt")] == ["n1", "n2", "n3"]
    assert read_artifacts(tmp_path / "list.txt") == {"n1", "n2", "n3"}


def test_lines_keep_their_numbers(tmp_path):
    (tmp_path / "list.txt").write_bytes(WRITTEN["comments"])
    assert [number for number, _ in read_lines(tmp_path / "list.txt")] == [2, 4, 5]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_is_refused_by_line(tmp_path, name):
    content, reason = REFUSED[name]
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_text(tmp_path / "list.txt")
    assert str(caught.value).startswith(f"{tmp_path}/list.txt {reason}")


def test_a_list_that_is_too_long_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("a" * 11)
    with pytest.raises(InputError, match="it has more than 10 bytes"):
        read_text(tmp_path / "list.txt", 10)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_same_however_it_was_written(tmp_path, name, encoding):
    (tmp_path / "halves.csv").write_bytes(TABLES[name].encode(encoding))
    assert csv_halves(["ape", "bee", "cat", "dog"], tmp_path / "halves.csv") == HALVES


def test_quotes_keep_separators_and_lines(tmp_path):
    (tmp_path / "t.csv").write_text('class;half\n"a;b";A\n"a ""b""";A\n\n"two\nlines";B\n')
    table = read_table(tmp_path / "t.csv", ("class", "half"))
    assert [row["class"] for row in table.rows] == ["a;b", 'a "b"', "two\nlines"]
    assert table.lines == [2, 3, 6]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "ape,A\nbee,B\n",
            "it has no column 'class'. Its first line has 'ape', 'A'. Give it class, half, separated by",
        ),
        (
            "class|half\n",
            "Its first line has 'class|half'. Give it class, half, separated by commas, semicolons or tabs.",
        ),
        ("klass,half\na,A\n", "'class' and 'klass' look alike, but differ (character 1: 'c' against 'k')"),
        ("\u0441lass,half\na,A\n", "differ (character 1: 'c' against U+0441 CYRILLIC SMALL LETTER ES)"),
        ("class,Class,half\na,a,A\n", "the column 'class' is there twice"),
        ("class,half\n\na\n", "line 3: expected 2 values, found 1, separated by ','"),
        ("class,half\na,b,A\n", "line 2: expected 2 values, found 3"),
        ('class,half\n"a,A\nb,B\n', "line 2: it is not a readable CSV (a quoted value does not end)"),
        ('class,half\n\n"a"b,A\n', "line 3: it is not a readable CSV"),
        ("\n \n", "it is empty"),
        ("class,half\n , \n", "it has no rows below its header"),
        ("class,half\na,A\nb,A\n\na,A\n", "line 5: class 'a' has two rows, the first on line 2"),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        csv_halves(["a", "b"], tmp_path / "t.csv")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("ape,A\nbee,B\nfox,B\n", "class 'fox' is not a class of the dataset. Remove its row."),
        ("ape,A\n", "class 'bee' of the dataset has no row. Add one."),
        (
            "ape,A\nfly,B\ngnu,B\n",
            "classes 'fly', 'gnu' are no classes of the dataset; class 'bee' of the dataset has no",
        ),
    ],
)
def test_it_is_said_which_side_lacks_a_class(tmp_path, rows, words):
    (tmp_path / "t.csv").write_text(f"class,half\n{rows}")
    with pytest.raises(InputError) as caught:
        csv_halves(["ape", "bee"], tmp_path / "t.csv")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "other", "words"),
    [
        ("caf\u00e9", "cafe\u0301", "in how accents are composed (character 4: U+00E9 LATIN SMALL LETTER E WITH ACUTE"),
        ("cafe", "caf\u00e9", "(character 4: 'e' against U+00E9"),
        ("Cat", "cat", "in upper and lower case (character 1: 'C' against 'c')"),
        ("cat", "cat ", "in spaces at the ends (character 4: none against U+0020 SPACE)"),
        ("cat", "cat\u200b", "in characters that are not seen (character 4: none against U+200B ZERO WIDTH SPACE)"),
        ("\u0441at", "cat", "(character 1: U+0441 CYRILLIC SMALL LETTER ES against 'c')"),
        ("polar bear", "polar_bear", "in spaces, dashes and underscores (character 6: U+0020 SPACE against '_')"),
        ("polar\u00a0bear", "polar bear", "(character 6: U+00A0 NO-BREAK SPACE against U+0020 SPACE)"),
        ("aquarium_fish", "aquarim_fish", "(character 7: 'u' against 'm')"),
    ],
)
def test_what_differs_in_names_that_look_alike(name, other, words):
    sentence = look_alike({name, "zebra"}, {other, "gnu"}, " of one", " of the other")
    assert sentence.startswith(f" {name!r} of one and {other!r} of the other look alike, but differ ")
    assert words in sentence


def test_names_that_do_not_look_alike_are_not_said_to():
    assert look_alike({"ape"}, {"zebra"}) == ""
    assert look_alike({"n02119789"}, {"n02119788"}) == ""
