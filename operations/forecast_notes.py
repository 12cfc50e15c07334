"""What has to be known of a forecast: what it lacked, which series are new, and where its history has holes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from common.errors import Text
from forecasting.forecaster import Forecast, SeriesNote
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

RECENT_DAYS = 28
"""Days before the origin whose holes are told."""


@dataclass(frozen=True, slots=True)
class PlaceNote:
    """What is to be known of one region and material."""

    region_code: str
    material_code: str
    text: Text


@dataclass(frozen=True, slots=True)
class ForecastNotes:
    """All that is to be known of a stored forecast.

    Attributes
    ----------
    general : tuple of Text
        Of the whole forecast: covariates and make-up days that were not known.
    without_forecast, cold_starts : tuple of PlaceNote
        Which have none, with the reason; which rest on other series.
    history : tuple of PlaceNote
        Holes in the last four weeks of the history: days not recorded, days on which stock ran out.
    """

    general: tuple[Text, ...] = ()
    without_forecast: tuple[PlaceNote, ...] = ()
    cold_starts: tuple[PlaceNote, ...] = ()
    history: tuple[PlaceNote, ...] = ()

    def of(self, region_code: str | None, material_code: str | None) -> ForecastNotes:
        """Return the notes that concern a region and material; None for all."""

        def some(notes: tuple[PlaceNote, ...]) -> tuple[PlaceNote, ...]:
            return tuple(
                note
                for note in notes
                if region_code in (None, note.region_code) and material_code in (None, note.material_code)
            )

        return ForecastNotes(self.general, some(self.without_forecast), some(self.cold_starts), some(self.history))


def notes_of(made: Forecast, panel: Panel) -> ForecastNotes:
    """Return the notes of a forecast that was made from ``panel``."""
    return ForecastNotes(
        made.notes, _places(made.without_forecast), _places(made.cold_starts), tuple(_holes(panel, made.origin))
    )


def _places(notes: Iterable[SeriesNote]) -> tuple[PlaceNote, ...]:
    return tuple(PlaceNote(note.series.region, note.series.item, note.text) for note in notes)


def _holes(panel: Panel, origin: date) -> Iterable[PlaceNote]:
    """Yield a note for each series whose demand is not known on some of the last days before the origin."""
    last = panel.column_of(origin)
    recent = panel.quantity[:, max(0, last + 1 - RECENT_DAYS) : last + 1]
    unknown = np.isnan(recent)
    for row in np.flatnonzero(unknown.any(axis=1) & ~unknown.all(axis=1)):
        key: SeriesKey = panel.series[row]
        known = np.flatnonzero(~unknown[row])
        missing, silent = int(unknown[row].sum()), recent.shape[1] - 1 - int(known[-1])
        yield PlaceNote(key.region, key.item, _hole_text(missing, silent, recent.shape[1], origin))


def _hole_text(missing: int, silent: int, days: int, origin: date) -> Text:
    en = f"demand is unknown on {missing} of the last {days} days (not recorded, or stock ran out)"
    zh = f"最近 {days} 天中有 {missing} 天需求未知（无记录或缺货）"
    if silent:
        since = origin - timedelta(days=silent)
        en, zh = f"{en}, and since {since}", f"{zh}，且 {since} 之后一直未知"
    return Text(en, zh)


def to_json(notes: ForecastNotes) -> dict[str, Any]:
    """Return the notes as JSON can hold them."""

    def rows(places: tuple[PlaceNote, ...]) -> list[dict[str, str]]:
        return [
            {"region": note.region_code, "material": note.material_code, "en": note.text.en, "zh": note.text.zh}
            for note in places
        ]

    return {
        "general": [{"en": note.en, "zh": note.zh} for note in notes.general],
        "without_forecast": rows(notes.without_forecast),
        "cold_starts": rows(notes.cold_starts),
        "history": rows(notes.history),
    }


def from_json(stored: Mapping[str, Any]) -> ForecastNotes:
    """Return the notes of :func:`to_json`."""

    def rows(name: str) -> tuple[PlaceNote, ...]:
        return tuple(
            PlaceNote(row["region"], row["material"], Text(row["en"], row["zh"])) for row in stored.get(name, ())
        )

    general = tuple(Text(row["en"], row["zh"]) for row in stored.get("general", ()))
    return ForecastNotes(general, rows("without_forecast"), rows("cold_starts"), rows("history"))
