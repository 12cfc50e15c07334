"""Estimates of what another ranking would have earned, against worlds whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.hint_world import Tally, World
from coach.evidence_chooser import EvidenceChooser, FactorTable
from coach.examination import Examination
from coach.logged_hints import LoggedHint, LoggedHints, LoggedLine, Reward
from coach.offline_evaluation import LARGEST_WEIGHT, RankingComparison, compare
from coach.ranking import Candidate, Choice, PlainChooser

PLAIN = PlainChooser()


class Fixed:
    """Shows the candidates in the order of a hidden worth."""

    def __init__(self, worth: dict[str, float]) -> None:
        self._worth = worth

    def choose(self, candidates: list[Candidate], k: int, *, region: str | None) -> list[Choice]:
        best = sorted(candidates, key=lambda candidate: -self._worth[candidate.key])
        return [Choice(candidate) for candidate in best[:k]]


class Shuffled:
    """Shows candidates by pure chance, each at each place with the same propensity."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def choose(self, candidates: list[Candidate], k: int, *, region: str | None) -> list[Choice]:
        order = self._rng.permutation(len(candidates))[:k]
        return [Choice(candidates[at], 1 / len(candidates)) for at in order]


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, types=3, entries=4, kinds=12)


@pytest.fixture(scope="module")
def good(world: World) -> Fixed:
    return Fixed({key: world.adoption[key] for key in world.types})


@pytest.fixture(scope="module")
def bad(world: World) -> Fixed:
    return Fixed({key: -world.adoption[key] for key in world.types})


def compared(
    world: World, hints: list[LoggedHint], reward: Reward = "adoption", **options: object
) -> RankingComparison:
    found = compare(hints, world.types, reward=reward, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def shuffled_log(world: World, new: Fixed, current: Fixed, hints: int, seed: int = 0) -> list[LoggedHint]:
    rng = np.random.default_rng(seed)
    return world.log(Shuffled(rng), new, current, hints, rng)


@pytest.mark.parametrize(("reward", "at"), [("adoption", 0), ("conversion", 1)])
def test_both_estimates_come_near_the_truth_and_their_intervals_hold_it(
    world: World, good: Fixed, bad: Fixed, reward: Reward, at: int
) -> None:
    found = compared(world, shuffled_log(world, good, bad, 6000), reward)
    for estimate, chooser in ((found.new, good), (found.current, bad)):
        truth = world.values(world.shown_by(chooser))[at]
        for each in (estimate.snips, estimate.doubly_robust):
            assert each.low <= truth <= each.high
            assert each.value == pytest.approx(truth, abs=0.06 if at == 0 else 0.03)
            assert each.high - each.low < 0.25


def test_intervals_hold_the_truth_about_as_often_as_they_say(world: World, good: Fixed, bad: Fixed) -> None:
    truth = world.values(world.shown_by(good))[0] - world.values(world.shown_by(bad))[0]
    logs = [compared(world, shuffled_log(world, good, bad, 400, seed)) for seed in range(40)]
    for differences in ([each.difference for each in logs], [each.snips_difference for each in logs]):
        assert sum(each.low <= truth <= each.high for each in differences) >= 33


def test_a_wrong_model_of_reading_does_not_mislead_the_robust_estimate(world: World, good: Fixed, bad: Fixed) -> None:
    hints = shuffled_log(world, good, bad, 6000)
    truth = world.values(world.shown_by(good))[0]
    wrong = compared(world, hints, examination=Examination((0.05, 1.0, 1.0)))
    assert wrong.new.doubly_robust.low <= truth <= wrong.new.doubly_robust.high


def test_a_better_ranking_is_called_better_and_a_worse_one_is_not(world: World, good: Fixed, bad: Fixed) -> None:
    assert compared(world, shuffled_log(world, good, bad, 4000)).verdict == "better"
    assert compared(world, shuffled_log(world, bad, good, 4000)).verdict == "not better"
    same = compared(world, shuffled_log(world, good, good, 4000))
    assert (same.verdict, same.difference.value) == ("not better", 0.0)


def test_few_hints_are_called_too_few(world: World, good: Fixed, bad: Fixed) -> None:
    found = compared(world, shuffled_log(world, good, bad, 300))
    assert found.verdict == "not enough data"
    assert "are needed" in found.reason.en
    assert found.new.effective_hints < 300


def test_many_hints_of_few_people_are_called_too_few(world: World, good: Fixed, bad: Fixed) -> None:
    hints = [replace(hint, cluster=f"day{n % 19}") for n, hint in enumerate(shuffled_log(world, good, bad, 4000))]
    found = compared(world, hints)
    assert found.verdict == "not enough data"
    assert "19 days" in found.reason.en
    spread = [replace(hint, cluster=f"day{n % 20}") for n, hint in enumerate(hints)]
    assert compared(world, spread).verdict == "better"


def test_a_log_without_chance_says_nothing_about_another_ranking(world: World, good: Fixed) -> None:
    rng = np.random.default_rng(0)
    found = compared(world, world.log(PLAIN, good, PLAIN, 3000, rng))
    assert found.verdict == "not enough data"
    assert found.current.snips.value == pytest.approx(found.logged)
    assert found.current.support == pytest.approx(1.0)
    assert found.new.support < 0.8


def test_the_evidence_is_found_better_from_a_trial_of_it(world: World) -> None:
    rng = np.random.default_rng(6)
    tally = Tally()
    for _ in range(4000):
        tally.add(world.ask(Shuffled(rng), rng)[1])
    table = FactorTable.of(world.rates(tally), rng)
    trial = EvidenceChooser(table.on_trial(), exploration=0.5, rng=rng)
    hints = world.log(trial, EvidenceChooser(table), PLAIN, 6000, rng)
    found = compared(world, hints, "conversion")
    lists = world.shown_by(EvidenceChooser(table)), world.shown_by(PLAIN)
    gain = world.values(lists[0])[1] - world.values(lists[1])[1]
    assert found.difference.low <= gain <= found.difference.high
    assert found.new.support == pytest.approx(1.0, abs=0.15)


def test_outcomes_that_are_not_known_yet_are_made_up_for_by_those_that_are(
    world: World, good: Fixed, bad: Fixed
) -> None:
    hints = shuffled_log(world, good, bad, 200)
    certain = [
        replace(hint, lines=tuple(replace(line, won=line.adopted and number % 3 == 0) for line in hint.lines))
        for number, hint in enumerate(hints)
    ]
    forgotten = [
        hint if number % 2 else replace(hint, lines=tuple(replace(line, won=None) for line in hint.lines))
        for number, hint in enumerate(certain)
    ]
    totals = [LoggedHints.of(each, "conversion").rewards.sum() for each in (certain, forgotten)]
    assert totals[1] == pytest.approx(totals[0], rel=0.25)


def test_a_line_shown_by_a_rare_chance_does_not_speak_for_thousands() -> None:
    usual = LoggedHint("day", (LoggedLine("a", 0.9),), ("a",), ("a",))
    rare = LoggedHint("day", (LoggedLine("a", 1e-6, adopted=True),), ("a",), ("a",))
    found = compare([usual] * 99 + [rare], {"a": "price"})
    assert found is not None
    assert found.new.cut_share == pytest.approx(0.01)
    assert found.new.snips.value == pytest.approx(LARGEST_WEIGHT / (99 / 0.9 + LARGEST_WEIGHT))


def test_hints_of_one_person_and_day_widen_the_interval_together(world: World, good: Fixed, bad: Fixed) -> None:
    hints = [replace(hint, cluster=str(number)) for number, hint in enumerate(shuffled_log(world, good, bad, 400))]
    copied = [copy for hint in hints for copy in [hint] * 5]
    apart = [replace(hint, cluster=str(number)) for number, hint in enumerate(copied)]
    together, believed = compared(world, copied).new.snips, compared(world, apart).new.snips
    assert together.high - together.low > 1.5 * (believed.high - believed.low)


def test_the_same_hints_give_the_same_answer(world: World, good: Fixed, bad: Fixed) -> None:
    hints = shuffled_log(world, good, bad, 300)
    assert compared(world, hints) == compared(world, hints)


def test_lists_of_different_length_are_compared_place_by_place(world: World) -> None:
    short = LoggedHint("1", (LoggedLine("type0-00", 1.0, adopted=True),), ("type0-00",), ("type0-00",))
    long = LoggedHint(
        "2", (LoggedLine("type0-00", 1.0), LoggedLine("type0-01", 1.0, adopted=True)), ("type0-00", "type0-01"), ()
    )
    found = compared(world, [short, long])
    assert found.new.snips.value == pytest.approx(1.0)
    assert found.current.snips.value == pytest.approx(0.5)


def test_without_hints_there_is_no_answer() -> None:
    assert compare([], {}) is None
