"""`auto` in a configuration, replaced by what the study's network was made for.

Light on purpose: the Snakefile calls this at parse time.
"""

from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.inputs import USUAL, NetworkInput, network_input

AUTO = "auto"
WEIGHTS_FILE = ".safetensors"


def is_weights_file(pretrained: object) -> bool:
    """Whether training.pretrained names a file rather than a tag of the network's library."""
    return isinstance(pretrained, str) and ("/" in pretrained or "." in pretrained)


def fill_auto(config: dict) -> None:
    """Replace `auto` in the sections store and training of `config`, in place.

    A packed image keeps the network's own margin around a crop of a different size. Values of other types are left to
    the schema.
    """
    store, training = config.get("store"), config.get("training")
    if not isinstance(store, dict) or not isinstance(training, dict):
        return
    architecture, pretrained = training.get("architecture"), training.get("pretrained")
    if not isinstance(architecture, str):
        return
    own = network_input(architecture, pretrained if isinstance(pretrained, str) else None)
    _fill(training, {"crop": own.crop, "frozen_dropout": architecture in ARCHITECTURES})
    _fill(training, {"input": "channels" if own.mean else "mean_image"})
    if isinstance(training.get("channels"), dict):
        _fill(training["channels"], _channels(own))
    _fill(store, {"image_size": _image_size(training.get("crop"), own), "resize": own.resize})


def _fill(section: dict, values: dict) -> None:
    section.update({key: value for key, value in values.items() if section.get(key) == AUTO})


def _channels(own: NetworkInput) -> dict[str, list[float]]:
    return {"mean": list(own.mean or USUAL.mean), "std": list(own.std or USUAL.std)}


def _image_size(crop: object, own: NetworkInput) -> int:
    if not isinstance(crop, int) or isinstance(crop, bool):
        return own.image_size
    return round(crop * own.image_size / own.crop)
