"""The lists that say the classes of images in one folder, and the classes' words: Tiny ImageNet's and Kaggle's.

Light on purpose: the Snakefile imports this at parse time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.dataset.parts import INNER, is_image
from workflow_scripts.dataset.trees import Place, Tree, below
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import table_of
from workflow_scripts.plumbing.names import some_of
from workflow_scripts.plumbing.text_file import MOST_BYTES, decoded_text

ANNOTATIONS = "val_annotations.txt"
SOLUTION = "LOC_val_solution.csv"
# Lists of the classes' words: what separates a class from its words, and the list that must be there too.
WORDS = {"words.txt": ("\t", "wnids.txt"), "LOC_synset_mapping.txt": (" ", "LOC_synset_mapping.txt")}

Row = tuple[int, str, str]  # the line, the file and the class


@dataclass(frozen=True)
class LabelList:
    """A list of labels in `tree`, and the folder of `data` whose images it is about."""

    tree: Tree
    file: str
    read: Callable[[str, str], Iterator[Row]]
    data: Tree
    images: str

    @property
    def place(self) -> Place:
        """Where the list lies."""
        folder, _, name = self.file.rpartition("/")
        return self.tree.files(folder)[name]

    def labelled(self) -> dict[str, dict[str, Place]]:
        """The images by class and the names of their files.

        Raises InputError, naming the line, for an image that is not there or twice, and for one that has no line.
        """
        where, files = self.tree.at(self.file), self.data.files(self.images)
        found: dict[str, dict[str, Place]] = {}
        seen: dict[str, int] = {}
        for line, file, label in self.read(_text(self.place, where), where):
            if file not in files:
                raise InputError(
                    f"{where} line {line}: {self.data.at(self.images)} has no {file!r}. Restore it or remove the line."
                )
            if file in seen:
                raise InputError(f"{where} line {line}: {file!r} is there on line {seen[file]} too. Keep one of them.")
            seen[file] = line
            found.setdefault(label, {})[file] = files[file]
        if rest := sorted(file for file in files if is_image(file) and file not in seen):
            raise InputError(
                f"{where}: it has no line for {some_of(rest)} of {self.data.at(self.images)}. Add one or remove the "
                "image."
            )
        return found


def label_list(top: Tree, data: Tree, folder: str) -> LabelList | None:
    """The list that says the classes of the images in `folder` of `data`, a folder without classes; None if none does.

    `top` is where Kaggle's list lies.
    """
    if set(data.folders(folder)) - {INNER}:
        return None
    if ANNOTATIONS in data.files(folder):
        images = below(folder, INNER) if INNER in data.folders(folder) else folder
        return LabelList(data, below(folder, ANNOTATIONS), _annotations, data, images)
    if SOLUTION in top.files("") and not data.folders(folder):
        return LabelList(top, SOLUTION, _solution, data, folder)
    return None


def class_words(top: Tree) -> tuple[dict[str, str], tuple[Path, ...]]:
    """What the classes are called, by name, as far as a list in `top` says so, and that list."""
    files = top.files("")
    for name, (separator, beside) in WORDS.items():
        if (place := files.get(name)) is not None and beside in files:
            pairs = (line.partition(separator) for line in _text(place, top.at(name)).split("\n"))
            return {label.strip(): words.strip() for label, _, words in pairs if words.strip()}, (place[0],)
    return {}, ()


def _annotations(text: str, where: str) -> Iterator[Row]:
    """The rows of val_annotations.txt: the file, the class and a box, separated by tabs."""
    for line, row in enumerate(text.split("\n"), start=1):
        cells = [cell.strip() for cell in row.split("\t")]
        if not any(cells):
            continue
        if len(cells) < 2 or not all(cells[:2]):
            raise InputError(f"{where} line {line}: it is not a file and its class, separated by a tab. Correct it.")
        yield line, cells[0], cells[1]


def _solution(text: str, where: str) -> Iterator[Row]:
    """The rows of LOC_val_solution.csv: the image's name, and the class before its boxes."""
    for line, row in table_of(text, where, ("ImageId", "PredictionString")).numbered():
        label = row["PredictionString"].split()
        if not label:
            raise InputError(f"{where} line {line}: it has no class. Get the list again.")
        yield line, f"{row['ImageId']}.JPEG", label[0]


def _text(place: Place, where: str) -> str:
    path, offset, size = place
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read(min(MOST_BYTES + 1, MOST_BYTES + 1 if size is None else size))
    except OSError as error:
        raise InputError(f"{where}: it cannot be read ({error.strerror}). Check its permissions.") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"{where}: it has more than {MOST_BYTES:,} bytes. Shorten it.")
    return decoded_text(data, where)


def named(names: tuple[str, ...], words: Mapping[str, str]) -> tuple[str, ...]:
    """The words of the classes `names`; the name itself where none are known."""
    return tuple(words.get(name, name) for name in names)
