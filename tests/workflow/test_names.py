"""Names of classes, files and folders that mean something to a shell change nothing but the names."""

import pandas as pd
import pytest
import yaml
from checkout import Checkout
from PIL import Image

pytestmark = pytest.mark.slow

CLASSES = (
    *(
        "a class",
        "it's",
        'say "so"',
        "semi;colon",
        "$(touch pwned)",
        "`touch pwned`",
        "-rf",
        "--help",
        "dots..",
        "naïve 猫",
    ),
    *("comma, in it", "a&b", "x > y", "star*", "tab\there", "#hash", "{braces}", "%d", "back\\slash", "NULL"),
)
FOLDER = "it's $(touch pwned); a dir/-x"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names") / "it's $(touch pwned); a 猫's checkout"
    folder.mkdir()
    study = Checkout(folder, "odd.yaml")
    for split, count in (("train", 4), ("val", 2)):
        for number, name in enumerate(CLASSES):
            folder = study.folder / FOLDER / split / name
            folder.mkdir(parents=True)
            for image in range(count):
                Image.new("RGB", (40, 40), (number * 12, image * 40, 90)).save(folder / f"{name} {image}.png")
    config = {
        **{"study": "odd", "depths": [1], "matrix": [{"partition": "random0", "transfer": ["frozen"]}]},
        "dataset": {"name": "odd", "kind": "folder", "path": FOLDER},
        "training": {"duration": 2, "validate_every": 1, "batch_size": 8},
    }
    (study.folder / "odd.yaml").write_text(yaml.safe_dump(config))
    return study


def test_such_names_neither_break_nor_run(study):
    before = {path.name for path in study.folder.iterdir()}
    study.snakemake("packed", "curves")
    assert {path.name for path in study.folder.iterdir()} - before <= {"data", "results", ".snakemake"}
    assert not list(study.folder.parent.rglob("pwned"))
    classes = pd.read_csv(study.folder / "data/odd/packed_36_warp/classes.csv", keep_default_na=False)["class"]
    assert list(classes) == sorted(CLASSES)
