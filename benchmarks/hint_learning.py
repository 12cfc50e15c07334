"""How the hints learn from use, in a synthetic world whose true rates are known.

``python -m benchmarks.hint_learning`` compares the plain ranking with the evidence from use, without and with several
shares of exploration, and checks the offline estimates against the truth. Synthetic: it shows that the method works,
and what exploration costs; it says nothing about how much a real organisation gains.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.hint_world import Tally, World
from coach.evidence_chooser import EvidenceChooser, FactorTable
from coach.logged_hints import Reward
from coach.offline_evaluation import Estimate, RankingComparison, compare
from coach.ranking import Chooser, PlainChooser

SHARES = (0.0, 0.05, 0.1, 0.3, 1.0)
EXPLORED_ON_TRIAL = 0.3
REWARDS: tuple[Reward, ...] = ("adoption", "conversion")
COUNTED_EVERY = 250
"""Hints between two counts; the service counts every half hour."""


@dataclass(frozen=True)
class Course:
    """How one way of ranking went: true wins of 100 hints in each stretch between counts, and at the end."""

    shown: np.ndarray
    usual_at_end: np.ndarray


def run_course(world: World, exploration: float, hints: int, seed: int) -> Course:
    """Let the hints learn from nothing, counting again after every stretch."""
    rng = np.random.default_rng(seed)
    tally, shown = Tally(), []
    chooser: Chooser = PlainChooser()
    usual: Chooser = chooser
    by_key = [{candidate.key: candidate for candidate in question} for question in world.questions]
    read = world.examination.at(np.arange(1, 4))
    for _ in range(hints // COUNTED_EVERY):
        wins = 0.0
        for _ in range(COUNTED_EVERY):
            kind, lines = world.ask(chooser, rng)
            tally.add(lines)
            for place, line in enumerate(lines):
                wins += read[place] * world.chance(by_key[kind][line.key]) * world.conversion[line.key]
        shown.append(100 * wins / COUNTED_EVERY)
        table = FactorTable.of(world.rates(tally), rng)
        chooser, usual = EvidenceChooser(table, exploration=exploration, rng=rng), EvidenceChooser(table)
    return Course(np.array(shown), 100 * world.values(world.shown_by(usual))[1])


def learning_table(worlds: Sequence[World], hints: int) -> Table:
    """Return true wins of 100 hints: at first, at last, and what the ranking has learned by then."""
    plain = np.mean([100 * world.values(world.shown_by(PlainChooser()))[1] for world in worlds])
    best = np.mean([100 * world.values(world.best_lists())[1] for world in worlds])
    columns = (
        "ranking",
        "first quarter",
        "last quarter",
        "without chance at the end",
        "gain over plain",
        "regret early",
        "late",
    )
    table = Table(*columns, title=f"synthetic: true wins of 100 hints, {hints} hints, mean of {len(worlds)} worlds")
    table.add_row("plain", *[f"{plain:.2f}"] * 3, "", *[f"{best - plain:.2f}"] * 2)
    for share in SHARES:
        courses = [run_course(world, share, hints, seed) for seed, world in enumerate(worlds)]
        quarter = len(courses[0].shown) // 4
        early, late = (
            np.mean([part.mean() for part in parts])
            for parts in zip(*((course.shown[:quarter], course.shown[-quarter:]) for course in courses), strict=True)
        )
        end = np.mean([course.usual_at_end for course in courses])
        name = f"evidence, {share:.0%} explored" if share else "evidence, none explored"
        table.add_row(
            name,
            f"{early:.2f}",
            f"{late:.2f}",
            f"{end:.2f}",
            f"{end / plain - 1:+.1%}",
            f"{best - early:.2f}",
            f"{best - late:.2f}",
        )
    table.add_row("best possible", *[f"{best:.2f}"] * 3, f"{best / plain - 1:+.1%}", "0.00", "0.00")
    return table


def coverage_table(world: World, logs: int, hints: int) -> Table:
    """Return how the offline estimates of a new ranking compare with its true value."""
    rng = np.random.default_rng(7)
    tally = Tally()
    for _ in range(600):
        tally.add(world.ask(PlainChooser(), rng)[1])
    table = FactorTable.of(world.rates(tally), rng)
    new, logging = EvidenceChooser(table), EvidenceChooser(table.on_trial(), exploration=EXPLORED_ON_TRIAL, rng=rng)
    plain = PlainChooser()
    truth = world.values(world.shown_by(new)), world.values(world.shown_by(plain))
    result = Table(
        "reward",
        "estimate",
        "truth",
        "mean",
        "bias",
        "spread",
        "interval holds the truth",
        title=f"synthetic: {logs} logs of {hints} hints on trial, {EXPLORED_ON_TRIAL:.0%} explored; nominal 95 %",
    )
    found: dict[Reward, list[RankingComparison]] = {reward: [] for reward in REWARDS}
    for _ in range(logs):
        log = world.log(logging, new, plain, hints, rng)
        for reward in REWARDS:
            compared = compare(log, world.types, reward=reward)
            assert compared is not None, "the log holds hints"
            found[reward].append(compared)
    for at, reward in enumerate(REWARDS):
        true_new, true_gain = truth[0][at], truth[0][at] - truth[1][at]
        wanted: dict[str, tuple[float, list[Estimate]]] = {
            "new, SNIPS": (true_new, [each.new.snips for each in found[reward]]),
            "new, doubly robust": (true_new, [each.new.doubly_robust for each in found[reward]]),
            "gain, SNIPS": (true_gain, [each.snips_difference for each in found[reward]]),
            "gain, doubly robust": (true_gain, [each.difference for each in found[reward]]),
        }
        for name, (true, estimates) in wanted.items():
            result.add_row(reward, name, *_against(true, estimates))
    return result


def _against(true: float, estimates: Sequence[Estimate]) -> list[str]:
    values = np.array([each.value for each in estimates])
    held = np.mean([each.low <= true <= each.high for each in estimates])
    figures = [f"{true:.4f}", f"{values.mean():.4f}", f"{values.mean() - true:+.4f}", f"{values.std():.4f}"]
    return [*figures, f"{held:.0%}"]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hints", type=int, default=3000, help="hints of one course")
    parser.add_argument("--worlds", type=int, default=3, help="worlds that a course is run in")
    parser.add_argument("--logs", type=int, default=30, help="logs that the estimates are checked on")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    console = Console(width=140)
    console.print(learning_table([World(seed) for seed in range(arguments.worlds)], arguments.hints))
    console.print(coverage_table(World(100), arguments.logs, hints=1000))
    console.print(f"took {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
