"""The sentence of an explanation: the change, its causes by size, the small ones summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from common.errors import Text
from forecasting import explanation_causes as causes
from forecasting.explanation_days import WEEKDAYS, DayNature
from forecasting.explanation_words import Contribution, Wording, number, signed

_TIMES_FROM = 2.0
"""From which share on a rise is told as "3 times" rather than in percent."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the sentence says.

    Attributes
    ----------
    day : DayNature
        The day that is forecast.
    reference : DayNature or None
        The day a week earlier; None when the usual level is what it is compared with.
    forecast_units, reference_units : float
        Forecasts of both.
    contributions : sequence of Contribution
        Largest first.
    """

    day: DayNature
    reference: DayNature | None
    forecast_units: float
    reference_units: float
    contributions: Sequence[Contribution] = ()


def sentence(told: Told, wording: Wording, *, reason: Text | None = None) -> Text:
    """Return the explanation as a sentence: the change, its causes by size, the small ones summed up.

    Parameters
    ----------
    told : Told
        Figures and causes.
    wording : Wording
        How much is told.
    reason : Text, optional
        Why there is nothing a week earlier to compare with.
    """
    head = _head(told, wording)
    if told.reference is None:
        said = told.day.said or told.day.near
        en, zh = (f"{head.en}; it is {said.en}", f"{head.zh}；当天是{said.zh}") if said else (head.en, head.zh)
        return Text(f"{en}. {reason.en}.", f"{zh}。{reason.zh}。") if reason else Text(f"{en}.", f"{zh}。")
    large, small = _split(told, wording)
    parts = [Text(f"{one.phrase.en} ({signed(one.units)})", _bracketed(one)) for one in large]
    if parts and abs(small) >= _least(told, wording) and signed(small) != "0":
        parts.append(Text(f"other ({signed(small)})", f"其他（{signed(small)}）"))
    remark = _remark(told, large)
    if not parts:
        return Text(f"{head.en}.{remark.en}", f"{head.zh}。{remark.zh}")
    en, zh = ", ".join(part.en for part in parts), "；".join(part.zh for part in parts)
    return Text(f"{head.en}: {en}.{remark.en}", f"{head.zh}：{zh}。{remark.zh}")


def _bracketed(one: Contribution) -> str:
    """Return a Chinese phrase with its units; a phrase that ends in a bracket takes them into it."""
    units = signed(one.units)
    return f"{one.phrase.zh[:-1]}，{units}）" if one.phrase.zh.endswith("）") else f"{one.phrase.zh}（{units}）"


def _split(told: Told, wording: Wording) -> tuple[list[Contribution], float]:
    """Return the causes that are told, and the sum of the others."""
    found = told.contributions
    least = max(wording.least_share * max((abs(one.units) for one in found), default=0.0), _least(told, wording))
    large = [one for one in found if abs(one.units) >= least and one.cause != causes.REST and signed(one.units) != "0"][
        : wording.most_causes
    ]
    return large, sum(one.units for one in found) - sum(one.units for one in large)


def _least(told: Told, wording: Wording) -> float:
    """Return the units below which nothing is told: half of what still counts as about the same."""
    return 0.5 * wording.steady_share * max(told.forecast_units, told.reference_units)


def _remark(told: Told, large: Sequence[Contribution]) -> Text:
    """Say that the reference day was itself special, where no cause that is told says so."""
    then = told.reference
    if then is None or then.said is None or any(one.cause == causes.HOLIDAYS for one in large):
        return Text("", "")
    return Text(f" Last {WEEKDAYS[then.day.weekday()].en} was {then.said.en}.", f"一周前是{then.said.zh}。")


def _head(told: Told, wording: Wording) -> Text:
    new, old = told.forecast_units, told.reference_units
    share = new / old - 1.0 if old > 0 else None
    shown_new, shown_old = _figures(new, old)
    figures = Text(f"{shown_new} instead of {shown_old}", f"{shown_new}，原为 {shown_old}")
    if told.reference is None:
        against = Text("its usual level", "其日常水平")
    else:
        day = told.reference.day
        weekday = WEEKDAYS[day.weekday()]
        against = Text(
            f"the forecast for last {weekday.en} ({_date_en(day)})",
            f"一周前（{day.month} 月 {day.day} 日{weekday.zh}）的预测",
        )
    if share is None:
        en, zh = f"{signed(new - old)} against {against.en}", f"比{against.zh}多 {number(new - old)}"
    elif abs(share) < wording.steady_share:
        en, zh = f"About the same as {against.en}", f"与{against.zh}大致相同"
    elif share > _TIMES_FROM:
        en, zh = f"{1 + share:.1f} times {against.en}", f"是{against.zh}的 {1 + share:.1f} 倍"
    else:
        percent = f"{100 * abs(share):.0f}"
        sign, more = ("+", "高") if share > 0 else ("−", "低")
        en, zh = f"{sign}{percent} % against {against.en}", f"比{against.zh}{more} {percent}%"
    return Text(f"{en}, {figures.en}", f"{zh}（{figures.zh}）")


def _figures(new: float, old: float) -> tuple[str, str]:
    """Return both figures with as many decimals as it takes to tell them apart, at most one."""
    if number(new) == number(old):
        return f"{new:,.1f}", f"{old:,.1f}"
    return number(new), number(old)


def _date_en(day: date) -> str:
    return f"{day.day} {day:%B}"
