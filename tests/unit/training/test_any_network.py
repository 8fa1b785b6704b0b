"""What holds for the paper's networks holds for any: company, frozen units, interruption."""

import hashlib
from dataclasses import replace

import pytest
import torch
import torchvision
from test_training import SETTINGS, finish, start, weights_of

from workflow_scripts.network import models
from workflow_scripts.network.networks import Network
from workflow_scripts.network.norms import NORM_STATISTICS
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.schedules import learning_rate_factor
from workflow_scripts.training.devices import set_deterministic

SLOW = pytest.mark.slow
# Batch norm and shortcuts; a transformer with dropout; chains, and other norms or none; squeeze-and-excitation;
# stochastic depth.
# The last of mini_resnet's variants has dropout in fully connected layers.
NETWORKS = ["cifar_resnet20", "small_vit", *models.MINI_RESNETS, "mini_resnet_none_plain_w8_b1_fc64"]
LARGE = ["torchvision:resnet18", "torchvision:mobilenet_v2", "torchvision:mobilenet_v3_small"]
LARGE += ["torchvision:efficientnet_b0", "timm:test_vit", "timm:test_efficientnet"]
ALL = [*NETWORKS, *(pytest.param(name, marks=SLOW) for name in LARGE)]
FEW = [*NETWORKS[:3], *(pytest.param(name, marks=SLOW) for name in [*NETWORKS[3:], *LARGE])]


def small_vit(classes):
    """torchvision's vision transformer with 16 patches, 4 blocks and dropout."""
    options = {"num_layers": 4, "num_heads": 2, "hidden_dim": 32, "mlp_dim": 64, "dropout": 0.1}
    return torchvision.models.VisionTransformer(32, 8, attention_dropout=0.1, num_classes=classes, **options)


@pytest.fixture(scope="module", autouse=True)
def small_vit_has_a_name():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(models.OWN, "small_vit", small_vit)
        yield


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(params=FEW)
def settings(request):
    return replace(SETTINGS, architecture=request.param, iterations=4, validate_every=2)


def base_weights(batches, settings):
    return weights_of(finish(start(batches, settings=settings, source="B", treatment="base"))[0])


def same(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize(("source", "treatment"), [("A", "frozen"), ("A", "finetuned"), ("random", "frozen")])
def test_a_network_does_not_depend_on_its_company(batches, settings, source, treatment):
    weights = base_weights(batches, settings)

    def train(depths):
        return finish(start(batches, weights, settings, source=source, treatment=treatment, depths=depths))

    together = train([1, 2, 4])
    for depth in (2, 4):
        alone = train([depth])[depth]
        assert same(weights_of(alone), weights_of(together[depth]))
        assert alone.readings == together[depth].readings


def frozen_sha256(network: Network, depth: int) -> dict[str, str]:
    """SHA-256 of the first `depth` units' parameters, of the norms' running statistics, and of all other buffers."""
    state, parameters = network.state_dict(), {name for name, _ in network.named_parameters()}
    hashes = {kind: hashlib.sha256() for kind in ("parameters", "statistics", "others")}
    for name in sorted(name for number in range(depth) for name in network.tensors(number)):
        is_statistic = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        kind = "parameters" if name in parameters else "statistics" if is_statistic else "others"
        hashes[kind].update(name.encode() + state[name].numpy().tobytes())
    return {kind: one.hexdigest() for kind, one in hashes.items()}


@pytest.mark.parametrize("statistics", NORM_STATISTICS)
@pytest.mark.parametrize("source", ["A", "random"])
@pytest.mark.parametrize("architecture", ALL)
def test_frozen_means_frozen(batches, architecture, source, statistics):
    """Parameters and buffers are the source's after training; but for running statistics, which are the target's, or
    drift as a careless freeze lets them.
    """
    settings = replace(SETTINGS, architecture=architecture, iterations=2, validate_every=2)
    settings = replace(settings, norm_statistics=statistics)
    weights = base_weights(batches, settings) if source == "A" else None
    training = start(batches, weights, settings, source=source, depths=[1, 3])
    before = {one.depth: frozen_sha256(one.network, one.depth) for one in training.learners}
    started = {one.depth: weights_of(one) for one in training.learners}
    for depth, learner in finish(training).items():
        after, network = frozen_sha256(learner.network, depth), learner.network
        same_statistics = statistics == "source" or not network.norms(depth)
        assert after["parameters"] == before[depth]["parameters"]
        assert after["others"] == before[depth]["others"]
        assert (after["statistics"] == before[depth]["statistics"]) == same_statistics
        frozen = {name for number in range(depth) for name in network.tensors(number)}
        if weights:
            assert all(torch.equal(started[depth][name], weights[name]) for name in frozen)
        learned = {name for name, _ in network.named_parameters()} - frozen
        unchanged = [name for name in learned if torch.equal(weights_of(learner)[name], started[depth][name])]
        assert len(unchanged) < len(learned) / 4, unchanged


@pytest.mark.parametrize("architecture", ALL)
def test_a_selffer_with_all_units_and_the_head_copied_scores_as_base(batches, architecture):
    settings = replace(SETTINGS, architecture=architecture, iterations=4, validate_every=2)
    base = finish(start(batches, settings=settings, source="B", treatment="base"))[0]
    weights, deepest = weights_of(base), len(base.network.names) - 1
    training = start(batches, weights, replace(settings, learning_rate=0.0), source="B", depths=[deepest])
    (learner,) = training.learners
    learner.network.load_state_dict(weights)  # the head too, which a learning rate of 0 keeps
    readings = finish(training)[deepest].readings
    scores = ("top1", "top5", "loss")
    assert [readings[-1][key] for key in scores] == [base.readings[-1][key] for key in scores]


def test_an_interrupted_training_ends_in_the_same_bits(batches, settings):
    weights = base_weights(batches, settings)
    whole = finish(start(batches, weights, settings, depths=[2]))[2]
    states = []
    first = start(batches, weights, settings, depths=[2])
    assert finish(first, states.append, 1e9, lambda: first.iteration == 3) is None
    second = start(batches, weights, settings, depths=[2])
    second.restore(states[-1])
    again = finish(second)[2]
    assert same(weights_of(again), weights_of(whole))
    assert again.readings == whole.readings


def buffers(learner, depth):
    network = learner.network
    names = {name for number in range(depth) for name in network.tensors(number)}
    return {name: tensor.clone() for name, tensor in network.named_buffers() if name in names}


@pytest.fixture
def resnet():
    return replace(SETTINGS, architecture="mini_resnet", iterations=6, validate_every=3)


def test_the_targets_statistics_are_estimated_once(batches, resnet):
    weights = base_weights(batches, resnet)
    target = replace(resnet, norm_statistics="target")
    depths = [1, 2, 4]
    learners = finish(start(batches, weights, target, depths=depths))
    short = finish(start(batches, weights, replace(target, iterations=1), depths=depths))
    for depth in depths:
        found, early = buffers(learners[depth], depth), buffers(short[depth], depth)
        assert found
        assert all(not torch.equal(tensor, weights[name]) for name, tensor in found.items())
        assert all(torch.equal(tensor, early[name]) for name, tensor in found.items())
        parameters = {name: one for name, one in learners[depth].network.named_parameters() if not one.requires_grad}
        assert all(torch.equal(one, weights[name]) for name, one in parameters.items())


def test_the_targets_statistics_are_the_means_of_its_batches(batches, resnet):
    weights = base_weights(batches, resnet)
    (learner,) = finish(start(batches, weights, replace(resnet, norm_statistics="target"), depths=[1])).values()
    size = resnet.batch_size
    count = -(-len(batches.task.train_labels) // size)
    stream = batches.training(TrainingJob("random0", 0, "A", "B", "frozen").order_seed(), size, 0, count)
    with torch.no_grad():
        outputs = [learner.network.model.conv1(images).double() for images, _ in stream]
    mean = torch.stack([output.mean((0, 2, 3)) for output in outputs]).mean(0)
    variance = torch.stack([output.var((0, 2, 3)) for output in outputs]).mean(0)
    torch.testing.assert_close(learner.network.model.bn1.running_mean.double(), mean, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(learner.network.model.bn1.running_var.double(), variance, atol=1e-4, rtol=1e-3)


def test_batch_statistics_drift_as_a_careless_freeze_lets_them(batches, resnet):
    weights = base_weights(batches, resnet)
    careless = replace(resnet, norm_statistics="batch")
    (learner,) = finish(start(batches, weights, careless, depths=[2])).values()
    peer = start(batches, weights, resnet, depths=[2]).learners[0].network.model
    peer.train()
    job = TrainingJob("random0", 0, "A", "B", "frozen")
    with torch.no_grad():
        for images, _ in batches.training(job.order_seed(), resnet.batch_size, 0, resnet.iterations):
            peer(images)
    for name in ("bn1.running_mean", "layer1.0.bn2.running_var"):
        torch.testing.assert_close(learner.network.model.get_buffer(name), peer.get_buffer(name))
    other = finish(start(batches, weights, careless, depths=[2, 4]))[2]
    assert same(weights_of(other), weights_of(learner))


def test_adamw_is_torchs(batches, resnet):
    settings = replace(resnet, optimizer="adamw", learning_rate=1e-3, weight_decay=0.05, iterations=3)
    training = start(batches, source="B", treatment="base", settings=settings)
    peer = start(batches, source="B", treatment="base", settings=settings).learners[0].network.model
    decaying = [one for one in peer.parameters() if one.dim() > 1]
    others = [one for one in peer.parameters() if one.dim() <= 1]
    groups = [{"params": decaying, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999))
    peer.train()
    for iteration, (images, labels) in enumerate(batches.training(training.job.order_seed(), 16, 0, 3)):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * learning_rate_factor(settings.schedule, iteration, 3)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(peer(images), labels).backward()
        optimizer.step()
    ours = finish(training)[0].network.model
    for one, other in zip(ours.parameters(), peer.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
