import dataclasses

import pytest
import torch

from workflow_scripts.batches import Batches
from workflow_scripts.checkpoint import ResumeCheckpoint
from workflow_scripts.store import PackedSplit
from workflow_scripts.training import Curve, CurveTraining, TrainingSettings, set_deterministic

SETTINGS = TrainingSettings(
    architecture="mini_caffenet",
    init="he",
    crop=32,
    input_scale=1 / 64,
    mean_image="source",
    batch_size=16,
    iterations=8,
    validate_every=3,
    learning_rate=0.01,
    schedule={"kind": "cosine", "warmup": 2},
    momentum=0.9,
    weight_decay=5e-4,
    device="cpu",
)
LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(scope="module")
def batches(store, tasks):
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    return Batches(*splits, tasks["B"], tasks["A"].mean_image, 32, 1 / 64, torch.device("cpu"))


def start(batches, weights=None, settings=SETTINGS, source="A", treatment="frozen", depths=(0,), seed=0):
    return CurveTraining(Curve("random0", source, "B", treatment, seed, tuple(depths)), settings, batches, weights)


def finish(training, save=lambda state: None, save_seconds=1e9, interrupted=lambda: False):
    done = training.run(save, save_seconds, interrupted, lambda training: None)
    return {learner.depth: learner for learner in training.learners} if done else None


def weights_of(learner):
    return {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}


def same_layers(one, other):
    """Which of the layers have the same bits."""
    return [
        all(torch.equal(one[f"layers.{name}.{kind}"], other[f"layers.{name}.{kind}"]) for kind in ("weight", "bias"))
        for name in LAYERS
    ]


def same_bits(one, other):
    return all(same_layers(weights_of(one), weights_of(other))) and one.readings == other.readings


@pytest.fixture(scope="module")
def base(batches):
    """The weights of a (briefly) trained base network."""
    return weights_of(finish(start(batches, source="B", treatment="base"))[0])


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_frozen_layers_stay_the_sources_and_the_rest_is_fresh(batches, base, depth):
    training = start(batches, base, depths=[depth])
    before = weights_of(training.learners[0])
    after = weights_of(finish(training)[depth])
    copied, fresh = [True] * depth, [False] * (8 - depth)
    assert same_layers(before, base) == copied + fresh
    assert same_layers(after, base) == copied + fresh
    assert same_layers(before, after) == copied + fresh


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_finetuned_layers_start_from_the_source_and_learn(batches, base, depth):
    training = start(batches, base, treatment="finetuned", depths=[depth])
    before = weights_of(training.learners[0])
    after = weights_of(finish(training)[depth])
    assert same_layers(before, base) == [True] * depth + [False] * (8 - depth)
    assert same_layers(before, after) == [False] * 8


@pytest.mark.parametrize("treatment", ["frozen", "finetuned"])
def test_a_network_does_not_depend_on_its_company(batches, base, treatment):
    together = finish(start(batches, base, treatment=treatment, depths=range(1, 8)))
    reordered = finish(start(batches, base, treatment=treatment, depths=[7, 2, 6]))
    for depth in (2, 6, 7):
        alone = finish(start(batches, base, treatment=treatment, depths=[depth]))[depth]
        assert same_bits(alone, together[depth])
        assert same_bits(alone, reordered[depth])


def test_a_shared_prefix_computes_what_the_whole_network_does(batches, base):
    training = start(batches, base, depths=[2, 5])
    images, _ = next(batches.validation(16))
    outputs = training._prefix_outputs(images, None)
    for learner in training.learners:
        assert torch.equal(learner.network(outputs[learner.depth], first=learner.depth), learner.network(images))


def test_dropout_is_active_in_frozen_layers_while_training(batches, base):
    training = start(batches, base, depths=[7])
    images, _ = next(batches.validation(64))
    silent = training._prefix_outputs(images, None)
    noisy = training._prefix_outputs(images, torch.Generator().manual_seed(0))
    assert torch.equal(silent[5], noisy[5])  # conv5
    assert (noisy[6] == 0).float().mean() > (silent[6] == 0).float().mean() + 0.03  # fc6


def test_random_features_are_untrained_frozen_and_shared_by_all_depths(batches):
    training = start(batches, source="random", depths=[3, 7])
    before = {learner.depth: weights_of(learner) for learner in training.learners}
    assert same_layers(before[3], before[7]) == [True] * 3 + [False] * 5
    after = finish(training)
    for depth in (3, 7):
        assert same_layers(before[depth], weights_of(after[depth])) == [True] * depth + [False] * (8 - depth)


def test_seeds_and_names_give_other_networks(batches, base):
    one, other_seed = (start(batches, base, depths=[4], seed=seed).learners[0] for seed in (0, 1))
    other_depth = start(batches, base, depths=[5]).learners[0]
    assert same_layers(weights_of(one), weights_of(other_seed)) == [True] * 4 + [False] * 4
    assert same_layers(weights_of(one), weights_of(other_depth))[5:] == [False] * 3


def test_biases_learn_at_twice_the_rate_and_do_not_decay(batches):
    settings = dataclasses.replace(SETTINGS, momentum=0.0, weight_decay=0.5)
    learner = start(batches, source="B", treatment="base", settings=settings).learners[0]
    layer = learner.network.layers["fc8"]
    torch.nn.init.ones_(layer.bias)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    images, labels = next(batches.training(0, 16, 0, 1))
    learner.step(0, images, labels, rate=0.01)
    torch.testing.assert_close(layer.weight.detach(), weight - 0.01 * (layer.weight.grad + 0.5 * weight))
    torch.testing.assert_close(layer.bias.detach(), bias - 0.02 * layer.bias.grad)


def test_readings_are_taken_on_schedule_and_at_the_end(batches):
    learner = finish(start(batches, source="B", treatment="base"))[0]
    assert [reading["iteration"] for reading in learner.readings] == [3, 6, 8]
    for reading in learner.readings:
        assert 0 <= reading["top1"] <= reading["top5"] <= 1


def test_a_reading_is_the_plain_accuracy(batches):
    learner = finish(start(batches, source="B", treatment="base"))[0]
    images, labels = (torch.cat(parts) for parts in zip(*batches.validation(16), strict=True))
    with torch.no_grad():
        scores = learner.network(images)
    assert learner.readings[-1]["top1"] == pytest.approx((scores.argmax(1) == labels).float().mean().item())
    loss = torch.nn.functional.cross_entropy(scores, labels).item()
    assert learner.readings[-1]["loss"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("stop_at", range(1, 8))
def test_an_interrupted_training_ends_in_the_same_bits(batches, base, tmp_path, stop_at):
    undisturbed = finish(start(batches, base, depths=[2, 6]))
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {"a": 1})
    first = start(batches, base, depths=[2, 6])
    assert finish(first, checkpoint.save, interrupted=lambda: first.iteration >= stop_at) is None
    assert first.iteration == stop_at
    second = start(batches, base, depths=[2, 6])
    second.restore(ResumeCheckpoint(tmp_path / "job.json", {"a": 1}).load())
    resumed = finish(second)
    for depth in (2, 6):
        assert same_bits(resumed[depth], undisturbed[depth])


def test_checkpoints_of_other_jobs_and_damaged_ones_are_refused(tmp_path, capsys):
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {"rate": 0.1})
    assert checkpoint.load() is None
    checkpoint.save({"iteration": 3})
    assert checkpoint.load() == {"iteration": 3}
    assert ResumeCheckpoint(tmp_path / "job.json", {"rate": 0.2}).load() is None
    assert "other settings, data or code" in capsys.readouterr().out
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-20])
    assert checkpoint.load() is None
    assert "damaged" in capsys.readouterr().out
    checkpoint.delete()
    assert list(tmp_path.iterdir()) == []
