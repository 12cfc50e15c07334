"""How far the probabilities of conversion can be trusted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas import Answer
from common.errors import Text
from forecasting.conversion_report import Reliability

_NOTHING = Text("there are no visits to learn from yet", "还没有可供学习的拜访记录")


class ScoresAnswer(Answer):
    """Errors of probabilities; lower is better."""

    brier: float
    log_loss: float


class CalibrationBinAnswer(Answer):
    """A tenth of the later visits, from the least to the most likely."""

    visits: int
    expected: float
    won: float


class GradeScoresAnswer(Answer):
    """The later visits to customers of one grade."""

    grade: str
    visits: int
    expected: float
    won: float
    model: ScoresAnswer
    base: ScoresAnswer


class ReliabilityAnswer(Answer):
    """The report; without any history only the reason is given."""

    method: Literal["model", "rates"]
    reason: str
    learnt_from: int = 0
    tested_on: int = 0
    model: ScoresAnswer | None = None
    rates: ScoresAnswer | None = Field(None, description="Rates by grade instead.")
    base: ScoresAnswer | None = Field(None, description="One rate for all instead.")
    calibration_error: float | None = None
    bins: list[CalibrationBinAnswer] = Field(default_factory=list)
    grades: list[GradeScoresAnswer] = Field(default_factory=list)

    @classmethod
    def of(cls, found: Reliability | None, language: str) -> ReliabilityAnswer:
        """Return the answer for a report, in the reader's language."""
        if found is None:
            return cls(method="rates", reason=_NOTHING.in_language(language))
        return cls(
            method=found.method,
            reason=found.reason.in_language(language),
            learnt_from=found.learnt_from,
            tested_on=found.tested_on,
            model=ScoresAnswer.model_validate(found.model),
            rates=ScoresAnswer.model_validate(found.rates),
            base=ScoresAnswer.model_validate(found.base),
            calibration_error=found.calibration_error,
            bins=[CalibrationBinAnswer.model_validate(item) for item in found.bins],
            grades=[GradeScoresAnswer.model_validate(item) for item in found.grades],
        )
