"""timm's networks by name. timm is imported when a network of it is asked for, since that takes seconds.

A name may end in a weights' tag, as in `resnet18.a1_in1k`: the tag is then the one that DEFAULT means.
"""

from typing import TYPE_CHECKING

from torch import Tensor, nn

from workflow_scripts.network.inputs import DEFAULT

if TYPE_CHECKING:
    from timm.models import PretrainedCfg


def is_known(name: str) -> bool:
    """Whether timm has a network of this name, and weights of its tag if it has one."""
    import timm

    base, _, tag = name.partition(".")
    removed = {one for one, successor in timm.models.get_deprecated_models().items() if not successor}
    return timm.is_model(base) and base not in removed and (not tag or tag in tags(base))


def names(name: str) -> list[str]:
    """The architectures among which to look for one like `name`: with tags, if `name` has one."""
    import timm

    return [f"timm:{one}" for one in timm.list_models(include_tags="." in name)]


def tags(name: str) -> list[str]:
    """The tags of a network's weights, its default first. `name` is without a tag."""
    import timm

    found = [one.partition(".")[2] for one in timm.list_pretrained(f"{name}.*")]
    first = timm.get_pretrained_cfg(name)
    return sorted(filter(None, found), key=lambda tag: (first is None or tag != first.tag, tag))


def model(name: str, classes: int) -> nn.Module:
    """The network of a known name with fresh weights, one output a class."""
    import timm

    return timm.create_model(name, pretrained=False, num_classes=classes)


def whole_modules() -> list[type[nn.Module]]:
    """Classes of modules that are not to be traced through."""
    from timm.layers import get_notrace_modules

    return get_notrace_modules()


def whole_functions() -> list:
    """Functions that are not to be traced through."""
    from timm.layers import get_notrace_functions

    return get_notrace_functions()


def weights_config(name: str, tag: str) -> "PretrainedCfg":
    """What timm says of the weights with this tag. DEFAULT is the tag in `name`, or timm's own choice."""
    import timm

    return timm.get_pretrained_cfg(_tagged(name, tag))


def weights(name: str, tag: str) -> dict[str, Tensor]:
    """The state dict of a network with the weights of this tag. Raises what timm raises where there is no internet."""
    import timm

    return timm.create_model(_tagged(name, tag), pretrained=True).state_dict()


def _tagged(name: str, tag: str) -> str:
    return name if tag == DEFAULT else f"{name.partition('.')[0]}.{tag}"
