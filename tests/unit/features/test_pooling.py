"""A unit's outputs of every shape as features."""

import pytest
import torch

from workflow_scripts.features.pooling import MOST_FEATURES, pool_features
from workflow_scripts.network.build import build_network

RANDOM = torch.Generator().manual_seed(0)


def outputs(*shape):
    return torch.randn(shape, generator=RANDOM)


@pytest.mark.parametrize(
    ("channels", "side", "grid"),
    [(1280, 7, 1), (1024, 7, 1), (512, 7, 1), (256, 14, 2), (64, 56, 4), (17, 112, 4), (16, 112, 8), (3, 112, 8)],
)
def test_few_channels_get_a_fine_grid(channels, side, grid):
    maps = outputs(2, channels, side, side)
    found = pool_features(maps)
    assert found.shape == (2, channels * grid**2)
    cell = side // grid
    first = maps[:, :, :cell, :cell] if side % grid == 0 else maps[:, :, : -(-side // grid), : -(-side // grid)]
    torch.testing.assert_close(found.view(2, channels, grid, grid)[:, :, 0, 0], first.mean((2, 3)))


def test_a_grid_is_no_finer_than_the_map():
    maps = outputs(2, 16, 3, 3)
    torch.testing.assert_close(pool_features(maps), torch.nn.functional.adaptive_avg_pool2d(maps, 2).flatten(1))
    torch.testing.assert_close(pool_features(outputs(2, 16, 1, 1)).shape, torch.Size([2, 16]))


def test_channels_may_be_last_and_the_memory_format_says_nothing():
    maps = outputs(2, 96, 56, 56)
    found = pool_features(maps)
    torch.testing.assert_close(pool_features(maps.permute(0, 2, 3, 1).contiguous()), found)
    torch.testing.assert_close(pool_features(maps.contiguous(memory_format=torch.channels_last)), found)


def test_maps_of_three_equal_sizes_have_their_channels_first():
    maps = outputs(2, 56, 56, 56)
    assert torch.equal(pool_features(maps), torch.nn.functional.adaptive_avg_pool2d(maps, 4).flatten(1))


def test_more_channels_than_features_are_averaged():
    assert pool_features(outputs(2, 5000, 3, 3)).shape == (2, MOST_FEATURES)


def test_tokens_give_the_class_token_and_the_mean_of_the_image():
    tokens = outputs(2, 197, 192)
    torch.testing.assert_close(pool_features(tokens), torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1))


def test_tokens_without_a_class_token_give_their_mean():
    tokens = outputs(2, 196, 192)
    torch.testing.assert_close(pool_features(tokens), tokens.mean(1))


def test_registers_are_left_out():
    tokens = outputs(2, 5 + 256, 192)
    torch.testing.assert_close(pool_features(tokens), torch.cat([tokens[:, 0], tokens[:, 5:].mean(1)], 1))


def test_vectors_stay_unless_they_are_too_wide():
    vectors = outputs(2, MOST_FEATURES)
    assert torch.equal(pool_features(vectors), vectors)
    wide = outputs(2, 2 * MOST_FEATURES)
    torch.testing.assert_close(pool_features(wide), wide.view(2, MOST_FEATURES, 2).mean(2))


@pytest.mark.parametrize("shape", [(2, 64, 8, 8), (2, 17, 32), (2, 32)])
def test_features_are_float32_whatever_the_outputs_are(shape):
    exact = outputs(*shape).half()
    found = pool_features(exact)
    assert found.dtype == torch.float32
    assert torch.equal(found, pool_features(exact.float()))


def test_other_outputs_are_refused():
    with pytest.raises(ValueError, match="5 dimensions"):
        pool_features(outputs(2, 3, 4, 4, 4))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "counts"),
    [
        ("timm:tf_efficientnet_lite0", [512, 1024] + [384] * 2 + [640] * 2 + [320] * 3 + [448] * 3 + [768] * 4),
        ("torchvision:resnet18", [1024] * 3 + [512] * 2 + [1024] * 2 + [512] * 2),
        ("torchvision:swin_t", [384] * 3 + [768] * 2 + [384] * 6 + [768] * 2),
        ("torchvision:vit_b_32", [1536] * 12 + [768]),  # its last unit gives the class token alone
        ("torchvision:alexnet", [1024, 768, 384, 1024, MOST_FEATURES, MOST_FEATURES, MOST_FEATURES]),
    ],
)
def test_every_unit_of_real_networks(architecture, counts):
    network = build_network(architecture, 224, 10)
    found = outputs(1, 3, 224, 224)
    sizes = []
    with torch.inference_mode():
        for number in range(len(network.names) - 1):
            found = network.unit(number, found)
            sizes.append(pool_features(found).shape[1])
    assert sizes[: len(counts)] == counts
    assert max(sizes) <= MOST_FEATURES
