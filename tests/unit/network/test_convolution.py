"""The rearranged convolutions of a GPU equal torch's, with their gradients."""

import pytest
import torch
from torch.nn import functional

from workflow_scripts.network.convolution import convolve, into_channels, one_group


def leaves(inputs_shape, weight_shape):
    random = torch.Generator().manual_seed(0)
    return [
        torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()
        for shape in (inputs_shape, weight_shape)
    ]


def check(outputs, expected, inputs, weight):
    """The same numbers, and the same gradients."""
    torch.testing.assert_close(outputs, expected)
    gradient = torch.randn(expected.shape, dtype=torch.float64)
    found, wanted = (torch.autograd.grad(one, [inputs, weight], gradient) for one in (outputs, expected))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [(227, 11, 4, 0), (224, 11, 4, 2), (32, 5, 2, 2), (19, 4, 4, 0), (23, 7, 5, 1)],
)
def test_pixels_moved_into_channels_change_nothing(side, kernel, stride, padding):
    inputs, weight = leaves((2, 3, side, side), (4, 3, kernel, kernel))
    folded = into_channels(inputs, weight, stride, padding)
    assert folded[0].shape[1] == 3 * stride**2
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in folded)
    check(functional.conv2d(*folded), functional.conv2d(inputs, weight, None, stride, padding), inputs, weight)


@pytest.mark.parametrize("groups", [2, 3])
def test_one_group_computes_what_several_do(groups):
    inputs, weight = leaves((2, 12, 9, 9), (6, 12 // groups, 3, 3))
    outputs = functional.conv2d(inputs, one_group(weight, groups), None, 1, 1)
    check(outputs, functional.conv2d(inputs, weight, None, 1, 1, groups=groups), inputs, weight)


def test_on_a_cpu_nothing_is_rearranged():
    inputs, weight = (tensor.detach().float() for tensor in leaves((2, 96, 27, 27), (256, 48, 5, 5)))
    bias = torch.ones(256)
    expected = functional.conv2d(inputs, weight, bias, 1, 2, groups=2)
    assert torch.equal(convolve(inputs, weight, bias, 1, 2, 2), expected)
