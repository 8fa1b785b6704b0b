import math
import shutil

import pytest
import torch
from torch.nn import functional

from workflow_scripts.network.architectures import ARCHITECTURES, caffenet, layer_costs, mini_caffenet
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.local_response_norm import LocalResponseNorm
from workflow_scripts.network.networks import CaffeNet, Noise, Share


def test_caffenet_is_the_published_network():
    costs = layer_costs(caffenet(), 227, 1000)
    assert sum(cost.parameters for cost in costs) == 60_965_224
    # docs/design.md, the paper's protocol; sides after the pools are Caffe's 27, 13, 13, 13, 6.
    assert [cost.output_shape for cost in costs[:5]] == [(96, 27), (256, 13), (384, 13), (384, 13), (256, 6)]
    assert costs[1].weight_shape == (256, 48, 5, 5)
    assert costs[5].weight_shape == (4096, 256 * 6 * 6)
    specs = caffenet()
    assert [spec.name for spec in specs if spec.lrn] == ["conv1", "conv2"]
    assert [spec.name for spec in specs if spec.pool] == ["conv1", "conv2", "conv5"]
    assert [spec.name for spec in specs if spec.dropout == 0.5] == ["fc6", "fc7"]
    assert [spec.caffe_bias for spec in specs] == [0, 1, 0, 1, 1, 1, 1, 0]
    assert [spec.caffe_std for spec in specs] == [0.01] * 5 + [0.005] * 2 + [0.01]


@pytest.mark.parametrize(("name", "crop"), [("caffenet", 227), ("mini_caffenet", 32)])
def test_counted_shapes_are_the_networks_own(name, crop):
    specs = ARCHITECTURES[name]()
    costs = layer_costs(specs, crop, 7)
    network = CaffeNet(specs, crop, 7)
    assert sum(parameter.numel() for parameter in network.parameters()) == sum(cost.parameters for cost in costs)
    activations = torch.zeros(1, 3, crop, crop)
    for layer, cost in zip(network.layers.values(), costs, strict=True):
        activations = layer(activations)
        assert activations.numel() == cost.output_shape[0] * cost.output_shape[1] ** 2


def test_a_crop_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="too small"):
        layer_costs(caffenet(), 10, 1000)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_local_response_norm_is_torchs(memory_format):
    random = torch.Generator().manual_seed(0)
    inputs, gradient = (torch.randn(2, 16, 5, 5, generator=random) for _ in range(2))
    inputs = (50 * inputs).contiguous(memory_format=memory_format).requires_grad_()
    ours, torchs = LocalResponseNorm.apply(inputs), functional.local_response_norm(inputs, 5, 1e-4, 0.75)
    torch.testing.assert_close(ours, torchs)
    torch.testing.assert_close(*(torch.autograd.grad(outputs, inputs, gradient) for outputs in (ours, torchs)))


def noise(seed: int) -> Noise:
    """The noise of a batch of four images."""
    return Noise(torch.Generator(), Share(0, 4, 4)).seed(seed)


def test_local_response_norms_gradient():
    inputs = torch.randn(1, 7, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 50
    assert torch.autograd.gradcheck(LocalResponseNorm.apply, inputs.requires_grad_())


def test_a_layer_is_relu_then_pool_then_normalisation():
    """The order of the published network, though the ReLU is computed after the pool, with which it commutes."""
    network = CaffeNet(mini_caffenet(), 32, 5)
    initialise(network, "he", 1)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    layer = network.layers["conv1"]
    outputs = functional.conv2d(images, layer.weight, layer.bias, stride=2, padding=2)
    outputs = functional.max_pool2d(functional.relu(outputs), 3, 2, ceil_mode=True)
    expected = functional.local_response_norm(outputs, 5, 1e-4, 0.75)
    torch.testing.assert_close(layer(images), expected)
    gradient = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    ours, torchs = (torch.autograd.grad(out, layer.weight, gradient) for out in (layer(images), expected))
    torch.testing.assert_close(ours, torchs)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_compiled_layers_compute_the_same():
    plain, compiled = (CaffeNet(mini_caffenet()[5:], 8, 5) for _ in range(2))
    for network in (plain, compiled):
        initialise(network, "he", 1)
    compiled.compile_units()
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    outputs = [network(images, noise(2)) for network in (plain, compiled)]
    torch.testing.assert_close(*outputs)
    gradients = [
        torch.autograd.grad(out.square().sum(), network.layers["fc6"].weight)
        for out, network in zip(outputs, (plain, compiled), strict=True)
    ]
    torch.testing.assert_close(*gradients)


def test_initialisations():
    he, caffe = CaffeNet(caffenet(), 227, 500), CaffeNet(caffenet(), 227, 500)
    initialise(he, "he", 1)
    initialise(caffe, "caffe", 1)
    fc6 = he.layers["fc6"]
    assert fc6.weight.std().item() == pytest.approx(math.sqrt(2 / 9216), rel=0.01)
    assert caffe.layers["fc6"].weight.std().item() == pytest.approx(0.005, rel=0.01)
    assert caffe.layers["conv2"].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert fc6.bias.eq(0).all()
    assert caffe.layers["fc6"].bias.eq(1).all()
    assert caffe.layers["conv3"].bias.eq(0).all()


def test_copying_layers_leaves_the_rest():
    source, copy = CaffeNet(mini_caffenet(), 32, 5), CaffeNet(mini_caffenet(), 32, 9)
    initialise(source, "he", 1)
    initialise(copy, "he", 2)
    copy.copy_units(source.state_dict(), 3)
    equal = [torch.equal(a.weight, b.weight) for a, b in zip(source.layers.values(), copy.layers.values(), strict=True)]
    assert equal == [True] * 3 + [False] * 5


def test_dropout_only_with_noise_and_by_its_seed():
    network = CaffeNet(mini_caffenet(), 32, 5)
    initialise(network, "he", 1)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network(images), network(images))
    first, again, other = (network(images, noise(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_dropout_drops_its_share_and_keeps_the_mean():
    for specs, crop in ((mini_caffenet(), 32), (caffenet(), 227)):
        with torch.device("meta"):  # no need of 61 million weights
            network = CaffeNet(specs, crop, 5)
        assert [name for name, layer in network.layers.items() if layer.spec.dropout] == ["fc6", "fc7"]
        layer = network.layers["fc6"]
        mask = layer.dropout_mask(Share(0, 101, 101), torch.Generator().manual_seed(0))
        assert mask.shape == (101, layer.spec.outputs)
        assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - layer.spec.dropout)])
        assert (mask == 0).float().mean().item() == pytest.approx(layer.spec.dropout, abs=0.005)
        assert mask.mean().item() == pytest.approx(1, abs=0.01)
        # No two rows and no two columns are equal.
        assert len(mask.unique(dim=0)) == len(mask)
        assert len(mask.unique(dim=1)[0]) == layer.spec.outputs


def test_a_network_can_start_at_any_depth():
    network = CaffeNet(mini_caffenet(), 32, 5)
    initialise(network, "he", 1)
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    activations = images
    for depth, layer in enumerate(network.layers.values(), start=1):
        activations = layer(activations)
        assert torch.equal(network(activations, start=depth), network(images))
