"""Progress of a training job: a bar with ETA on a terminal, otherwise one line per validation; TensorBoard if asked."""

import sys
import time
from pathlib import Path

from tqdm import tqdm

from workflow_scripts.training.engine import CurveTraining


class TrainingProgress:
    """Called with the training after each iteration and each reading."""

    def __init__(self, training: CurveTraining, title: str) -> None:
        total = training.settings.last_iteration
        terminal = sys.stderr.isatty()
        self.bar = tqdm(total=total, initial=training.iteration, desc=title, unit="it", disable=not terminal)
        self.first, self.started = training.iteration, time.monotonic()
        self.last_reading = training.learners[0].last_iteration
        if not terminal:
            print(f"{title}: iterations {training.iteration} to {total}", file=sys.stderr, flush=True)

    def __call__(self, training: CurveTraining) -> None:
        """Advance the bar, or print a line if there is a new validation reading."""
        if not self.bar.disable:
            self.bar.update(training.iteration - self.bar.n)
        elif training.learners[0].last_iteration > self.last_reading:
            self.last_reading = training.learners[0].last_iteration
            self._print_line(training)

    def _print_line(self, training: CurveTraining) -> None:
        settings, done = training.settings, training.iteration - self.first
        elapsed = time.monotonic() - self.started
        rate = done * settings.batch_size / elapsed
        left = elapsed / max(1, done) * (settings.last_iteration - training.iteration)
        networks = ", ".join(
            f"n={learner.depth} loss {learner.readings[-1]['train_loss']:.3f} top-1 {learner.readings[-1]['top1']:.3f}"
            for learner in training.learners
        )
        print(
            f"iteration {training.iteration}/{settings.last_iteration}, {rate:.0f} images/s, {left:.0f} s left; "
            f"{networks}",
            file=sys.stderr,
            flush=True,
        )


class TensorBoardLog:
    """Event files of all readings in `folder`/depth<n>/, for `tensorboard --logdir`; called as TrainingProgress is."""

    def __init__(self, training: CurveTraining, folder: str | Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.last_reading = training.learners[0].last_iteration
        self.writers = [
            SummaryWriter(f"{folder}/depth{learner.depth}", purge_step=self.last_reading + 1)
            for learner in training.learners
        ]

    def __call__(self, training: CurveTraining) -> None:
        """Write a new reading, if there is one."""
        if training.learners[0].last_iteration == self.last_reading:
            return
        self.last_reading = training.iteration
        rate = training.settings.rate(training.iteration - 1)
        for learner, writer in zip(training.learners, self.writers, strict=True):
            values = learner.readings[-1] | {"learning_rate": rate}
            for name in sorted(set(values) - {"iteration"}):
                writer.add_scalar(name, values[name], training.iteration)
            writer.flush()
