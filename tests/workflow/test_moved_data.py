"""A finished study whose data, lists or folder lie elsewhere has nothing to do; other data and lists make it stale."""

import re
import shutil

import numpy as np
import pytest
import yaml
from checkout import Checkout
from PIL import Image

pytestmark = pytest.mark.slow

CLASSES = [f"class{number}" for number in range(4)]
STUDY = {
    **{"study": "moved", "depths": [1], "results_table": None},
    "matrix": [{"partition": "mine", "csv": "lists/halves.csv", "transfer": ["frozen"]}],
    "dataset": {"name": "mine", "kind": "folder", "path": "images"},
    "training": {"duration": 2, "validate_every": 1, "batch_size": 8},
    "reference": {"results": "lists/results.csv", "printed": "lists/printed.csv"},
    "plan": {"images_per_second": 100},
}


def with_images(study):
    """The checkout `study` with a small tree of images, lists, and the configuration STUDY."""
    random = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 4)):
        for name in CLASSES:
            folder = study.folder / "images" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (36, 36, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.bmp")  # all of one size
    (study.folder / "lists").mkdir()
    rows = [f"{name},{'AB'[number % 2]}" for number, name in enumerate(CLASSES)]
    (study.folder / "lists/halves.csv").write_text("\n".join(["class,half", *rows, ""]))
    for name in ("results", "printed"):
        shutil.copy(study.folder / f"configs/published_{name}.csv", study.folder / f"lists/{name}.csv")
    (study.folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return study


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which the study is finished."""
    study = with_images(checkout("study.yaml"))
    study.snakemake()
    return study


@pytest.fixture
def configure(study):
    """A function that sets leaves of the study's configuration, by their keys joined by "/"."""

    def replace(**leaves):
        config = yaml.safe_load(yaml.safe_dump(STUDY))
        for path, value in leaves.items():
            *sections, key = path.split("/")
            place = config
            for name in sections:
                place = place[int(name)] if name.isdigit() else place[name]
            place[key] = str(value)
        (study.folder / "study.yaml").write_text(yaml.safe_dump(config))

    yield replace
    replace()


def planned(study, *targets):
    """The jobs that a dry run plans, by rule."""
    printed = study.snakemake(*targets, "--dry-run", "--quiet", "rules")
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", printed, re.DOTALL | re.MULTILINE)
    if table is None:
        assert "Nothing to be done" in printed
        return {}
    return {
        rule: int(count)
        for rule, count in map(str.split, table[1].strip().split("\n"))
        if rule not in ("all", "packed")
    }


def is_packed_again(study):
    jobs = planned(study)
    return (jobs.get("survey_dataset"), jobs.get("pack_shard"), jobs.get("train_base")) == (1, 3, 2)


def test_a_finished_study_has_nothing_to_do(study):
    assert planned(study) == {}


def test_a_path_may_be_written_in_any_way(study, configure, tmp_path):
    (tmp_path / "link").symlink_to(study.folder)
    for folder in (".", "lists/..", study.folder, tmp_path / "link"):
        lists = {f"reference/{name}": f"{folder}/lists/{name}.csv" for name in ("results", "printed")}
        configure(**{"dataset/path": f"{folder}/images/", "matrix/0/csv": f"{folder}/lists/halves.csv"} | lists)
        assert planned(study) == {}, folder


def test_data_and_lists_may_move_to_another_disk(study, configure, tmp_path):
    for name in ("images", "lists"):
        shutil.copytree(study.folder / name, tmp_path / name, copy_function=shutil.copyfile)  # with other times
        (study.folder / name).rename(study.folder / f"{name}.old")
    moved = {"matrix/0/csv": "lists/halves.csv", "dataset/path": "images"}
    moved |= {f"reference/{name}": f"lists/{name}.csv" for name in ("results", "printed")}
    configure(**{leaf: tmp_path / path for leaf, path in moved.items()})
    try:
        assert planned(study) == {}
        assert planned(study) == {}
        assert "Nothing to be done" in study.snakemake()
        assert "match their records" in study.snakemake("verify")
    finally:
        for name in ("images", "lists"):
            (study.folder / f"{name}.old").rename(study.folder / name)


def test_data_that_are_gone_are_not_needed_again(study):
    (study.folder / "images").rename(study.folder / "gone")
    try:
        printed = study.snakemake("--dry-run")
        assert "Nothing to be done" in printed
        assert "note: dataset.path: images is not there. data/mine/packed_36_warp is used as it is." in printed
        matrix = [*STUDY["matrix"], {"partition": "random3"}]
        more = STUDY | {"study": "more", "matrix": matrix}  # the lists of the study itself stay
        (study.folder / "more.yaml").write_text(yaml.safe_dump(more))
        printed = study.snakemake("tasks", study="more.yaml")
        assert "make_task" in printed and "pack_shard" not in printed
        for changes in ({"train_shards": 1}, {"train_shards": 3}, {"image_size": 40}):
            (study.folder / "more.yaml").write_text(yaml.safe_dump(STUDY | {"store": changes}))
            printed = study.snakemake("--dry-run", study="more.yaml", check=False)
            assert "error: configuration: dataset.path: images does not exist" in printed
    finally:
        (study.folder / "gone").rename(study.folder / "images")


@pytest.mark.parametrize("change", ["size", "pixels", "name", "one less", "one more"])
def test_other_data_elsewhere_are_packed(study, configure, tmp_path, change):
    shutil.copytree(study.folder / "images", tmp_path / "images")
    image = tmp_path / "images" / "train" / CLASSES[1] / "3.bmp"
    if change == "size":
        Image.new("RGB", (40, 36)).save(image)
    elif change == "pixels":
        Image.new("RGB", (36, 36)).save(image)
    elif change == "one more":
        shutil.copy(image, image.with_name("8.bmp"))
    else:
        image.rename(image.with_name("9.bmp" if change == "name" else ".hidden"))
    configure(**{"dataset/path": tmp_path / "images"})
    assert is_packed_again(study)
    configure()
    assert planned(study) == {}


def test_another_list_makes_stale_what_depends_on_it(study, configure, tmp_path):
    halves = (study.folder / "lists/halves.csv").read_text()
    (tmp_path / "halves.csv").write_text(halves.replace("class0,A", "class0,B").replace("class1,B", "class1,A"))
    configure(**{"matrix/0/csv": tmp_path / "halves.csv"})
    jobs = planned(study)
    assert (jobs["make_partition"], jobs["make_task"], jobs["train_base"]) == (1, 2, 2)
    assert not {"survey_dataset", "pack_shard"} & set(jobs)
    shutil.copy(study.folder / "lists/results.csv", tmp_path / "results.csv")
    lines = (tmp_path / "results.csv").read_text().splitlines()
    (tmp_path / "results.csv").write_text("\n".join(lines[:-1]))
    configure(**{"reference/results": tmp_path / "results.csv"})
    assert planned(study) == {"write_findings": 1, "plot_comparison": 1, "write_report": 1}


def test_a_list_that_is_edited_in_its_place_makes_stale_what_depends_on_it(study):
    path = study.folder / "lists/halves.csv"
    before = path.read_text()
    path.write_text(before.replace("class0,A", "class0,B").replace("class1,B", "class1,A"))
    assert planned(study)["make_partition"] == 1
    path.write_text(before)
    assert planned(study) == {}


def test_the_whole_folder_may_move_be_copied_or_be_reached_by_a_link(study, tmp_path):
    shutil.copytree(study.folder, tmp_path / "copy", symlinks=True, copy_function=shutil.copyfile)
    study.folder.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to("moved")
    try:
        for name in ("copy", "moved", "link"):
            elsewhere = Checkout.__new__(Checkout)
            elsewhere.folder, elsewhere.study, elsewhere.python = tmp_path / name, study.study, study.python
            assert planned(elsewhere) == {}, name
        shutil.copytree(tmp_path / "moved" / "data", tmp_path / "disk", copy_function=shutil.copyfile)
        shutil.rmtree(tmp_path / "copy" / "data")
        (tmp_path / "copy" / "data").symlink_to("../disk")
        elsewhere.folder = tmp_path / "copy"
        assert planned(elsewhere) == {}
    finally:
        (tmp_path / "moved").rename(study.folder)


def test_other_data_are_packed_in_one_run_and_then_known(checkout, tmp_path):
    study = with_images(checkout("study.yaml"))
    shutil.copytree(study.folder / "images", tmp_path / "images")
    Image.new("RGB", (36, 36)).save(tmp_path / "images" / "train" / CLASSES[1] / "3.bmp")

    def use(path):
        config = STUDY | {"dataset": STUDY["dataset"] | {"path": str(path)}}
        (study.folder / "study.yaml").write_text(yaml.safe_dump(config))

    def pack():
        study.snakemake("packed")
        store = study.folder / "data/mine/packed_36_warp"
        return (store / "manifest.json").read_bytes(), (store / "train-000.u8").read_bytes()

    manifest, pixels = pack()
    use(tmp_path / "images")
    other_manifest, other_pixels = pack()
    assert manifest != other_manifest
    assert pixels != other_pixels
    assert planned(study, "packed") == {}
    (tmp_path / "images").rename(tmp_path / "moved")
    use(tmp_path / "moved")
    assert planned(study, "packed") == {}
    use("images")
    assert planned(study, "packed")["pack_shard"] == 3
    shutil.rmtree(study.folder / "data")
    use(tmp_path / "moved")
    assert pack() == (other_manifest, other_pixels)  # so nothing behind the store is stale
