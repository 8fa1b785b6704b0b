import dataclasses
import itertools
import math
import random

import pytest
import torch

from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import TrainingSettings, training_settings
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.checkpoint import ResumeCheckpoint
from workflow_scripts.training.devices import set_deterministic
from workflow_scripts.training.engine import CurveTraining

SETTINGS = TrainingSettings(
    architecture="mini_caffenet",
    init="he",
    crop=32,
    input="mean_image",
    input_scale=1 / 64,
    mean_image="source",
    batch_size=16,
    iterations=8,
    validate_every=3,
    stuck_after=4,
    learning_rate=0.01,
    schedule={"kind": "cosine", "warmup": 2},
    momentum=0.9,
    weight_decay=5e-4,
    optimizer="sgd",
    norm_statistics="source",
    frozen_dropout=True,
    device="cpu",
    precision="fp32",
    compile=False,
)
LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


def start(batches, weights=None, settings=SETTINGS, source="A", treatment="frozen", depths=(0,), **names):
    names = {"seed": 0, **names}
    job = TrainingJob("random0", source=source, target="B", treatment=treatment, depths=tuple(depths), **names)
    return CurveTraining(job, settings, batches, weights)


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


@pytest.mark.parametrize(
    ("source", "treatment", "preserve"),
    [("A", "frozen", 0), ("B", "frozen", 2), ("A", "finetuned", 0), ("random", "frozen", 0)],
)
def test_a_network_does_not_depend_on_its_company(batches, base, source, treatment, preserve):
    """Any depths, in any order, alone or together, give the same bits (docs/design.md, rule 3)."""

    def train(depths):
        return finish(start(batches, base, source=source, treatment=treatment, depths=depths, preserve=preserve))

    every = list(range(1, 8 - preserve))
    together = train(every)
    chosen = random.Random(0)
    for depths in [*([depth] for depth in every), *(chosen.sample(every, size) for size in (2, 3, len(every)))]:
        for depth, learner in train(depths).items():
            assert same_bits(learner, together[depth])


@pytest.mark.parametrize(("depth", "preserve"), [(1, 1), (3, 2), (5, 2), (6, 1)])
def test_preserved_layers_are_copied_and_learn(batches, base, depth, preserve):
    training = start(batches, base, depths=[depth], preserve=preserve)
    before = weights_of(training.learners[0])
    after = weights_of(finish(training)[depth])
    copied, fresh = depth + preserve, 8 - depth - preserve
    assert same_layers(before, base) == [True] * copied + [False] * fresh
    assert same_layers(before, after) == [True] * depth + [False] * (8 - depth)
    # What is fresh is the same as without preserved layers.
    plain = weights_of(start(batches, base, depths=[depth]).learners[0])
    assert same_layers(before, plain) == [True] * depth + [False] * preserve + [True] * fresh


def test_the_sources_mean_image_is_subtracted(store, tasks):
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    options = (32, 1.0, torch.device("cpu"))
    from_source, own = (Batches(*splits, tasks["B"], tasks[half].mean_image, *options) for half in ("A", "B"))
    (with_source, _), (with_own, _) = next(from_source.validation(4)), next(own.validation(4))
    difference = torch.from_numpy(tasks["B"].mean_image - tasks["A"].mean_image)[2:34, 2:34].permute(2, 0, 1).float()
    assert difference.abs().max() > 1
    torch.testing.assert_close(with_source - with_own, difference.expand(4, -1, -1, -1), atol=1e-3, rtol=0)


def test_a_shared_prefix_computes_what_the_whole_network_does(batches, base):
    training = start(batches, base, depths=[2, 5])
    images, _ = next(batches.validation(16))
    outputs = training._prefix_outputs(images, None)
    for learner in training.learners:
        assert torch.equal(learner.network(outputs[learner.depth], start=learner.depth), learner.network(images))


def test_dropout_is_active_in_frozen_layers_while_training(batches, base):
    training = start(batches, base, depths=[7])
    images, _ = next(batches.training(0, training.settings.batch_size, 0, 1))
    silent = training._prefix_outputs(images, None)
    noisy = training._prefix_outputs(images, training.noise.seed(0))
    assert all(torch.equal(*pair) for pair in zip(silent, training._prefix_outputs(images, None), strict=True))
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
    one, other_seed = (start(batches, base, depths=[4], seed=number).learners[0] for number in (0, 1))
    other_depth = start(batches, base, depths=[5]).learners[0]
    assert same_layers(weights_of(one), weights_of(other_seed)) == [True] * 4 + [False] * 4
    assert same_layers(weights_of(one), weights_of(other_depth))[5:] == [False] * 3


def test_biases_learn_at_twice_the_rate_and_do_not_decay(batches):
    settings = dataclasses.replace(SETTINGS, momentum=0.0, weight_decay=0.5)
    learner = start(batches, source="B", treatment="base", settings=settings).learners[0]
    layer = learner.network.layers["fc8"]
    torch.nn.init.ones_(layer.bias)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    gradients = {}
    for parameter in (layer.weight, layer.bias):
        parameter.register_post_accumulate_grad_hook(lambda of: gradients.update({of: of.grad.clone()}))
    images, labels = next(batches.training(0, 16, 0, 1))
    learner.step(0, images, labels, rate=0.01)
    torch.testing.assert_close(layer.weight.detach(), weight - 0.01 * (gradients[layer.weight] + 0.5 * weight))
    torch.testing.assert_close(layer.bias.detach(), bias - 0.02 * gradients[layer.bias])


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


@pytest.mark.parametrize("stop_at", range(1, 17))
def test_an_interrupted_training_ends_in_the_same_bits(batches, base, tmp_path, stop_at):
    """Interrupted when it is asked for the `stop_at`th time: after iterations, and between batches of a validation."""
    undisturbed = finish(start(batches, base, depths=[2, 6]))
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {"a": 1})
    first, asked = start(batches, base, depths=[2, 6]), itertools.count(1)
    assert finish(first, checkpoint.save, interrupted=lambda: next(asked) >= stop_at) is None
    second = start(batches, base, depths=[2, 6])
    second.restore(ResumeCheckpoint(tmp_path / "job.json", {"a": 1}).load())
    assert (second.iteration, len(second.learners[0].readings)) == (first.iteration, len(first.learners[0].readings))
    resumed = finish(second)
    for depth in (2, 6):
        assert same_bits(resumed[depth], undisturbed[depth])


def test_a_network_whose_loss_is_not_a_number_stops_and_the_others_go_on(batches, base):
    alone = finish(start(batches, base, depths=[2]))[2]
    training = start(batches, base, depths=[2, 6])
    training.learners[1].network.layers["fc8"].bias.data.fill_(float("nan"))
    after = finish(training)
    assert same_bits(after[2], alone)
    assert after[6].failed
    assert len(after[6].readings) == 3
    assert all(math.isnan(reading["train_loss"]) for reading in after[6].readings)


def test_lengths_in_epochs_become_iterations():
    leaves = dataclasses.asdict(SETTINGS) | {"duration": "4 epochs", "validate_every": "0.5 epochs", "stuck_after": 7}
    del leaves["iterations"]
    leaves["schedule"] = {"kind": "cosine", "warmup": "1 epoch"}
    settings = training_settings(leaves, images=160)
    assert (settings.iterations, settings.validate_every, settings.stuck_after) == (40, 5, 7)
    assert settings.schedule == {"kind": "cosine", "warmup": 10}


def test_bf16_trains_to_about_the_same(batches):
    losses = {}
    for precision in ("fp32", "bf16"):
        settings = dataclasses.replace(SETTINGS, precision=precision, iterations=30, validate_every=30)
        learner = finish(start(batches, source="B", treatment="base", settings=settings))[0]
        assert {tensor.dtype for tensor in weights_of(learner).values()} == {torch.float32}
        losses[precision] = learner.readings[-1]["train_loss"]
    assert losses["fp32"] != losses["bf16"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)


def test_checkpoints_of_other_jobs_and_damaged_ones_are_refused(tmp_path, capsys):
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {"rate": 0.1})
    assert checkpoint.load() is None
    checkpoint.save({"iteration": 3})
    assert checkpoint.load() == {"iteration": 3}
    assert ResumeCheckpoint(tmp_path / "job.json", {"rate": 0.2}).load() is None
    assert "different settings, data or code" in capsys.readouterr().out
    (tmp_path / ".job.resume.a-node.99.tmp.pt").touch()  # of a job that was killed while it saved
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-20])
    assert checkpoint.load() is None
    assert "damaged" in capsys.readouterr().out
    checkpoint.delete()
    assert list(tmp_path.iterdir()) == []
