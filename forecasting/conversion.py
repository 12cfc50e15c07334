"""How likely a visit is to convert: a calibrated classifier over the visit history, or plain rates where it is thin.

The classifier is a logistic regression over what was known before each visit (`forecasting.visit_memory`), fitted on
the older part of the history and calibrated (Platt 1999) on the newer part, so that "20 %" means one sale in five
visits. On the sample organisation gradient-boosted trees were no better and ten times slower. Everything is
deterministic: the same history gives the same model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from common.errors import InvalidInput, Text
from forecasting.visit_memory import WON, Features, PastVisit, VisitAhead, VisitMemory, in_order, rows_before

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Shares = NDArray[np.float64]

Method = Literal["model", "rates"]


@dataclass(frozen=True, slots=True)
class ConversionSettings:
    """When history is enough, and what is believed while it is not.

    Attributes
    ----------
    least_visits, least_won : int
        With fewer visits, or fewer won or not won ones, the plain rates are used.
    most_visits : int
        Only so many of the newest visits are learnt from.
    calibration_share : float
        Share of the history, the newest part, that calibrates.
    prior_rates : tuple of (grade, rate)
        Conversion by grade before anything is known; the empty grade is for ungraded customers.
    prior_visits : float
        They count like so many visits of each grade.
    inverse_penalty : float
        ``C`` of the logistic regression.
    """

    least_visits: int = 200
    least_won: int = 20
    most_visits: int = 20_000
    calibration_share: float = 0.2
    prior_rates: tuple[tuple[str, float], ...] = (("A", 0.3), ("B", 0.15), ("C", 0.07), ("", 0.15))
    prior_visits: float = 20.0
    inverse_penalty: float = 0.1


@dataclass(frozen=True, slots=True)
class ConversionModel:
    """What gives a visit its probability.

    Attributes
    ----------
    method : {"model", "rates"}
        The calibrated classifier, or smoothed rates by grade.
    reason : Text
        Why this method is used.
    visits, won : int
        How many visits it was learnt from, and how many of them converted.
    known_until : datetime or None
        When the newest of them was recorded.
    fingerprint : str
        Of the history: the same for the same visits in whatever order.
    rates : mapping of grade to float
        Smoothed conversion rates, which are also the answer of the method ``rates``.
    """

    method: Method
    reason: Text
    visits: int
    won: int
    known_until: datetime | None
    fingerprint: str
    rates: Mapping[str, float]
    _fitted: tuple[Any, Any] | None = field(default=None, repr=False, compare=False)

    def probabilities(self, ahead: Sequence[VisitAhead], memory: VisitMemory) -> list[float]:
        """Return the probability, within 0 to 1, that each visit converts.

        Parameters
        ----------
        ahead : sequence of VisitAhead
        memory : VisitMemory
            Of these customers' visits; it may know more than the model learnt from. Visits that were recorded later
            than the earliest of ``ahead`` should not be in it.
        """
        if self._fitted is None:
            return [
                self.rate(memory.grade_of(one.customer, one.at) if one.grade is None else one.grade) for one in ahead
            ]
        return [float(share) for share in self._score([memory.features(one) for one in ahead])]

    def of_features(self, features: Sequence[Features], grades: Sequence[str]) -> list[float]:
        """Return the probability for features that `VisitMemory` has already made, and the grades that go with them."""
        if self._fitted is None:
            return [self.rate(grade) for grade in grades]
        return [float(share) for share in self._score(features)]

    def rate(self, grade: str) -> float:
        """Return the smoothed rate of a grade; an unknown grade counts as none."""
        return self.rates.get(grade, self.rates[""])

    def _score(self, features: Sequence[Features]) -> Shares:
        assert self._fitted is not None
        names, classifier = self._fitted
        if not features:
            return classifier.classes_[:0].astype(float)  # type: ignore[no-any-return]
        return classifier.predict_proba(names.transform(features))[:, 1]  # type: ignore[no-any-return]


def train(visits: Sequence[PastVisit], settings: ConversionSettings | None = None) -> ConversionModel:
    """Return the model of a history; with little history, one that answers with plain rates and says so.

    Parameters
    ----------
    visits : sequence of PastVisit
        In any order.

    Raises
    ------
    InvalidInput
        When the settings make no sense, or moments with and without a zone are mixed.
    """
    settings = settings or ConversionSettings()
    if not 0 < settings.calibration_share < 1:
        raise InvalidInput.at("/calibration_share", "must lie between 0 and 1", "必须介于 0 和 1 之间")
    newest = in_order(visits)[-settings.most_visits :]
    rows = list(rows_before(newest, VisitMemory()))
    outcomes = [visit.outcome == WON for visit, _ in rows]
    won = sum(outcomes)
    rates = _rates(rows, settings)
    known_until = max((visit.recorded_at for visit in newest), default=None)
    fingerprint = fingerprint_of(newest)

    def model(method: Method, reason: Text, fitted: tuple[Any, Any] | None) -> ConversionModel:
        return ConversionModel(method, reason, len(newest), won, known_until, fingerprint, rates, fitted)

    if len(newest) < settings.least_visits or min(won, len(newest) - won) < settings.least_won:
        return model("rates", _thin(len(newest), won, settings), None)
    fitted = _fitted_if_better(rows, outcomes, settings)
    if fitted is None:
        text = Text(
            "rates by grade: a model of this history is no better than they are", "按等级的转化率：该历史上模型并不更优"
        )
        return model("rates", text, None)
    text = Text(
        f"calibrated model of {len(newest)} visits, {won} of them won",
        f"由 {len(newest)} 次拜访（其中成交 {won} 次）训练并校准的模型",
    )
    return model("model", text, fitted)


def _thin(visits: int, won: int, settings: ConversionSettings) -> Text:
    return Text(
        f"rates by grade: {visits} visits, {won} of them won, are too few for a model "
        f"(at least {settings.least_visits} visits, {settings.least_won} won and {settings.least_won} not)",
        f"按等级的转化率：{visits} 次拜访、成交 {won} 次，不足以训练模型"
        f"（至少需要 {settings.least_visits} 次拜访，成交与未成交各 {settings.least_won} 次）",
    )


def _fitted_if_better(
    rows: Sequence[tuple[PastVisit, Features]], outcomes: Sequence[bool], settings: ConversionSettings
) -> tuple[Any, Any] | None:
    """Return names and classifier, or nothing when the plain rates would have been as good on the newest part.

    For the trial the classifier knows nothing of the newest part; what is returned is calibrated on it.
    """
    import numpy as np
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.metrics import log_loss

    names = DictVectorizer()
    table = names.fit_transform([features for _, features in rows])
    target = np.array(outcomes, dtype=int)
    count, share = len(target), settings.calibration_share
    cut = round(count * (1 - share))
    trial = _classifier(table[:cut], target[:cut], round(cut * (1 - share)), settings)
    final = _classifier(table, target, cut, settings)
    if trial is None or final is None:
        return None
    known = _rates(rows[:cut], settings)
    by_grade = [known.get(_grade(features), known[""]) for _, features in rows[cut:]]
    loss = log_loss(target[cut:], trial.predict_proba(table[cut:])[:, 1], labels=[0, 1])
    return (names, final) if loss < log_loss(target[cut:], by_grade, labels=[0, 1]) else None


def _classifier(table: Any, target: NDArray[np.int64], cut: int, settings: ConversionSettings) -> Any | None:
    """Fit on the rows before ``cut`` and calibrate on the others; nothing when a part has only one outcome."""
    import numpy as np
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression

    if len(set(target[:cut].tolist())) < 2 or len(set(target[cut:].tolist())) < 2:
        return None
    plain = LogisticRegression(C=settings.inverse_penalty, max_iter=500)
    parts = [(np.arange(cut), np.arange(cut, len(target)))]
    return CalibratedClassifierCV(plain, method="sigmoid", cv=parts).fit(table, target)


def _rates(rows: Sequence[tuple[PastVisit, Features]], settings: ConversionSettings) -> dict[str, float]:
    """Return conversion by the grade **before** the visit, drawn towards the prior rates."""
    prior = dict(settings.prior_rates)
    prior.setdefault("", 0.15)
    counts = {grade: [0, 0] for grade in prior}
    for visit, features in rows:
        tally = counts.setdefault(_grade(features), [0, 0])
        tally[0] += 1
        tally[1] += visit.outcome == WON
    weight = settings.prior_visits
    return {
        grade: (won + weight * prior.get(grade, prior[""])) / (visits + weight)
        for grade, (visits, won) in counts.items()
    }


def _grade(features: Features) -> str:
    name = next(name for name in features if name.startswith("grade="))
    grade = name.removeprefix("grade=")
    return "" if grade == "none" else grade


def fingerprint_of(visits: Sequence[PastVisit]) -> str:
    """Return a checksum of a history; the order of the visits does not matter."""
    digest = hashlib.sha256()
    for visit in in_order(visits):
        digest.update(
            repr(
                (
                    visit.customer,
                    visit.rep,
                    visit.customer_type,
                    visit.started_at.isoformat(),
                    visit.recorded_at.isoformat(),
                    visit.outcome,
                    visit.grade,
                    tuple(sorted(visit.objections)),
                    tuple(sorted(visit.rep_skills)),
                )
            ).encode()
        )
    return digest.hexdigest()[:16]
