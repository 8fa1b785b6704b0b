"""What a user would write instead: one network per process, ImageFolder and DataLoader, plain PyTorch.

The other side of `make bench-train`. It knows nothing of this project; the network, its optimiser, schedule,
augmentation and validation readings are those of the default study (config.yaml), in torch's own modules and defaults.
"""

import argparse
import itertools
import json
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

DEPTH_ENDS = {  # modules of the first n units
    "mini_caffenet": (4, 8, 10, 12, 15, 19, 22, 23),
    "cifar_resnet20": range(1, 12),
}


def mini_caffenet(classes):
    """The default study's network."""
    network = nn.Sequential(
        *(nn.Conv2d(3, 16, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5)),
        *(nn.Conv2d(16, 32, 5, 1, 2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5)),
        *(nn.Conv2d(32, 48, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(48, 48, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(48, 64, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(nn.Flatten(), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.1)),
        nn.Linear(256, classes),
    )
    for module in network:
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    nn.init.normal_(network[-1].weight, std=0.01)
    return network


class Block(nn.Module):
    """A residual block of CIFAR ResNet-20, whose shortcut has no parameters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, (outputs - inputs) // 2

    def forward(self, images):
        """The block's output."""
        outputs = self.bn2(self.conv2(self.bn1(self.conv1(images)).relu()))
        shortcut = nn.functional.pad(images[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return (outputs + shortcut).relu()


def cifar_resnet20(classes):
    """CIFAR ResNet-20 (He et al. 2015), a module for each unit."""
    stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Block(one, other, other // one) for one, other in itertools.pairwise(widths)]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))
    return nn.Sequential(stem, *blocks, head)


def loaders(tree, mean, args):
    """Training batches of the whole run, and validation batches."""
    subtract = v2.Lambda(lambda image: image - mean)  # before the crop, as Caffe does
    start = [v2.ToImage(), v2.ToDtype(torch.float32), subtract, v2.Lambda(lambda image: image / 64)]
    augment = v2.Compose([*start, v2.RandomCrop(32), v2.RandomHorizontalFlip()])
    train = ImageFolder(f"{tree}/train", augment)
    val = ImageFolder(f"{tree}/val", v2.Compose([*start, v2.CenterCrop(32)]))
    sampler = RandomSampler(train, num_samples=args.iterations * args.batch_size)
    options = {"batch_size": args.batch_size, "num_workers": args.workers, "persistent_workers": True}
    return DataLoader(train, sampler=sampler, **options), DataLoader(val, **options)


def optimiser_and_schedule(network, args):
    """SGD with biases at twice the rate and without decay; warm-up and cosine."""
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(
        [
            {"params": [p for p in learned if p.dim() > 1], "weight_decay": 5e-4},
            {"params": [p for p in learned if p.dim() == 1], "lr": 2 * args.rate, "weight_decay": 0},
        ],
        lr=args.rate,
        momentum=0.9,
    )

    def factor(iteration):
        if iteration < args.warmup:
            return (iteration + 1) / args.warmup
        return 0.5 * (1 + math.cos(math.pi * (iteration - args.warmup) / (args.iterations - args.warmup)))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


@torch.no_grad()
def accuracy(network, batches):
    """Top-1 accuracy."""
    network.eval()
    right, count = 0, 0
    for images, labels in batches:
        right += (network(images).argmax(1) == labels).sum().item()
        count += len(labels)
    network.train()
    return right / count


def main():
    """Train one network and print its mean of the ten best readings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", help="train/<class>/*.png, val/<class>/*.png")
    parser.add_argument("--mean", required=True, help="the mean image (a tensor saved by torch)")
    parser.add_argument("--network", choices=DEPTH_ENDS, default="mini_caffenet")
    parser.add_argument("--depth", type=int, default=0, help="leading layers copied from --source")
    parser.add_argument("--source", help="state dict of a network of this script")
    parser.add_argument("--frozen", action="store_true", help="the copied layers do not learn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=560)
    parser.add_argument("--validate-every", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--warmup", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--save")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train, val = loaders(args.tree, torch.load(args.mean, weights_only=True), args)
    network = {"mini_caffenet": mini_caffenet, "cifar_resnet20": cifar_resnet20}[args.network](len(val.dataset.classes))
    if args.depth:
        source = torch.load(args.source, weights_only=True)
        copied = [name for name in source if int(name.split(".")[0]) < DEPTH_ENDS[args.network][args.depth - 1]]
        network.load_state_dict({name: source[name] for name in copied}, strict=False)
        if args.frozen:
            for name, parameter in network.named_parameters():
                parameter.requires_grad = name not in copied
    optimiser, schedule = optimiser_and_schedule(network, args)
    readings = []
    for iteration, (images, labels) in enumerate(train, start=1):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
        schedule.step()
        if iteration % args.validate_every == 0:
            readings.append(accuracy(network, val))
    if args.save:
        torch.save(network.state_dict(), args.save)
    print(json.dumps({"top1_best10_mean": sum(sorted(readings)[-10:]) / 10}))


if __name__ == "__main__":
    main()
