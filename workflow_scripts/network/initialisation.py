"""Initial weights, drawn from a seed."""

import math

import torch

from workflow_scripts.network.networks import CaffeNet


def initialise(network: CaffeNet, init: str, seed: int) -> None:
    """Fill all weights from `seed`, drawn on the CPU layer by layer, so that the values do not depend on the device.

    "caffe" is the architecture's published Gaussian. "he" is N(0, 2 / fan-in) in layers with ReLU, for which He et al.
    (2015) derive it. With "he", the last layer has the published Gaussian, and all biases are zero.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in network.layers.values():
            fan_in = layer.weight[0].numel()
            published = init == "caffe" or not layer.spec.relu
            std = layer.spec.caffe_std if published else math.sqrt(2 / fan_in)
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=random) * std)
            layer.bias.fill_(layer.spec.caffe_bias if init == "caffe" else 0.0)
