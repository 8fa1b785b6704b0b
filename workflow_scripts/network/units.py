"""The units of any network: where its traced graph can be cut, and what each unit holds (docs/design.md, units).

A cut is allowed where exactly one value of the traced graph is needed later. Cuts inside a block are dropped. A block
is a module that a shortcut or branch lies in, or another module of its class or at its place. What has no weights joins
a unit beside it.
"""

import inspect
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from torch import Tensor, fx, nn
from torchvision.models.feature_extraction import NodePathTracer

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
GLOBAL_POOLS = ("adaptive_avg_pool2d", "adaptive_avg_pool1d", "mean", "AdaptiveAvgPool2d", "AdaptiveAvgPool1d")


@dataclass(frozen=True)
class Unit:
    """A unit's name, its nodes in the traced graph, and the names of its parameters and buffers in the network."""

    name: str
    nodes: tuple[fx.Node, ...]
    tensors: tuple[str, ...]


@dataclass
class Segment:
    """The nodes between two neighbouring cuts, the paths of the modules that they lie in, and the tensors they use.

    `tensors` are parameters and buffers, `weights` those parameters that multiply features (two or more dimensions).
    """

    nodes: list[fx.Node]
    paths: list[str]
    tensors: list[str] = field(default_factory=list)
    weights: list[str] = field(default_factory=list)
    pools: bool = False
    block: str = ""

    def joined(self, other: "Segment") -> "Segment":
        """One segment, of this one and the one after it."""
        pairs = ("nodes", "paths", "tensors", "weights")
        lists = {name: getattr(self, name) + getattr(other, name) for name in pairs}
        return Segment(**lists, pools=self.pools or other.pools, block=self.block or other.block)


def units(model: nn.Module, leaves: Iterable[type[nn.Module]] = (), functions: Iterable[Callable] = ()) -> list[Unit]:
    """The units of `model` in order, the head last; modules of the classes `leaves` are not traced through.

    Raises ValueError where the network cannot be traced or cut: fewer than two units, or a parameter in two of them.
    """
    tracer = NodePathTracer(leaf_modules=list(leaves), autowrap_functions=tuple(functions))
    # Further arguments of forward (a mask, say) keep their defaults.
    others = list(inspect.signature(model.forward).parameters.values())[1:]
    graph = tracer.trace(model, {one.name: one.default for one in others})
    segments = _segments(model, graph, tracer.node_to_qualname)
    _mark_blocks(model, segments)
    whole = _join_blocks(segments)
    joined = _join_weightless(_join_between_blocks(whole))
    names = [*(_name(model, one) for one in joined[:-1]), joined[-1].weights[-1].rpartition(".")[0]]
    found = [
        Unit(name, tuple(one.nodes), tuple(dict.fromkeys(one.tensors))) for name, one in zip(names, joined, strict=True)
    ]
    _check_tensors(model, found)
    return found


def _check_tensors(model: nn.Module, found: Sequence[Unit]) -> None:
    """Raises ValueError for a parameter or buffer that two units use, and for a parameter that none uses."""
    counts = Counter(name for unit in found for name in unit.tensors)
    if shared := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"two of its units use {shared[0]}")
    if unused := [name for name, _ in model.named_parameters() if name not in counts]:
        raise ValueError(f"no unit uses {unused[0]}")


def _segments(model: nn.Module, graph: fx.Graph, paths: dict[fx.Node, str]) -> list[Segment]:
    """The graph between all places where exactly one value that depends on the input is needed later."""
    nodes = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
    place = {node: number for number, node in enumerate(graph.nodes)}
    dependent = dependent_nodes(graph)
    segments, current, alive = [], [], {next(iter(graph.nodes))}
    for node in nodes:
        if node not in dependent:
            continue
        current.append(node)
        alive = {one for one in alive | {node} if any(place[user] > place[node] for user in one.users)}
        if alive == {node}:
            segments.append(_segment(model, current, paths, dependent))
            current = []
    if current:
        raise ValueError("the last value of its graph is not its output")
    return segments


def dependent_nodes(graph: fx.Graph) -> set[fx.Node]:
    """The nodes that depend on the network's input."""
    found = {next(iter(graph.nodes))}  # further placeholders have their defaults
    for node in graph.nodes:
        if any(one in found for one in node.all_input_nodes):
            found.add(node)
    return found


def _segment(model: nn.Module, nodes: Sequence[fx.Node], paths: dict, dependent: set) -> Segment:
    segment = Segment(list(nodes), [_module_path(node, paths) for node in nodes])
    for node in nodes:
        names = _tensors(model, node, dependent)
        segment.tensors += names
        segment.weights += [name for name in names if name.endswith("weight") and _attribute(model, name).dim() > 1]
        segment.pools |= _operation(model, node) in GLOBAL_POOLS
    return segment


def _module_path(node: fx.Node, paths: dict[fx.Node, str]) -> str:
    """The path of the module that a node is, or that it was traced in."""
    return node.target if node.op == "call_module" else paths[node].rpartition(".")[0]


def _operation(model: nn.Module, node: fx.Node) -> str:
    """The name of the class or function that a node calls."""
    if node.op == "call_module":
        return type(model.get_submodule(node.target)).__name__
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")


def _tensors(model: nn.Module, node: fx.Node, dependent: set[fx.Node]) -> list[str]:
    """The names of the parameters and buffers that a node uses: its module's and its constant arguments'."""
    names = []
    if node.op == "call_module":
        module = model.get_submodule(node.target)
        names = [
            f"{node.target}.{name}" for name, _ in itertools.chain(module.named_parameters(), module.named_buffers())
        ]
    elif node.op == "get_attr" and isinstance(_attribute(model, node.target), Tensor):
        names = [node.target]
    constants = (one for one in node.all_input_nodes if one not in dependent)
    return [*names, *itertools.chain.from_iterable(_tensors(model, one, dependent) for one in constants)]


def _attribute(model: nn.Module, name: str) -> object:
    owner, _, last = name.rpartition(".")
    return getattr(model.get_submodule(owner), last)


def _common(paths: Sequence[str]) -> str:
    """The longest module path that all of these lie in."""
    parts = zip(*(path.split(".") for path in paths), strict=False)
    return ".".join(same[0] for same in itertools.takewhile(lambda same: len(set(same)) == 1, parts))


def _mark_blocks(model: nn.Module, segments: list[Segment]) -> None:
    """Give each segment the path of the outermost block that it lies in, where there is one."""
    classes, paths = set(), set()
    for segment in segments:
        home = _common(segment.paths)
        if len(segment.nodes) > 1 and segment.weights and home:
            module = model.get_submodule(home)
            (paths.add(home) if isinstance(module, CONTAINERS) else classes.add(type(module)))
    modules = [(name, module) for name, module in model.named_modules() if name and any(module.children())]
    blocks = {name for name, module in modules if name in paths or type(module) in classes}
    # A module at a block's place is a block too, also without a shortcut: `blocks.0.0` beside `blocks.1.0`.
    places = {_place(name) for name in blocks}
    blocks |= {name for name, _ in modules if _place(name) in places and "#" in _place(name)}
    for segment in segments:
        parts = _common(segment.paths).split(".")
        leads = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
        segment.block = next((lead for lead in leads if lead in blocks), "")


def _place(name: str) -> str:
    """A module's path without its numbers."""
    return re.sub(r"[0-9]+", "#", name)


def _join_blocks(segments: list[Segment]) -> list[Segment]:
    """One segment a block."""
    joined: list[Segment] = []
    for segment in segments:
        if joined and segment.block and joined[-1].block == segment.block:
            joined[-1] = joined[-1].joined(segment)
        else:
            joined.append(segment)
    return joined


def _join_between_blocks(segments: list[Segment]) -> list[Segment]:
    """Weights between two blocks (a downsampling), with the norm before them, as part of the block after them."""
    blocks = [number for number, segment in enumerate(segments) if segment.block and segment.weights]
    if not blocks:
        return segments
    joined, waiting = [], None
    for number, segment in enumerate(segments):
        between = blocks[0] < number < blocks[-1] and not segment.block
        leads = between and (segment.weights or _leads(segments, number))
        if waiting is not None:
            segment, waiting = waiting.joined(segment), None
            leads = leads or (between and not segment.block)
        if leads:
            waiting = segment
        else:
            joined.append(segment)
    return joined


def _leads(segments: list[Segment], number: int) -> bool:
    """Whether a segment without weights shares a deeper module with the segments after it than with those before it."""
    before, here, after = (_common(one.paths) for one in segments[number - 1 : number + 2])
    return len(_common([here, after])) > len(_common([here, before]))


def _join_weightless(segments: list[Segment]) -> list[Segment]:
    """Segments without weights join the unit before them; a last global pool, and what follows it, the head."""
    weighted = [number for number, segment in enumerate(segments) if segment.weights]
    if len(weighted) < 2:
        raise ValueError("it has fewer than two units with weights")
    head = weighted[-1]
    start = _head_start(segments, weighted[-2], head)
    firsts = [0, *weighted[1:-1], start]
    return [_joined(segments[first:stop]) for first, stop in itertools.pairwise([*firsts, len(segments)])]


def _head_start(segments: list[Segment], before: int, head: int) -> int:
    """Where the head begins: after the last parameters before it, at a global pool or in the module of its weights."""
    start = head
    for number in range(head - 1, before, -1):
        segment = segments[number]
        if segment.tensors:
            break
        if segment.pools or _leads(segments, number):
            start = number
    return start


def _joined(segments: Sequence[Segment]) -> Segment:
    whole = segments[0]
    for segment in segments[1:]:
        whole = whole.joined(segment)
    return whole


def _name(model: nn.Module, segment: Segment) -> str:
    """A unit's name: its block's path, or that of the largest module with its first weights and nothing else."""
    if segment.block:
        return segment.block
    name, own = segment.weights[0].rpartition(".")[0], set(segment.tensors)
    while parent := name.rpartition(".")[0]:
        if not own.issuperset(f"{parent}.{inner}" for inner, _ in model.get_submodule(parent).named_parameters()):
            break
        name = parent
    return name
