"""A finished study whose Snakemake notes are lost."""

import base64

import pytest

from workflow_scripts.config.snakemake_notes import check_notes
from workflow_scripts.plumbing.cli import InputError


def test_a_finished_study_without_snakemakes_notes_is_refused(tmp_path):
    """Snakemake would take its results for those of whatever configuration there is now."""
    results, notes = tmp_path / "results", tmp_path / ".snakemake"
    check_notes(results, notes)
    results.mkdir()
    (results / "results.json").touch()
    with pytest.raises(InputError, match="run snakemake --touch --forceall"):
        check_notes(results, notes)
    name = base64.urlsafe_b64encode(f"{results}/results.json".encode()).decode()
    for kind in ("metadata", "incomplete"):
        (notes / kind).mkdir(parents=True)
        (notes / kind / name).touch()
        check_notes(results, notes)
        (notes / kind / name).unlink()
