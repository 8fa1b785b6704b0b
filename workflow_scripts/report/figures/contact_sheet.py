"""Step: a contact sheet of a packed store, the first training images of its classes, to see that labels are right."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from workflow_scripts.dataset.tables import read_names
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.records import verified
from workflow_scripts.report.plotting import figure_command, new_figure
from workflow_scripts.store.packed import PackedSplit

SHEET_COLUMNS = 2  # of class rows


def plot_store(manifest: Path, most_classes: int = 40, images: int = 8) -> Figure:
    """Rows of the first `images` training images of up to `most_classes` classes, evenly chosen in class order."""
    train = PackedSplit(manifest, "train")
    words = read_names(verified(Path(manifest).with_name("classes.csv")))["words"]
    class_indices = train.class_indices()
    shown = np.linspace(0, len(words) - 1, min(most_classes, len(words))).round().astype(int)
    rows = -(-len(shown) // SHEET_COLUMNS)
    figure, grid = new_figure(rows, SHEET_COLUMNS, (6.4 * SHEET_COLUMNS, 0.55 * rows), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    # Down the first column, then the second: classes stay in order.
    for axes, class_index in zip(grid.T.flat, shown, strict=False):
        positions = np.flatnonzero(class_indices == class_index)[:images]
        strip = np.full((train.image_size, images * train.image_size, 3), 255, dtype=np.uint8)
        for column, image in enumerate(train.images(positions)):
            strip[:, column * train.image_size :][:, : train.image_size] = image
        axes.imshow(strip, interpolation="nearest")
        axes.text(-0.02, 0.5, words[class_index], transform=axes.transAxes, ha="right", va="center", fontsize=9)
    return figure


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.contact_sheet", __doc__, ["manifest"], plot_store)


if __name__ == "__main__":
    cli.run(main)
