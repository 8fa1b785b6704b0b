"""A network of any origin as a chain of units, cut from its traced graph (units.py)."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from workflow_scripts.network.networks import Network, Noise
from workflow_scripts.network.units import Unit, dependent_nodes


class Mode(NamedTuple):
    """Which parts of a unit are in training: those that the graph decides, norm layers, and all other modules."""

    graph: bool
    norms: bool
    others: bool


EVALUATION, LEARNING = Mode(False, False, False), Mode(True, True, True)


class TracedNetwork(Network):
    """A model and its units in order. Dropout and stochastic depth draw from the generators that Noise.seed sets."""

    def __init__(self, model: nn.Module, cut: Callable[[nn.Module], Sequence[Unit]]) -> None:
        """`cut` gives the units of the model in its present mode. Raises ValueError where the modes differ in them."""
        super().__init__()
        self.model = model
        self._units = {training: cut(model.train(training)) for training in (True, False)}
        self.names = [unit.name for unit in self._units[False]]
        if self.names != [unit.name for unit in self._units[True]]:
            raise ValueError("its units in training are not those in evaluation")
        stored = self.model.state_dict()  # without buffers that are constants of the architecture
        self._tensors = [[name for name in unit.tensors if name in stored] for unit in self._units[False]]
        self._parts = [_modules(model, unit) for unit in self._units[False]]
        self._modes = [EVALUATION] * len(self.names)
        self._modules_of: dict[tuple[int, bool], nn.Module] = {}

    def unit(self, number: int, inputs: Tensor, noise: Noise | None = None) -> Tensor:
        """See Network.unit."""
        mode = EVALUATION if noise is None else self._training_mode(number)
        if mode != self._modes[number]:
            self._modes[number] = mode
            for module in self._parts[number]:
                module.training = mode.norms if isinstance(module, _BatchNorm) else mode.others
        return self._module_of(number, mode.graph)(inputs)

    def _training_mode(self, number: int) -> Mode:
        if number >= self.frozen:
            return LEARNING
        return Mode(self.frozen_dropout, self.frozen_batch_statistics, self.frozen_dropout)

    def _module_of(self, number: int, training: bool) -> nn.Module:
        if (number, training) not in self._modules_of:
            self._modules_of[number, training] = unit_module(self.model, self._units[training][number])
        return self._modules_of[number, training]

    def tensors(self, number: int) -> list[str]:
        """See Network.tensors."""
        return list(self._tensors[number])

    def state_dict(self, *args: object, **options: object) -> dict[str, Tensor]:
        """The model's own, so that its library reads what we write."""
        return self.model.state_dict(*args, **options)

    def load_state_dict(self, *args: object, **options: object) -> NamedTuple:
        """The model's own."""
        return self.model.load_state_dict(*args, **options)

    def named_parameters(self, *args: object, **options: object) -> Iterator[tuple[str, nn.Parameter]]:
        """The model's own."""
        return self.model.named_parameters(*args, **options)

    def named_buffers(self, *args: object, **options: object) -> Iterator[tuple[str, Tensor]]:
        """The model's own."""
        return self.model.named_buffers(*args, **options)

    def norms(self, count: int) -> list[_BatchNorm]:
        """See Network.norms."""
        return [one for parts in self._parts[:count] for one in parts if isinstance(one, _BatchNorm)]

    def compile_units(self) -> None:
        """Compile each unit with torch.compile."""
        for number in range(len(self.names)):
            for training in (False, True):
                self._module_of(number, training).compile(dynamic=False)

    def _apply(self, function: Callable[[Tensor], Tensor], recurse: bool = True) -> "TracedNetwork":
        """nn.Module's, which `to` calls. It may replace buffers, so the units are made again."""
        self._modules_of.clear()
        return super()._apply(function, recurse)


def unit_module(model: nn.Module, unit: Unit) -> fx.GraphModule:
    """A unit as a module of its own, one tensor in and one out. It shares its parameters and buffers with `model`."""
    graph, own = fx.Graph(), set(unit.nodes)
    dependent = dependent_nodes(unit.nodes[0].graph)
    (entry,) = {one for node in unit.nodes for one in node.all_input_nodes if one in dependent and one not in own}
    copies = {entry: graph.placeholder("inputs")}

    def copy(node: fx.Node) -> None:
        if node not in copies:
            for one in node.all_input_nodes:  # constants of the unit, such as its parameters
                copy(one)
            copies[node] = graph.node_copy(node, lambda one: copies[one])

    for node in unit.nodes:
        copy(node)
    graph.output(copies[unit.nodes[-1]])
    return fx.GraphModule(model, graph)


def _modules(model: nn.Module, unit: Unit) -> list[nn.Module]:
    """The modules that a unit calls, and those within them."""
    called = [model.get_submodule(node.target) for node in unit.nodes if node.op == "call_module"]
    return [inner for module in dict.fromkeys(called) for inner in module.modules()]
