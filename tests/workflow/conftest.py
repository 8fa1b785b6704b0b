import pytest
import yaml
from helpers import ROOT


@pytest.fixture(scope="module")
def gpu_study(checkout):
    """The tiny study for a GPU, of which nothing is made."""
    study = checkout("cuda.yaml")
    tiny = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    tiny["training"]["device"] = "cuda"
    (study.folder / "cuda.yaml").write_text(yaml.safe_dump(tiny))
    return study
