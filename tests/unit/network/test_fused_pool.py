"""The fused kernels beside torch's own operations, run by Triton's interpreter."""

import importlib
import sys

import pytest
import torch
from torch.nn import functional

pytest.importorskip("triton", reason="torch for CPUs comes without Triton")


@pytest.fixture
def pool_norm(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    name = "workflow_scripts.network.fused_pool"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module(name).PoolNorm
    sys.modules.pop(name)  # what was built for the interpreter runs on no GPU


def by_torch(inputs, bias, norm):
    pooled = functional.relu(functional.max_pool2d(inputs + bias[:, None, None], 3, 2, ceil_mode=True))
    return functional.local_response_norm(pooled, 5, alpha=1e-4, beta=0.75, k=1.0) if norm else pooled


def both(pool_norm, inputs, bias, norm):
    """Outputs and both gradients, of the kernels and of torch."""
    found = []
    for function in (pool_norm.apply, by_torch):
        one, other = inputs.clone().requires_grad_(), bias.clone().requires_grad_()
        outputs = function(one, other, norm)
        random = torch.Generator().manual_seed(1)
        outputs.backward(torch.randn(outputs.shape, generator=random).to(outputs.dtype))
        found.append((outputs.detach(), one.grad, other.grad))
    return zip(*found, strict=True)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("shape", [(2, 7, 13, 12), (1, 16, 5, 9), (3, 3, 4, 4), (1, 1, 3, 3), (2, 150, 8, 7)])
def test_it_computes_what_torch_does(pool_norm, shape, norm):
    random = torch.Generator().manual_seed(0)
    # Large enough for the norm to divide by up to 2.
    inputs = 100 * torch.randn(shape, generator=random).to(memory_format=torch.channels_last)
    bias = torch.randn(shape[1], generator=random)
    for found, expected in both(pool_norm, inputs, bias, norm):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=2e-5, atol=1e-4)


def test_ties_go_to_the_first_pixel_and_dead_maxima_have_no_gradient(pool_norm):
    inputs = torch.tensor([[[[1.0, 1, 0], [1, 0, 0], [0, 0, 0]]], [[[-2.0, -3, -4]] * 3]])
    for found, expected in both(pool_norm, inputs, torch.zeros(1), False):
        assert torch.equal(found, expected)


def test_what_is_not_a_number_is_kept(pool_norm):
    inputs = torch.zeros(1, 2, 5, 5).to(memory_format=torch.channels_last)
    inputs[0, 1, 1, 1] = float("nan")
    found = pool_norm.apply(inputs, torch.zeros(2), False)
    assert torch.equal(found.isnan(), by_torch(inputs, torch.zeros(2), False).isnan())


def test_maxima_of_half_precision_are_rounded_once(pool_norm):
    inputs = torch.randn(2, 8, 9, 9, generator=torch.Generator().manual_seed(0)).half()
    bias = torch.full((8,), 0.1)
    expected = by_torch(inputs.float(), bias, False).half()
    assert torch.equal(pool_norm.apply(inputs, bias, False), expected)
