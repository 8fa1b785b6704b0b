"""Odd tasks, really run: two classes, one training image of a class, small tasks, tiny, narrow and grey images."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from workflow_scripts.plumbing.files import read_json

pytestmark = pytest.mark.slow

# class -> sizes (height, width) of its training images, number of its validation images
CLASSES = {
    "grey": ([(40, 60)] * 4, 2),
    "lonely": ([(50, 30)], 1),
    "many": ([(36, 36)] * 9, 20),
    "narrow": ([(1, 500), (500, 1), (1, 1), (2, 3)], 2),
    "two": ([(20, 20)] * 2, 2),
}
PETS = {"cat": ([(40, 40)] * 3, 2), "dog": ([(40, 40)] * 3, 2)}
STUDY = {
    **{"study": "odd", "depths": [1, 7]},
    "matrix": [
        {"partition": "random0", "selffer": ["frozen"], "transfer": ["frozen", "finetuned"]},
        {"partition": "odd_pets", "halves": {"A": "odd", "B": "pets"}, "transfer": ["frozen"]},
    ],
    "dataset": {"name": "odd", "kind": "folder", "path": "odd"},
    "datasets": {"pets": {"kind": "folder", "path": "pets"}},
    "training": {"batch_size": 64, "duration": "20 epochs", "validate_every": 1, "stuck_after": 1000},
    "store": {"train_shards": 1, "resize": "shortest_crop"},
    **{"reference": None, "plan": {"images_per_second": 100}},
}


def image(random, size, grey):
    shape = size if grey else (*size, 3)
    return Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8))


def write_tree(path, classes, random):
    for name, (sizes, val) in classes.items():
        for split, of_split in (("train", sizes), ("val", [(33, 47)] * val)):
            folder = path / split / name
            folder.mkdir(parents=True)
            for number, size in enumerate(of_split):
                image(random, size, name == "grey").save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def results(checkout):
    """The results directory of the finished study, with warnings of its steps' own code as errors."""
    study, random = checkout("study.yaml"), np.random.default_rng(0)
    write_tree(study.folder / "odd", CLASSES, random)
    write_tree(study.folder / "pets", PETS, random)
    (study.folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error::RuntimeWarning,error::UserWarning,error::FutureWarning")
        study.snakemake()
    return study.folder / "results/odd"


def test_every_network_is_trained_and_scored(results):
    table = pd.read_csv(results / "results.csv")
    assert not table["diverged"].any()
    assert set(table["classes"]) == {2, 3, 5}
    assert (table["top5_last"] == 1).all()  # of five classes or fewer
    for column in ("top1_best10_mean", "top1_per_class_mean", "majority_share"):
        assert table[column].between(0, 1).all()


def test_the_table_of_tasks_has_the_images_of_the_classes(results):
    tasks = pd.read_csv(results / "tables/tasks.csv").set_index(["partition", "half"])
    assert list(tasks.index) == [(name, half) for name in ("odd_pets", "random0") for half in "AB"]
    assert list(tasks["dataset"]) == ["odd", "pets", "odd", "odd"]
    assert list(tasks.loc[("odd_pets", "A")]) == ["odd", 5, 20, 1, 4.0, 9, 27, 1, 2.0, 20, round(20 / 27, 4)]
    two = tasks.loc[("random0", "A")]  # grey and narrow
    assert (two["classes"], two["train_images"], two["val_images"], two["majority_share"]) == (2, 8, 4, 0.5)
    page = (results / "report.html").read_text()
    assert "Tasks and their images" in page
    assert "tasks.csv" in page


def test_the_findings_name_the_largest_class_and_the_unequal_halves(results):
    found = {one["question"]: one for one in read_json(results / "tables/findings.json")["findings"]}
    table = pd.read_csv(results / "results.csv")
    bases = table[table["treatment"] == "base"].set_index(["partition", "target"])
    base = bases.loc[("odd_pets", "A")]
    lines = found["Does the largest class explain a score?"]["answer"].splitlines()
    (line,) = (line for line in lines if line.startswith("odd_pets A: "))
    assert line.startswith("odd_pets A: 74.1 % of the validation images are of one class. The base network's top-1 of ")
    assert f"{100 * base['top1_best10_mean']:.1f} % is {100 * base['top1_per_class_mean']:.1f} % averaged" in line
    assert found["Are the scores of both halves comparable?"]["answer"].splitlines() == [
        "'random0': A has 2 classes and B has 3. Accuracies of A and B are not comparable.",
        "'odd_pets': A has 5 classes and B has 2. Accuracies of A and B are not comparable.",
    ]
