"""The words for causes: what happened to each, in one phrase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from common.errors import Text
from forecasting import explanation_causes as causes
from forecasting.explanation_causes import Cause, Change, Inputs
from forecasting.explanation_days import HOLIDAY, WEEKDAYS, DayNature
from forecasting.features import soft_exp

Value = float | Text | None
_MOST_TIMES = 3.0
"""A figure is told as the reason of a change up to so many times its own; beyond, it was rather something else."""


@dataclass(frozen=True, slots=True)
class ColumnName:
    """How a covariate is spoken of.

    Attributes
    ----------
    name : Text
        For ``event`` with its article in English: "a fair" / "展会".
    kind : {"count", "event", "value"}
        Counted things ("12 planned visits"), something that is there or not ("a fair"), or any other figure
        ("temperature 25").
    measure : Text
        Word after the number of a count in Chinese ("次").
    """

    name: Text
    kind: Literal["count", "event", "value"] = "value"
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """How much is told, and by which names.

    Attributes
    ----------
    columns : mapping of str to ColumnName
        Names of covariates; one that is not there is shown as it is.
    most_causes : int
        Causes that the sentence tells; the others are summed up.
    least_share : float
        Causes smaller than this share of the largest one are summed up, too.
    steady_share : float
        A change by less than this is told as "about the same".
    """

    columns: Mapping[str, ColumnName] = field(default_factory=dict)
    most_causes: int = 4
    least_share: float = 0.1
    steady_share: float = 0.02

    def column(self, name: str) -> ColumnName:
        """Return how a covariate is spoken of."""
        return self.columns.get(name) or ColumnName(Text(name, name))


@dataclass(frozen=True, slots=True)
class Contribution:
    """One cause's part of the change.

    Attributes
    ----------
    cause : str
        A covariate's name, or ``season``, ``holidays``, ``campus_terms``, ``shopping_festivals``, ``recent_demand``,
        ``level``, ``days_without_demand``, ``rest``.
    label : Text
        What it is called.
    phrase : Text
        What happened, as the sentence tells it: "12 planned visits instead of 7".
    units : float
        By how much it moves the forecast.
    before, after : float, Text or None
        The factor's value a week earlier and now, where it has one.
    error_units : float
        Standard error of ``units`` where there were too many causes to try all combinations; else 0.
    """

    cause: str
    label: Text
    phrase: Text
    units: float
    before: Value = None
    after: Value = None
    error_units: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What phrases are made from: the model's inputs of both days, and the days themselves."""

    change: Change
    before: DayNature
    after: DayNature
    wording: Wording

    @property
    def last(self) -> str:
        """The reference day in English: "last Saturday"."""
        return f"last {WEEKDAYS[self.before.day.weekday()].en}"

    def pair(self, feature: str) -> tuple[float, float]:
        """Return a feature's value before and now; NaN where the model has none."""
        names = self.change.names
        return self.change.before.value(names, feature), self.change.after.value(names, feature)


def contribution(scene: Scene, cause: Cause, units: float, error_units: float = 0.0) -> Contribution:
    """Return a cause's part of the change with its words.

    Parameters
    ----------
    scene : Scene
        Both days.
    cause : Cause
        Which.
    units, error_units : float
        Its part, and the standard error of it.
    """
    makers = {
        causes.COVARIATE: _covariate,
        causes.HOLIDAYS: _holidays,
        causes.CAMPUS: _campus,
        causes.SHOPPING: _shopping,
        causes.LEVEL: _level,
        causes.RECENT: _recent,
        causes.ZEROS: _zeros,
    }
    maker = makers.get(cause.kind)
    if maker is not None:
        return maker(scene, cause, units, error_units)
    label = Text("time of month and year", "月内与年内时点") if cause.kind == causes.SEASON else OTHER
    return Contribution(cause.code, label, label, units, error_units=error_units)


OTHER = Text("other", "其他")


def _holidays(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("public holidays and make-up days", "节假日与调休")
    now, then = scene.after, scene.before
    before, after = then.said or then.near, now.said or now.near
    return Contribution(cause.code, label, _holiday_phrase(scene), units, before, after, error)


def _holiday_phrase(scene: Scene) -> Text:
    now, then, last = scene.after, scene.before, scene.last
    if now.said and then.said:
        return _both_special(now, now.said, then, then.said)
    special = now.said or (None if then.said else now.near)
    if special:
        return special
    was = then.said or then.near
    if was:
        return Text(f"{last} was {was.en}", f"一周前是{was.zh}")
    return Text("the distance to holidays", "与节假日的距离")


def _both_special(now: DayNature, said: Text, then: DayNature, was: Text) -> Text:
    if now.kind == then.kind == HOLIDAY and now.name == then.name:
        return Text(
            f"day {now.position} of the {said.en} holiday instead of day {then.position}",
            f"{said.zh}假期第 {now.position} 天（一周前为第 {then.position} 天）",
        )
    return Text(f"{said.en} instead of {was.en}", f"{said.zh}（一周前为{was.zh}）")


def _campus(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("campus calendar", "校历")
    now, then = scene.after.campus, scene.before.campus
    phrase = label
    if now and then and now != then:
        phrase = Text(f"campus: {now.en} instead of {then.en}", f"校园由{then.zh}转为{now.zh}")
    return Contribution(cause.code, label, phrase, units, then, now, error)


def _shopping(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("shopping festivals", "购物节")
    now, then = scene.after.festival, scene.before.festival
    phrase = label
    if now and then and now != then:
        phrase = Text(f"{now.en} instead of {then.en}", f"{now.zh}（一周前为{then.zh}）")
    elif now:
        phrase = now
    elif then:
        phrase = Text(f"{scene.last} was {then.en}", f"一周前是{then.zh}")
    return Contribution(cause.code, label, phrase, units, then, now, error)


def _level(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("level and trend of the last weeks", "近几周的水平与走势")
    before, after = scene.change.before.level, scene.change.after.level
    phrase = label
    if _carries(before, after, units):
        phrase = Text(
            f"a level of {number(after)} a day over the last four weeks instead of {number(before)}",
            f"近四周日均由 {number(before)} {_moved_zh(before, after)} {number(after)}",
        )
    return Contribution(cause.code, label, phrase, units, before, after, error)


def _recent(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("latest demand", "近期用量")
    before, after = (_weekday_units(scene, one) for one in (scene.change.before, scene.change.after))
    weekday = WEEKDAYS[scene.after.day.weekday()]
    phrase = Text("demand of the latest days", "最近几天的用量")
    if before is not None and after is not None and _carries(before, after, units):
        phrase = Text(
            f"recent {weekday.en}s took {number(after)} instead of {number(before)}",
            f"近几个{weekday.zh}的用量由 {number(before)} {_moved_zh(before, after)} {number(after)}",
        )
    return Contribution(cause.code, label, phrase, units, before, after, error)


def _weekday_units(scene: Scene, inputs: Inputs) -> float | None:
    told = inputs.value(scene.change.names, "weekday_mean_4")
    return None if np.isnan(told) else float(soft_exp(np.array([told]))[0] * inputs.level)


def _zeros(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    label = Text("days without demand and gaps in the history", "零用量日与历史空缺")
    before, after = scene.pair("zeros_28")
    phrase, values = label, (_known(before), _known(after))
    if (after - before) * units < 0 and round(100 * before) != round(100 * after):
        old, new = (f"{100 * share:.0f}" for share in (before, after))
        phrase = Text(
            f"no demand on {new} % of the last four weeks' days instead of {old} %",
            f"近四周零用量日占比由 {old}% {_moved_zh(before, after)} {new}%",
        )
    return Contribution(cause.code, label, phrase, units, *values, error)


def _covariate(scene: Scene, cause: Cause, units: float, error: float) -> Contribution:
    column = scene.wording.column(cause.column)
    before, after = scene.pair(f"{cause.column}+0")
    if np.isnan(before) and np.isnan(after):
        before, after = scene.pair(f"{cause.column}_mean_7")
    told = _event_phrase if column.kind == "event" else _figure_phrase
    phrase = told(scene, cause.column, before, after)
    if column.kind == "count" and (after - before) * units < 0:
        # More of it and yet less demand: what moved the model is then the days around, or what it brought of late.
        phrase = Text(f"{column.name.en} around that day", f"当天前后的{column.name.zh}")
    return Contribution(cause.code, column.name, phrase, units, _known(before), _known(after), error)


def _figure_phrase(scene: Scene, name: str, before: float, after: float) -> Text:
    column = scene.wording.column(name)
    en, zh = column.name.en, column.name.zh
    old, new = number(before), number(after)
    unit = f" {column.measure}" if column.measure else ""
    if np.isnan(after) and not np.isnan(before):
        return Text(f"{en} not known ({old} {scene.last})", f"{zh}未知（一周前为 {old}{unit}）")
    if np.isnan(before) and not np.isnan(after):
        return Text(f"{new} {en}" if column.kind == "count" else f"{en} {new}", f"{zh} {new}{unit}")
    if before != after and not np.isnan(before):
        told = f"{new} {en} instead of {old}" if column.kind == "count" else f"{en} {new} instead of {old}"
        return Text(told, f"{zh}由 {old} {_moved_zh(before, after)} {new}{unit}")
    if any(_differs(*scene.pair(f"{name}{shift:+d}")) for shift in (-1, 1)):
        return Text(f"{en} on the days around it", f"前后两天的{zh}")
    return Text(f"what {en} brought of late", f"{zh}近期的带动作用")


def _event_phrase(scene: Scene, name: str, before: float, after: float) -> Text:
    said, last = scene.wording.column(name).name, scene.last
    there_then, there_now = before > 0, after > 0
    if there_now and not there_then:
        return Text(said.en, f"有{said.zh}")
    if there_then and not there_now:
        return Text(f"{last} had {said.en}", f"一周前有{said.zh}")
    if there_now and before != after:
        size = Text("larger", "大") if after > before else Text("smaller", "小")
        return Text(f"a {size.en} {_bare(said.en)} than {last}", f"{said.zh}规模{size.zh}于一周前")
    around = _around(scene, name)
    if around is not None:
        return around
    return (
        Text(f"{said.en} goes on", f"{said.zh}持续")
        if there_now
        else Text(f"what {said.en} brought of late", f"{said.zh}近期的带动作用")
    )


def _around(scene: Scene, name: str) -> Text | None:
    """Say that the event takes place on the day before or after, on one of both days only."""
    said, last = scene.wording.column(name).name, scene.last
    for shift, en, zh in ((1, "the day before", "前一天"), (-1, "the day after", "后一天")):
        old, new = scene.pair(f"{name}{shift:+d}")
        if new > 0 and not old > 0:
            return Text(f"{en} {said.en}", f"{said.zh}{zh}")
        if old > 0 and not new > 0:
            return Text(f"{last} was {en} {said.en}", f"一周前是{said.zh}{zh}")
    return None


def _bare(name: str) -> str:
    """Return an English name without its article."""
    return name.removeprefix("a ").removeprefix("an ")


def signed(units: float) -> str:
    """Return units with their sign: whole ones from 10 on, else one decimal; ``0`` where nothing is left."""
    shown = number(abs(units))
    if shown in ("0", "0.0"):
        return "0"
    return f"{'−' if units < 0 else '+'}{shown}"


def number(value: float) -> str:
    """Return a figure as people read it: whole from 10 on, else with one decimal where it has any."""
    if np.isnan(value):
        return "–"
    if abs(value) >= 10 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1f}"


def _carries(before: float, after: float, units: float) -> bool:
    """Return whether a factor's move explains its units: the same direction, and not many times its own size."""
    moved = after - before
    return number(before) != number(after) and moved * units > 0 and abs(units) <= _MOST_TIMES * abs(moved)


def _moved_zh(before: float, after: float) -> str:
    return "升至" if after > before else "降至"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _differs(before: float, after: float) -> bool:
    return not (before == after or (np.isnan(before) and np.isnan(after)))
