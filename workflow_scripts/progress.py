"""Progress of a training job: a bar with ETA on a terminal, otherwise one line per validation."""

import sys
import time

from tqdm import tqdm

from workflow_scripts.training import CurveTraining


class TrainingProgress:
    """Called with the training after each iteration."""

    def __init__(self, training: CurveTraining, title: str) -> None:
        total = training.settings.iterations
        terminal = sys.stderr.isatty()
        self.bar = tqdm(total=total, initial=training.iteration, desc=title, unit="it", disable=not terminal)
        self.first, self.started = training.iteration, time.monotonic()
        self.readings = len(training.learners[0].readings)
        if not terminal:
            print(f"{title}: iterations {training.iteration} to {total}", file=sys.stderr, flush=True)

    def __call__(self, training: CurveTraining) -> None:
        """Advance the bar, or print a line if there is a new validation reading."""
        self.bar.update(1)
        readings = len(training.learners[0].readings)
        if self.bar.disable and readings > self.readings:
            self._print_line(training)
        self.readings = readings

    def _print_line(self, training: CurveTraining) -> None:
        settings, done = training.settings, training.iteration - self.first
        elapsed = time.monotonic() - self.started
        rate = done * settings.batch_size / elapsed
        left = elapsed / done * (settings.iterations - training.iteration)
        networks = ", ".join(
            f"n={learner.depth} loss {learner.readings[-1]['train_loss']:.3f} top-1 {learner.readings[-1]['top1']:.3f}"
            for learner in training.learners
        )
        print(
            f"iteration {training.iteration}/{settings.iterations}, {rate:.0f} images/s, {left:.0f} s left; {networks}",
            file=sys.stderr,
            flush=True,
        )
