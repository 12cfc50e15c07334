"""What an import of consumption did."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from api.schemas import Answer
from operations.consumption_import import ConsumptionReport


class ConsumptionImportAnswer(Answer):
    """What an import did, or would do; the counts are days of a region and material."""

    rows: int = Field(description="Rows of the file.")
    added: int = Field(description="Days that were not known before.")
    changed: int = Field(description="Days that were known with another value.")
    unchanged: int
    not_closed: int = Field(description="Days that are not over yet: they are left out.")
    without_quantity: int = Field(description="Rows that say nothing of demand: their days stay unknown.")
    first_day: date | None = Field(description="First day of what is stored.")
    last_day: date | None = Field(description="Last day of what is stored.")
    ignored_columns: list[str] = Field(description="Columns of the file that mean nothing here.")
    dry_run: bool

    @classmethod
    def of(cls, report: ConsumptionReport) -> ConsumptionImportAnswer:
        """Return the answer for a report."""
        return cls.model_validate(report)
