"""Snakemake's notes of what made each file, by which it knows what is stale. Without them it takes whatever is there.

Light on purpose: the Snakefile calls this at parse time.
"""

import base64
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError

NOTES = Path(".snakemake")


def check_notes(results: str | Path, notes: Path = NOTES) -> None:
    """Raise InputError if the study in `results` is finished but Snakemake's notes of it, in `notes`, are gone.

    A configuration that was edited since would be taken for the one that made the study.
    """
    summary = f"{results}/results.json"
    name = base64.urlsafe_b64encode(summary.encode()).decode()  # as snakemake.persistence.file does
    # A killed job leaves a mark of a different kind. Snakemake may also be configured to keep its notes in a database.
    kinds = (f"metadata/{name}", f"incomplete/{name}", "metadata.db", "*/metadata.db")
    noted = any(any(notes.glob(kind)) for kind in kinds)
    if Path(summary).exists() and not noted:
        raise InputError(
            f"{summary}: Snakemake's notes of it in {notes} are missing, so nobody can tell what is stale. Restore "
            f"them, or delete {results}, or, if nothing has changed since, run snakemake --touch --forceall first."
        )
