"""What the tests of a GPU share."""

import os
from dataclasses import replace

import torch

from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import TrainingSettings
from workflow_scripts.training.engine import CurveTraining

DEVICE = os.environ.get("TRANSFERABILITY_GPU_TESTS_ON", "cuda")
SETTINGS = TrainingSettings(
    **{
        "architecture": "mini_caffenet",
        "init": "he",
        "crop": 32,
        "input": "mean_image",
        "input_scale": 1 / 64,
        "mean_image": "source",
    },
    **{"batch_size": 64, "iterations": 8, "validate_every": 3, "stuck_after": 4, "learning_rate": 0.01},
    **{"schedule": {"kind": "cosine", "warmup": 2}, "momentum": 0.9, "weight_decay": 5e-4},
    **{"device": DEVICE, "precision": "fp32", "compile": False},
)
ON_GPU = DEVICE == "cuda"
BATCH = {"mini_caffenet": 64, "cifar_resnet20": 64 if ON_GPU else 4, "caffenet": 32 if ON_GPU else 4}
DEEPEST = {"mini_caffenet": 7, "cifar_resnet20": 10, "caffenet": 7}  # units below the head


def settings_of(architecture, **changes):
    crop = {"caffenet": 227}.get(architecture, 32)
    return replace(
        SETTINGS, **{"architecture": architecture, "crop": crop, "batch_size": BATCH[architecture], **changes}
    )


def start(batches, settings, weights=None, source="A", treatment="frozen", depths=(0,), cuda_graphs=False):
    """A training at its beginning; without `weights`, of a base network."""
    if weights is None and source != "random":
        source, treatment = "B", "base"
    job = TrainingJob("random0", 0, source, "B", treatment, depths=tuple(depths))
    return CurveTraining(job, settings, batches, weights, cuda_graphs)


def finish(training, save=lambda state: None, interrupted=lambda: False):
    """Train to the end; the learners by depth, or None if interrupted."""
    done = training.run(save, 1e9, interrupted, lambda training: None)
    return {learner.depth: learner for learner in training.learners} if done else None


def weights_of(learner):
    return {name: tensor.detach().cpu().clone() for name, tensor in learner.network.state_dict().items()}


def different_layers(one, other):
    """The layers of which a parameter or buffer has different bits, in the network's order."""
    different = [name for name, tensor in one.items() if not torch.equal(tensor, other[name])]
    return list(dict.fromkeys(name.removeprefix("layers.").rpartition(".")[0] for name in different))


def different_units(learner, weights):
    """The numbers of the units of which a parameter or buffer differs from `weights`."""
    now, network = weights_of(learner), learner.network
    numbers = range(len(network.names))
    return [
        number
        for number in numbers
        if not all(torch.equal(now[name], weights[name]) for name in network.tensors(number))
    ]


def losses(training, iterations):
    """The first network's loss at each iteration (float64, on the CPU)."""
    learner, found = training.learners[0], []
    for images, labels in training.batches.training(0, training.settings.batch_size, 0, iterations):
        learner.loss_sum.zero_()
        training._step(images, labels)
        found.append(learner.loss_sum.clone())
    return torch.stack(found).double().cpu()
