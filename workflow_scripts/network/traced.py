"""A network of any origin as a chain of units, cut from its traced graph (units.py)."""

from collections.abc import Callable, Sequence

from torch import Tensor, fx, nn

from workflow_scripts.network.units import Unit, dependent_nodes


class TracedNetwork(nn.Module):
    """A model and its units in order, each a function of one tensor.

    Units run in the mode that `set_modes` gave them. Dropout and stochastic depth draw from torch's default generators.
    """

    def __init__(self, model: nn.Module, cut: Callable[[nn.Module], Sequence[Unit]]) -> None:
        """`cut` gives the units of the model in its present mode. Raises ValueError where the modes differ in them."""
        super().__init__()
        self.model = model
        self._cuts = {training: cut(model.train(training)) for training in (True, False)}
        self.names, self.tensors = ([getattr(unit, key) for unit in self._cuts[False]] for key in ("name", "tensors"))
        if self.names != [unit.name for unit in self._cuts[True]]:
            raise ValueError("its units in training are not those in evaluation")
        self._modules_of = [_modules_with_modes(model, unit) for unit in self._cuts[False]]
        self._training = [False] * len(self.names)
        self._graphs: dict[tuple[bool, int], fx.GraphModule] = {}

    def set_modes(self, frozen: int, training: bool) -> None:
        """Units from number `frozen` on learn if `training`; those before it are in evaluation."""
        for number, modules in enumerate(self._modules_of):
            self._training[number] = training and number >= frozen
            for module in modules:
                module.training = self._training[number]

    def unit(self, number: int, inputs: Tensor) -> Tensor:
        """The output of one unit (numbered from 0) for the outputs of the one before it, or for images."""
        training = self._training[number]
        if (training, number) not in self._graphs:  # made late, since `to` replaces buffers
            self._graphs[training, number] = unit_module(self.model, self._cuts[training][number])
        return self._graphs[training, number](inputs)

    def forward(self, inputs: Tensor, start: int = 0) -> Tensor:
        """Scores (batch, classes) of images, or of the outputs of the first `start` units."""
        for number in range(start, len(self.names)):
            inputs = self.unit(number, inputs)
        return inputs


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


def _modules_with_modes(model: nn.Module, unit: Unit) -> list[nn.Module]:
    """The modules that a unit calls, and those within them."""
    called = [model.get_submodule(node.target) for node in unit.nodes if node.op == "call_module"]
    return [inner for module in dict.fromkeys(called) for inner in module.modules()]
