"""What README says of the workflow is true: its rule graph, its links, its length."""

import re
import subprocess
from itertools import pairwise

import pytest
from helpers import PYTHON, ROOT

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def edges_of(lines):
    """The edges in mermaid's `a --> b --> c` lines."""
    edges = set()
    for line in lines:
        names = [name.strip() for name in line.split("-->")]
        edges |= set(pairwise(names))
    return edges


def without_implied(edges):
    """The edges that no path of others implies."""

    def reaches(start, end, left):
        seen, waiting = set(), [start]
        while waiting:
            name = waiting.pop()
            for one, other in left:
                if one == name and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return end in seen

    return {edge for edge in edges if not reaches(*edge, edges - {edge})}


def test_the_rule_graph_is_snakemakes_own_without_what_others_imply():
    command = [PYTHON, "-m", "snakemake", "--forceall", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    assert len(names) > 20
    figures = {name: re.sub(r"^plot_(?!store$)\w+", "plot_figures", name) for name in names.values()}
    edges = {(figures[names[one]], figures[names[other]]) for one, other in re.findall(r"(id\d+) --> (id\d+)", graph)}
    drawn = re.search(r"```mermaid\nflowchart \w+\n(.*?)```", README, re.DOTALL)[1]
    assert edges_of(drawn.strip().split("\n")) == without_implied(edges)


def test_it_is_short():
    assert README.count("\n") <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_is_named_is_there(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([\w-]+)", page.read_text(), re.MULTILINE)) <= targets
