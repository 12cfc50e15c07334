"""What reps write down after a visit, drawn from a pool of short notes written by hand."""

from __future__ import annotations

import numpy as np

from training_data.sample_organisation.geography import read_rows

NOTED_SHARE = 0.38
NEED_SHARE = 0.3
OWN_TYPE_WEIGHT = 3
"""A text written for one customer type is drawn this much more often for it than one for all."""


class VisitTexts:
    """Draws needs, notes and next steps.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._rows = list(read_rows("visit_texts.tsv", delimiter="\t"))
        self._fitting: dict[tuple[str, str, str], list[str]] = {}

    def draw(self, outcome: str, customer_type: str) -> tuple[str | None, str | None, str | None]:
        """Return need, note and next step, each possibly absent."""
        met = outcome not in ("absent", "refused", "complaint")
        need = self._one("need", outcome, customer_type) if met and self._rng.random() < NEED_SHARE else None
        note = self._one("note", outcome, customer_type) if self._rng.random() < NOTED_SHARE else None
        next_step = self._one("next", outcome, customer_type) if self._rng.random() < 0.5 else None
        return need, note, next_step

    def _one(self, use: str, outcome: str, customer_type: str) -> str:
        key = (use, outcome, customer_type)
        if key not in self._fitting:
            self._fitting[key] = [
                row["text"]
                for row in self._rows
                if row["use"] == use and row["outcomes"] in (outcome, "*") and row["types"] in (customer_type, "*")
                for _ in range(1 if row["types"] == "*" else OWN_TYPE_WEIGHT)
            ]
        texts = self._fitting[key]
        return texts[int(self._rng.random() * len(texts))]
