"""Draw a Snakemake graph (the output of `snakemake --dag dot`, on standard input) as a picture, without graphviz."""

import argparse
import re
import sys

import networkx
from matplotlib.figure import Figure

from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.report.plotting import new_figure

NODE = re.compile(r'^\s*(\d+)\s*\[\s*label\s*=\s*"(.*?)"', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+)\s*->\s*(\d+)", re.MULTILINE)


def read_dot(text: str) -> networkx.DiGraph:
    """The graph in Snakemake's dot text; nodes have a `label` of one or more lines."""
    graph = networkx.DiGraph()
    for number, label in NODE.findall(text):
        graph.add_node(number, label=label.replace("\\n", "\n"))
    graph.add_edges_from(EDGE.findall(text))
    return graph


def layered_positions(graph: networkx.DiGraph) -> dict[str, tuple[float, float]]:
    """Node positions, in columns and text lines: a row per generation, ordered by the mean place of its inputs."""
    positions: dict[str, tuple[float, float]] = {}
    height = 0.0
    for generation in networkx.topological_generations(graph):
        lines = max(graph.nodes[node]["label"].count("\n") for node in generation) + 4
        place = {node: _mean([positions[before][0] for before in graph.predecessors(node)]) for node in generation}
        ordered = sorted(generation, key=lambda node: (place[node], graph.nodes[node]["label"], int(node)))
        for column, node in enumerate(ordered):
            positions[node] = (column - (len(ordered) - 1) / 2, -height - lines / 2)
        height += lines
    return positions


def draw(graph: networkx.DiGraph) -> Figure:
    """A figure of the graph, its nodes as labelled boxes; edges that others imply are left out."""
    reduced = networkx.transitive_reduction(graph)
    reduced.add_nodes_from(graph.nodes(data=True))
    positions = layered_positions(reduced)
    widest = max(x for x, _ in positions.values()) * 2 + 1
    lowest = min(y for _, y in positions.values())
    figure, axes = new_figure(1, 1, (1.6 * widest + 1, 0.17 * (2 - lowest)))
    axes.set_axis_off()
    networkx.draw_networkx_edges(reduced, positions, ax=axes, edge_color="#999999", node_size=600, arrowsize=8)
    for node, (x, y) in positions.items():
        box = {"boxstyle": "round", "facecolor": "#EEF3F8", "edgecolor": "#4477AA"}
        axes.text(x, y, reduced.nodes[node]["label"], ha="center", va="center", fontsize=8, bbox=box)
    axes.set(xlim=(-widest / 2, widest / 2), ylim=(lowest - 2, 0))
    return figure


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", help="PNG or SVG path")
    args = parser.parse_args()
    figure = draw(read_dot(sys.stdin.read()))
    with atomic_path(args.output) as temporary:
        figure.savefig(temporary, dpi=110)


if __name__ == "__main__":
    main()
