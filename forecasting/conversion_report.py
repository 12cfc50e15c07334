"""How far conversion probabilities can be trusted: measured on visits later than all that the model learnt from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import InvalidInput, Text
from forecasting.conversion import ConversionSettings, Method, train
from forecasting.visit_memory import WON, PastVisit, VisitMemory, in_order, rows_before

BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Errors of probabilities; lower is better.

    Attributes
    ----------
    brier : float
        Mean squared error (Brier 1950).
    log_loss : float
        Mean negative log likelihood, in nats.
    """

    brier: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """A tenth of the later visits, from the least to the most likely.

    Attributes
    ----------
    visits : int
    expected, won : float
        Mean probability, and share that converted.
    """

    visits: int
    expected: float
    won: float


@dataclass(frozen=True, slots=True)
class GradeScores:
    """The later visits to customers of one grade (as it was before the visit)."""

    grade: str
    visits: int
    expected: float
    won: float
    model: Scores
    base: Scores


@dataclass(frozen=True, slots=True)
class Reliability:
    """The report.

    Attributes
    ----------
    method, reason :
        What gave the probabilities (see `forecasting.conversion.ConversionModel`).
    learnt_from, tested_on : int
        Visits, the earlier and the later ones.
    model, rates, base : Scores
        Of the model, of rates by grade, and of the one rate of all earlier visits.
    bins : tuple of CalibrationBin
    calibration_error : float
        Mean distance between probability and share over the bins, weighted by visits.
    grades : tuple of GradeScores
    """

    method: Method
    reason: Text
    learnt_from: int
    tested_on: int
    model: Scores
    rates: Scores
    base: Scores
    bins: tuple[CalibrationBin, ...]
    calibration_error: float
    grades: tuple[GradeScores, ...]


def reliability(
    visits: Sequence[PastVisit], settings: ConversionSettings | None = None, *, later_share: float = 0.2
) -> Reliability | None:
    """Train on the earlier part of the history and measure on the later part; ``None`` when there is nothing to split.

    The later visits know of each other's past, as they did when they took place, but the model learnt from none of
    them: visits recorded only after the split are left out of its history.

    Parameters
    ----------
    later_share : float
        Share of the visits that is measured on, within 0 and 1.
    """
    if not 0 < later_share < 1:
        raise InvalidInput.at("/later_share", "must lie between 0 and 1", "必须介于 0 和 1 之间")
    ordered = in_order(visits)
    cut = round(len(ordered) * (1 - later_share))
    if not 0 < cut < len(ordered):
        return None
    split_at = ordered[cut].started_at
    earlier = [visit for visit in ordered[:cut] if visit.recorded_at <= split_at]
    if not earlier:
        return None
    model = train(earlier, settings)
    memory = VisitMemory()
    rows = list(rows_before(ordered, memory))[cut:]
    grades = [_grade_before(features) for _, features in rows]
    won = [visit.outcome == WON for visit, _ in rows]
    expected = model.of_features([features for _, features in rows], grades)
    base_rate = (sum(visit.outcome == WON for visit in earlier) + 1) / (len(earlier) + 2)
    base = [base_rate] * len(won)
    bins = _bins(expected, won)
    error = sum(one.visits * abs(one.expected - one.won) for one in bins) / len(won)
    by_rate = [model.rate(grade) for grade in grades]
    return Reliability(
        model.method,
        model.reason,
        len(earlier),
        len(won),
        scores(expected, won),
        scores(by_rate, won),
        scores(base, won),
        bins,
        error,
        _by_grade(grades, expected, base, won),
    )


def scores(expected: Sequence[float], won: Sequence[bool]) -> Scores:
    """Return the errors of probabilities against what came; both have the same length, at least 1."""
    pairs = [(min(max(share, 1e-12), 1 - 1e-12), came) for share, came in zip(expected, won, strict=True)]
    brier = math.fsum((share - came) ** 2 for share, came in pairs) / len(pairs)
    loss = -math.fsum(math.log(share if came else 1 - share) for share, came in pairs) / len(pairs)
    return Scores(brier, loss)


def _grade_before(features: dict[str, float]) -> str:
    name = next(name for name in features if name.startswith("grade="))
    grade = name.removeprefix("grade=")
    return "" if grade == "none" else grade


def _bins(expected: Sequence[float], won: Sequence[bool]) -> tuple[CalibrationBin, ...]:
    order = sorted(range(len(won)), key=lambda index: (expected[index], index))
    edges = [round(part * len(order) / BINS) for part in range(BINS + 1)]
    parts = [order[first:last] for first, last in itertools.pairwise(edges) if last > first]
    return tuple(
        CalibrationBin(
            len(part),
            math.fsum(expected[index] for index in part) / len(part),
            sum(won[index] for index in part) / len(part),
        )
        for part in parts
    )


def _by_grade(
    grades: Sequence[str], expected: Sequence[float], base: Sequence[float], won: Sequence[bool]
) -> tuple[GradeScores, ...]:
    found = []
    for grade in sorted(set(grades), key=lambda grade: grade or "~"):
        places = [index for index, each in enumerate(grades) if each == grade]
        shares, came = [expected[index] for index in places], [won[index] for index in places]
        found.append(
            GradeScores(
                grade,
                len(places),
                math.fsum(shares) / len(places),
                sum(came) / len(places),
                scores(shares, came),
                scores([base[index] for index in places], came),
            )
        )
    return tuple(found)
