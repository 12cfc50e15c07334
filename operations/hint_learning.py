"""Learning from use: the choice of suggestions that knows what reps used and what won, and the trial of a ranking."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from coach.evidence import EntryRates
from coach.evidence_chooser import EvidenceChooser, FactorTable
from coach.examination import Examination, estimate_examination
from coach.logged_hints import LoggedHint, LoggedLine, Reward, replayed
from coach.offline_evaluation import RankingComparison, compare
from coach.ranking import Chooser, PlainChooser
from common.errors import InvalidInput
from operations.access import Actor
from operations.hint_log import unpack_candidates
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import Hint, HintFeedback, HintSuggestion, Visit
from operations.use_counting import ADOPTED, OUTCOME_KNOWN, WON, count_use, entry_types, was_read

log = logging.getLogger("fieldwise.hints")

EvidenceMode = Literal["on", "trial", "off"]
RankingName = Literal["plain", "evidence"]
RANKINGS: tuple[RankingName, ...] = ("plain", "evidence")
LEAST_ADOPTIONS = 30.0
"""Adoptions, by weight, from which on use has a say: before, there is nothing to learn from and nothing is explored."""
COUNT_AGAIN_AFTER_S = 1800.0
MOST_HINTS_REPLAYED = 10_000


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How use counts.

    Attributes
    ----------
    mode : {"on", "trial", "off"}
        ``on``: use has a say in every hint. ``trial``: only in those that are explored, so that `compare_rankings` can
        tell whether to switch it on. ``off``: the words alone decide, and nothing is explored.
    exploration : float
        Share of the questions that are explored, 0 to 1.
    half_life_days : float
        Age at which a hint counts half.
    examination : Examination
        How likely each place is read; the starting point when it is estimated.
    estimate_examination : bool
        Whether it is estimated from the hints.

    Raises
    ------
    InvalidInput
        When a number is out of range.
    """

    mode: EvidenceMode = "on"
    exploration: float = 0.1
    half_life_days: float = 90.0
    examination: Examination = field(default_factory=Examination)
    estimate_examination: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.exploration <= 1:
            raise InvalidInput.at("/exploration", "must lie between 0 and 1", "须在 0 到 1 之间")
        if not 1 <= self.half_life_days <= 3650:
            raise InvalidInput.at("/half_life_days", "must lie between 1 and 3650", "须在 1 到 3650 之间")


class EvidenceDesk:
    """Keeps the evidence from use at hand for hints, and counts it again every half hour beside them.

    Parameters
    ----------
    database : Database
    settings : EvidenceSettings
    rng : numpy Generator, optional
        For the draws and the exploration.
    """

    def __init__(
        self, database: Database, settings: EvidenceSettings, *, rng: np.random.Generator | None = None
    ) -> None:
        self._database = database
        self._settings = settings
        self._rng = rng or np.random.default_rng()
        self._exploring: Chooser = PlainChooser()
        self._settled: Chooser = PlainChooser()
        self._counting = threading.Lock()
        self._counted_at: float | None = None

    def chooser(self, *, explores: bool = True) -> Chooser:
        """Return the chooser of the moment, at once; counts that grew old are renewed beside.

        Until something was counted, with too few adoptions, or with the evidence off, it is the plain one.

        Parameters
        ----------
        explores : bool
            Whether a share of the choices may be left to chance; only useful where the hint is stored.
        """
        if self._settings.mode != "off" and self._is_old() and self._counting.acquire(blocking=False):
            threading.Thread(target=self._count_beside, name="hint-evidence", daemon=True).start()
        return self._exploring if explores else self._settled

    def refresh(self) -> None:
        """Count again before returning."""
        if self._settings.mode != "off":
            with self._counting:
                self._count()

    def _is_old(self) -> bool:
        return self._counted_at is None or time.monotonic() - self._counted_at > COUNT_AGAIN_AFTER_S

    def _count_beside(self) -> None:
        try:
            self._count()
        except Exception:
            # The old counts go on serving; the next half hour tries again.
            log.exception("the use of hints could not be counted")
        finally:
            self._counting.release()

    def _count(self) -> None:
        self._counted_at = time.monotonic()
        with self._database.read() as session:
            rates, _ = count_rates(session, self._settings, until=self._database.clock.now())
        if rates.adoptions < LEAST_ADOPTIONS:
            self._exploring = self._settled = PlainChooser()
            return
        table = FactorTable.of(rates, self._rng)
        if self._settings.mode == "trial":
            table = table.on_trial()
        self._exploring = EvidenceChooser(table, exploration=self._settings.exploration, rng=self._rng)
        self._settled = EvidenceChooser(table)


def count_rates(session: Session, settings: EvidenceSettings, *, until: datetime) -> tuple[EntryRates, Examination]:
    """Return how often each published entry was adopted and won, by the hints that were given before ``until``.

    Returns
    -------
    EntryRates
    Examination
        How likely each place was taken to be read: as set, or as estimated.
    """
    counts = count_use(session, until=until, half_life_days=settings.half_life_days)
    examination = settings.examination
    if settings.estimate_examination:
        examination = estimate_examination(counts, examination)
    return EntryRates.fit(counts, entry_types(session), examination), examination


@dataclass(frozen=True, slots=True)
class Trial:
    """Which rankings to compare, on which hints.

    Attributes
    ----------
    new, current : {"plain", "evidence"}
    reward : {"adoption", "conversion"}
    since : datetime or None
        First moment of the hints that are replayed; None for four weeks ago.
    region : str or None
        Only hints of this region.
    """

    new: RankingName = "evidence"
    current: RankingName = "plain"
    reward: Reward = "adoption"
    since: datetime | None = None
    region: str | None = None


def compare_rankings(
    session: Session, actor: Actor, trial: Trial, settings: EvidenceSettings | None = None
) -> RankingComparison | None:
    """Return whether a new ranking would have earned more than the current one, or None when there are no hints.

    The newest hints since ``trial.since`` are replayed, at most `MOST_HINTS_REPLAYED`. The evidence is counted up to
    that moment only: a ranking that had seen the hints which it is judged on would look better than it is.

    Raises
    ------
    InvalidInput
        When a ranking is unknown, or the region is.
    """
    actor.require("library:read")
    for name in ("new", "current"):
        if getattr(trial, name) not in RANKINGS:
            listed = ", ".join(RANKINGS)
            raise InvalidInput.at(f"/{name}", f"must be one of {listed}", f"须为 {listed} 之一")
    region = actor.region_or_own(trial.region)
    if region is not None:
        require_region(session, region)
    settings = settings or EvidenceSettings()
    since = trial.since or session.info["clock"].now() - timedelta(days=28)
    rates, examination = count_rates(session, settings, until=since)
    # no draws: the trial is of what the ranking shows when it does not explore
    evidence = EvidenceChooser(FactorTable.of(rates, np.random.default_rng(0), draws=1))
    choosers: dict[RankingName, Chooser] = {"plain": PlainChooser(), "evidence": evidence}
    hints = list(_replayed_hints(session, (choosers[trial.new], choosers[trial.current]), since, region))
    return compare(hints, entry_types(session), reward=trial.reward, examination=examination)


def _replayed_hints(
    session: Session, choosers: tuple[Chooser, Chooser], since: datetime, region: str | None
) -> Iterator[LoggedHint]:
    newest = select(Hint.id, Hint.asked_at, Hint.asked_by, Hint.region_code, Hint.candidates).where(
        Hint.asked_at >= since, Hint.matched, Hint.candidates.is_not(None)
    )
    if region is not None:
        newest = newest.where(Hint.region_code == region)
    newest = newest.order_by(Hint.asked_at.desc(), Hint.id).limit(MOST_HINTS_REPLAYED)
    shown = _shown_lines(session, since)
    new, current = choosers
    for hint_id, asked_at, asked_by, region_code, packed in session.execute(newest).yield_per(500):
        lines = shown.get(hint_id)
        if lines:
            candidates, k = unpack_candidates(packed), len(lines)
            yield LoggedHint(
                cluster=f"{asked_by}/{asked_at.date()}",
                lines=tuple(lines),
                new=replayed(new, candidates, k, region=region_code),
                current=replayed(current, candidates, k, region=region_code),
            )


def _shown_lines(session: Session, since: datetime) -> dict[str, list[LoggedLine]]:
    """Return the lines of each hint that was read, in their order, with what became of them."""
    query = (
        select(
            HintSuggestion.hint_id,
            HintSuggestion.entry_key,
            HintSuggestion.propensity,
            ADOPTED,
            OUTCOME_KNOWN,
            WON,
        )
        .join(Hint, Hint.id == HintSuggestion.hint_id)
        .outerjoin(
            HintFeedback,
            and_(HintFeedback.hint_id == HintSuggestion.hint_id, HintFeedback.rank == HintSuggestion.rank),
        )
        .outerjoin(Visit, Visit.id == HintFeedback.visit_id)
        .where(Hint.asked_at >= since, Hint.candidates.is_not(None), was_read(Hint.superseded))
        .order_by(HintSuggestion.hint_id, HintSuggestion.rank)
    )
    lines: dict[str, list[LoggedLine]] = {}
    for hint_id, key, propensity, adopted, known, won in session.execute(query):
        line = LoggedLine(key, propensity, bool(adopted), bool(won) if known else None)
        lines.setdefault(hint_id, []).append(line)
    return lines
