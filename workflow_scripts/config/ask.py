"""Step: which network, cut where, for a folder of images? docs/ask.md says what it does.

It writes a small study for each network, runs it, and prints the answer. `make ask DATA=photos/` starts it.
"""

import argparse
import hashlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from workflow_scripts.config import ask_run
from workflow_scripts.config.ask_data import AskedData, asked_data, sample_data
from workflow_scripts.config.ask_networks import AskedNetwork, asked_networks
from workflow_scripts.config.ask_price import probe_minutes, rate, tuning_minutes
from workflow_scripts.config.ask_study import best_cuts, study_of, study_text, written_cuts
from workflow_scripts.config.ask_words import ABOVE, CUT, in_the_commands_words, minutes_in_words, ranking_text
from workflow_scripts.config.checks import check_config
from workflow_scripts.config.given import DEFAULTS, SCHEMA, study_config, with_defaults
from workflow_scripts.config.resources import SAMPLE_CLASS_COUNT
from workflow_scripts.config.units import known_units, with_units
from workflow_scripts.network.catalogue import UnitCost, known_architectures
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.study.paths import description_file, results_folder, store_folder

ROOT = Path(__file__).parents[2]
ASKED = Path("results", "ask")
LONGEST = 80  # letters of a ranking's name


@dataclass
class Ask:
    """One network of the command: its study, which lies in `file`."""

    data: AskedData
    network: AskedNetwork
    seeds: int
    threads: int
    device: str
    input: Mapping  # that of its weights, where `auto` does not know it

    def study(self, cuts: Sequence[int] = ()) -> dict:
        """What the study's file holds."""
        return study_of(self.data, self.network, self.seeds, self.threads, self.device, self.input, cuts)

    def config(self, cuts: Sequence[int] = ()) -> dict:
        """The whole, checked configuration. Raises InputError in the command's words."""
        config = study_config(with_defaults(ROOT / DEFAULTS, self.study(cuts)), ROOT, False, None)
        try:
            check_config(config, ROOT / SCHEMA)
        except InputError as error:
            raise InputError(in_the_commands_words(str(error).removeprefix("configuration: "))) from None
        return config

    @property
    def file(self) -> Path:
        """The study's file."""
        return ASKED / f"{self.study()['study']}.yaml"

    @property
    def results(self) -> Path:
        """The study's results directory."""
        return results_folder(self.study())

    @property
    def units(self) -> list[UnitCost] | None:
        """The network's units, the head last; None where neither the catalogue nor the study's description has them."""
        config = self.config()
        return known_units(config, description_file(config))

    def write(self, cuts: Sequence[int] = ()) -> None:
        """Write the study's file, unless it is there as it would be."""
        text = study_text(self.study(cuts), self.file)
        if not self.file.exists() or self.file.read_text(encoding="utf-8") != text:
            write_text(self.file, text)

    def make(self, *targets: str) -> None:
        """Make files of the study, named below its results directory."""
        ask_run.run_study(self.file, ROOT, [f"{self.results}/{target}" for target in targets])


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="a folder, tar or table of images; the drawn sample without one")
    parser.add_argument("--network", default="", help="one or several, as torchvision:resnet18")
    parser.add_argument("--weights", default="", help="a safetensors file or a tag, one for each network")
    parser.add_argument("--fine-tune", default="", help="1: frozen and fine-tuned networks at the best cuts too")
    parser.add_argument("--seeds", default="", help="how many times held-out images and random weights are drawn")
    args = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: Snakemake is stopped too
        signal.signal(stop, signal.default_int_handler)
    try:
        run(args.data.strip(), args.network, args.weights, _flag(args.fine_tune), _count(args.seeds))
    except ask_run.Failed as failed:
        sys.exit(f"{cli.ERROR}{in_the_commands_words(str(failed))}")
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept, and the same command goes on.", file=sys.stderr)
        sys.exit(130)


def run(data: str, networks: str, weights: str, fine_tune: bool, seeds: int) -> None:
    """Answer for each of the `networks`; see the module's docstring."""
    chosen = asked_networks(networks, weights)
    found = asked_data(data, ASKED) if data else _sample()
    device = ask_run.device()
    asks = [Ask(found, network, seeds, ask_run.cores(), device, _stated(network)) for network in chosen]
    for ask in asks:
        ask.config()
    _say_what(found, data)
    for ask in asks:
        _get_network(ask)
    minutes = [_say_price(ask) for ask in asks]
    if len(asks) > 1:
        print(f"In all: {minutes_in_words(sum(minutes))}.")
    for ask in asks:
        _answer(ask, fine_tune)
    print()
    for ask in asks:
        _print_answer(ask)
    if len(asks) > 1:
        _rank(asks)


def _sample() -> AskedData:
    defaults = yaml.safe_load((ROOT / DEFAULTS).read_text(encoding="utf-8"))
    return sample_data(defaults["dataset"]["sample"], SAMPLE_CLASS_COUNT)


def _stated(network: AskedNetwork) -> dict:
    """What timm states of the input of a network's weights; nothing where the study's `auto` knows it."""
    if not network.architecture.startswith("timm:") or network.architecture in known_architectures():
        return {}
    options = ["--network", network.architecture, "--weights", network.weights]
    return json.loads(ask_run.run_step("network.state_input", ROOT, options))


def _say_what(data: AskedData, given: str) -> None:
    """Print what was found."""
    if not given:
        print("Without DATA, these are the drawn images of the default study. Name yours: make ask DATA=photos/")
    split = data.section.get("split")
    drawn = f" ({100 * split['val_fraction']:.0f} % of each class, drawn)" if split else ""
    counts = f"{data.images['train']:,} to train and {data.images['val']:,} to validate{drawn}"
    place = data.section.get("path", "the drawn sample")
    print(f"{place}: {sum(data.images.values()):,} images of {data.classes:,} classes, {counts}.", flush=True)


def _get_network(ask: Ask) -> None:
    """Write the study, and get the network's weights and units, which need internet and may be refused."""
    is_new = not ask.file.exists()
    ask.write(written_cuts(ask.file))
    weights = "networks/pretrained.safetensors"
    try:
        if ask.units is None or not (ask.results / weights).exists():
            ask.make("tables/units.json", weights)
    except ask_run.Failed:
        if is_new:
            ask.file.unlink()
        raise


def _say_price(ask: Ask) -> float:
    """Print, and give, the minutes of a network's probes."""
    config = ask.config()
    packed = (store_folder(config) / "manifest.json").exists()
    minutes = probe_minutes(config, ask.data, ask.units, packed)
    speed = f"{rate(config, ask.units) / 1e9:,.0f} billion operations a second"
    where = "a GPU" if ask.device == "cuda" else f"{ask.threads} core{'s' * (ask.threads > 1)}"
    again = " What is there already is not computed again." * (ask.results / "report.html").exists()
    print(
        f"{ask.network.name}: {len(ask.units) - 1} cuts, {minutes_in_words(minutes)} at {speed} ({where}).{again}",
        flush=True,
    )
    return minutes


def _answer(ask: Ask, fine_tune: bool) -> None:
    """Run the probes and, to fine-tune, curves at the cuts that they choose."""
    if not fine_tune:
        ask.write()
        ask.make("report.html")
        return
    written = written_cuts(ask.file)
    ask.make("tables/probes.csv")
    cuts = best_cuts(ask.results / "tables/probes.csv")
    if not cuts:
        raise InputError(f"{ask.results}/tables/probes.csv: no probe has an accuracy. Look at {ask.results}/logs/.")
    if cuts != written:
        ask.write(cuts)
        config = ask.config(cuts)
        minutes = tuning_minutes(with_units(config, ask.units), ask.data, ask.units)
        print(f"Frozen and fine-tuned at n = {', '.join(map(str, cuts))}: {minutes_in_words(minutes)}.", flush=True)
    ask.make("report.html")


def _print_answer(ask: Ask) -> None:
    """Print where to cut, what training above it gives if that was run, and where the report is."""
    found = json.loads((ask.results / "tables/findings.json").read_text(encoding="utf-8"))["findings"]
    answers = {one["question"]: one["answer"] for one in found}
    print(f"{ask.network.name}: {answers.get(CUT, 'There is no answer.')}")
    if ABOVE in answers:
        print(f"{ABOVE} {answers[ABOVE]}")
    print(f"The report is {(ask.results / 'report.html').absolute()}", flush=True)


def _rank(asks: Sequence[Ask]) -> None:
    """Rank the networks in a figure and a table, unless that was done since their probes."""
    name = "_".join(["ask", asks[0].data.name, *(ask.network.label for ask in asks)])
    if len(name) > LONGEST:
        name = f"{name[:LONGEST]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    files = [ask.results / "tables/probes.csv" for ask in asks]
    image, table, record = (ASKED / f"{name}_ranking.{kind}" for kind in ("png", "csv", "json"))
    if not record.exists() or record.stat().st_mtime < max(file.stat().st_mtime for file in files):
        options = ["--probes", *map(str, files), "--names", *(ask.network.name for ask in asks)]
        outputs = ["--output", str(image), "--table", str(table), "--record", str(record)]
        ask_run.run_step("report.rank_networks", ROOT, [*options, *outputs])
    print(f"\n{ranking_text(table)}\nThe figure is {image.absolute()}, and the table {table.absolute()}")


def _flag(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise InputError(f"FINE_TUNE: {text} is neither 0 nor 1. Correct it.")
    return text == "1"


def _count(text: str) -> int:
    if text and not (text.isdecimal() and 1 <= int(text) <= 100):
        raise InputError(f"SEEDS: {text} is no number of repetitions, from 1 to 100. Correct it.")
    return int(text or 1)


if __name__ == "__main__":
    cli.run(main)
