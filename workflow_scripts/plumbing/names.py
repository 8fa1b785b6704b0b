"""Puts names into messages, and says what differs where two look alike. Light on purpose: used at parse time."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable

SHOWN = 5  # names of a longer list
# Letters of other alphabets that look like Latin ones (a part of Unicode's confusables.txt).
LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u0432\u043a\u043c\u043d\u0442\u03bf\u03b1\u03b9\u03bd\u03c1\u03c5\u03ba\u03c7\u03c4\u03b2\u03b7\u0131",
    "aeopcyxijsdhqwbkmhtoaivpukxtbni",
)


def some_of(names: Iterable[str]) -> str:
    """The first names, quoted, and how many more there are; "nothing" for none."""
    names = list(names)
    shown = ", ".join(repr(name) if len(name) <= 40 else repr(f"{name[:40]}...") for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "") if names else "nothing"


def look_alike(names: Collection[str], others: Collection[str], of_names: str = "", of_others: str = "") -> str:
    """A sentence, led by a space, on the first of `names` that looks like one of `others`; "" if none does.

    It says what differs. `of_names` and `of_others` say where they stand, as " of train/" does.
    """
    plain = {_plain(other): other for other in sorted(others)}
    pairs = [(name, plain[_plain(name)]) for name in sorted(names) if _plain(name) in plain]
    for name in sorted(names)[:SHOWN] if not pairs else ():
        close = difflib.get_close_matches(name[:200], [other[:200] for other in others], n=1, cutoff=0.8)
        pairs += [(name, other) for other in close if other in others and not _numbered(name, other)]
    if not pairs:
        return ""
    (name, other), *_ = pairs
    return f" {name!r}{of_names} and {other!r}{of_others} look alike, but differ {difference(name, other)}."


def difference(name: str, other: str) -> str:
    """How `name` and `other` differ, as the end of a sentence: in which respect, and in which first character."""
    respects = {
        "in spaces at the ends": str.strip,
        "in how accents are composed": lambda text: unicodedata.normalize("NFC", text),
        "in upper and lower case": str.casefold,
        "in characters that are not seen": _seen,
        "in spaces, dashes and underscores": lambda text: re.sub(r"[\s_-]", "", text),
    }
    same = next((words for words, plain in respects.items() if plain(name) == plain(other)), "")
    place = next(
        (index for index, (one, two) in enumerate(zip(name, other, strict=False)) if one != two),
        min(len(name), len(other)),
    )
    one, two = _character(name, place), _character(other, place)
    return f"{same}{' ' if same else ''}(character {place + 1}: {one} against {two})"


def _plain(name: str) -> str:
    """What is left of a name for the eye: no accents, case, spaces, or letters of other alphabets that look alike."""
    letters = unicodedata.normalize("NFKD", _seen(name).casefold()).translate(LATIN)
    return re.sub(r"[\s_-]", "", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def _numbered(name: str, other: str) -> bool:
    """Whether only digits differ, as in the names of two WNIDs."""
    return len(name) == len(other) and re.sub(r"\d", "", name) == re.sub(r"\d", "", other)


def _seen(name: str) -> str:
    return "".join(letter for letter in name if unicodedata.category(letter) not in ("Cf", "Cc"))


def _character(name: str, place: int) -> str:
    """The character at `place`, by code point and name where it is not plain ASCII."""
    if place >= len(name):
        return "none"
    letter = name[place]
    if letter.isascii() and letter.isprintable() and letter != " ":
        return repr(letter)
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'without a name')}"
