"""What a user would write instead on a GPU: the paper's network of torch's own modules, and a bare loop.

The other side of `make bench-gpu`. It knows nothing of this project.
"""

import torch
from torch import nn


def caffenet(classes):
    """CaffeNet, for 227 x 227 crops."""
    pool, norm = (nn.MaxPool2d(3, 2, ceil_mode=True) for _ in range(3)), (nn.LocalResponseNorm(5) for _ in range(2))
    return nn.Sequential(
        *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(inplace=True), next(pool), next(norm)),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(inplace=True), next(pool), next(norm)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(inplace=True), next(pool)),
        *(nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        nn.Linear(4096, classes),
    )


def steps(network, images, labels, precision, compiled=False):
    """A function that does `count` iterations of SGD on the same batch, in `precision` "fp32" or "bf16"."""
    network = network.to(images.device, memory_format=torch.channels_last).train()
    learning = torch.compile(network) if compiled else network
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    biases = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    groups = [{"params": weights, "weight_decay": 5e-4}, {"params": biases, "lr": 2e-6}]
    optimiser = torch.optim.SGD(groups, lr=1e-6, momentum=0.9, fused=True)

    def run(count):
        for _ in range(count):
            optimiser.zero_grad()
            with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
                scores = learning(images)
            nn.functional.cross_entropy(scores.float(), labels).backward()
            optimiser.step()

    return run
