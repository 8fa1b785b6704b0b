import pytest
from PIL import Image


@pytest.fixture
def tree(tmp_path):
    """A folder tree of four classes, each of three training and two validation images."""
    root = tmp_path / "tree"
    for split, count in (("train", 3), ("val", 2)):
        for label, name in enumerate(("ape", "bee", "cat", "dog")):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (10, 12), (60 * label, number, 0)).save(root / split / name / f"{number}.png")
    return root
