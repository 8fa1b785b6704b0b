"""Names are UTF-8 under every locale: steps read them so, and Snakemake's own process says where it cannot."""

import os
import shutil
import subprocess

import pandas as pd
import pytest
import yaml
from checkout import Checkout
from helpers import PYTHON, ROOT
from PIL import Image

pytestmark = pytest.mark.slow

CLASSES = ("\u00c9gyptien", "chat", "\u732b", "mu\u00f1eca")
TOLD = "the locale makes them {}, but this workflow needs UTF-8. Set PYTHONUTF8=1 and try again."
LATIN = "en_US.ISO-8859-1"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Checkout(tmp_path_factory.mktemp("locales"), "odd.yaml")
    for split, count in (("train", 3), ("val", 2)):
        for number, name in enumerate(CLASSES):
            folder = study.folder / "images" / split / name
            folder.mkdir(parents=True)
            (folder / "Thumbs.db").write_bytes(b"no image")
            for image in range(count):
                Image.new("RGB", (40, 40), (number * 60, image * 40, 90)).save(folder / f"\u00e9 {image}.png")
    (study.folder / "donn\u00e9es").symlink_to("images")
    for name, path in (("odd", "images"), ("path", "donn\u00e9es")):
        config = {
            **{"study": "odd", "matrix": [{"partition": "random0", "transfer": ["frozen"]}]},
            "dataset": {"name": name, "kind": "folder", "path": path},
        }
        (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return study


@pytest.fixture(scope="module", params=["ascii", "iso8859-1", "C"])
def locale(request, tmp_path_factory):
    """The environment of a locale whose names Python reads as the parameter's encoding; C switches Python to UTF-8."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    if request.param == "C":
        return kept | {"LC_ALL": "C"}
    if request.param == "ascii":
        return kept | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    folder = tmp_path_factory.mktemp("locale")
    if shutil.which("localedef") is None:
        pytest.skip("localedef is missing, which makes the locale of this test")
    made = subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", folder / LATIN], capture_output=True, check=False
    )
    if not (folder / LATIN).is_dir():
        pytest.skip(f"localedef makes no Latin-1 locale here: {made.stderr}")
    return kept | {"LC_ALL": LATIN, "LOCPATH": str(folder)}


def run(study, environment, *command):
    done = subprocess.run(
        [PYTHON, *command], cwd=study.folder, capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout + done.stderr


def encoding(study, environment):
    return run(study, environment, "-c", "import sys; print(sys.getfilesystemencoding())")[1].strip()


def test_classes_are_stored_by_their_names(study, locale):
    shutil.rmtree(study.folder / "data", ignore_errors=True)
    status, printed = run(study, locale, "-m", "snakemake", "packed", "--cores", "2", "--configfile", "odd.yaml")
    assert status == 0, printed
    store = study.folder / "data/odd/packed_36_warp"
    assert sorted(pd.read_csv(store / "classes.csv")["class"]) == sorted(CLASSES)
    names = pd.concat(pd.read_csv(shard)["name"] for shard in store.glob("train-*.csv"))
    assert sorted(names) == sorted(f"{name}/\u00e9 {image}.png" for name in CLASSES for image in range(3))
    assert '"left_out": 8' in (store / "survey.json").read_text()
    assert "20 images. Left out: 8 files and folders" in (store / "logs/survey_dataset.log").read_text()


def test_a_path_that_is_not_ascii_works_or_is_refused_truly(study, locale):
    status, printed = run(study, locale, "-m", "snakemake", "packed", "-n", "--configfile", "path.yaml")
    if (found := encoding(study, locale)) == "utf-8":
        assert status == 0, printed
    else:
        assert status == 1
        line = f"error: configuration: dataset.path: the letters of 'donn\\xe9es': {TOLD.format(found)}"
        assert line in printed.splitlines()
        assert "Traceback" not in printed


def test_a_step_run_by_hand_is_refused_truly(study, locale):
    command = ["-m", "workflow_scripts.dataset.survey_dataset", "--dataset", '{"kind": "folder"}', "--path", "images"]
    sizes = ["--edition", "x", "--image-size", "8", "--train-shards", "1", "--folder", str(study.folder / "by hand")]
    status, printed = run(study, locale | {"PYTHONPATH": str(ROOT)}, *command, *sizes)
    if (found := encoding(study, locale)) == "utf-8":
        assert status == 0, printed
    else:
        assert (status, printed) == (1, f"error: names of files: {TOLD.format(found)}\n")
