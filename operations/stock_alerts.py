"""Alerts days ahead: which region runs out of what, when, how likely, and what to do about it.

One open alert stands for one region and material. It opens above one probability and closes below a lower one, so that
a chance that wavers between the two does not make it flap; its level rises while it is open and never falls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from common.errors import InvalidInput, Text
from operations.access import Actor
from operations.stock import StockLevel, conversion_rates, demand_of, forecast_or_none, on_hand_units, region_stocks
from operations.stock import stock_levels as read_levels
from operations.stock_commitments import commitments, lock_warehouses
from operations.store.tables import Alert, Material, Person, Region

RULE = "stock-out"
_LONGEST_FINGERPRINT = 120


@dataclass(frozen=True, slots=True)
class StockAlertPolicy:
    """When an alert opens and closes, and how urgent it is.

    Attributes
    ----------
    opens_at, closes_below : float
        Probability (0 … 1) of running out within the days of the forecast.
    yellow_share : float
        Expected shortage over expected need from which an alert is yellow; below it is blue.
    blue_due, yellow_due : timedelta
        Time to act (the field's rules: 2 h and 1 h).

    Raises
    ------
    InvalidInput
        When a share lies outside 0 … 1, or an alert would close above where it opens.
    """

    opens_at: float = 0.3
    closes_below: float = 0.15
    yellow_share: float = 0.1
    blue_due: timedelta = timedelta(hours=2)
    yellow_due: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        for name in ("opens_at", "closes_below", "yellow_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput.at(f"/{name}", f"{name} must lie in 0 to 1", f"{name} 必须在 0 到 1 之间")
        if self.closes_below > self.opens_at:
            raise InvalidInput.at("/closes_below", "must not be above opens_at", "不能高于 opens_at")


@dataclass(frozen=True, slots=True)
class StockRisk:
    """How likely one region runs out of one material.

    Attributes
    ----------
    probability : float
        Highest of the days of the forecast.
    runs_out_on : date
        First day on which the chance reaches the policy's limit, else the likeliest one.
    ahead : int
        The same as days after the forecast's origin.
    short_units, need_units : float
        Expected to be missing, and expected to be needed, over the days of the forecast.
    order_units : int
        What the order proposal says.
    """

    region_code: str
    material_code: str
    probability: float
    runs_out_on: date
    ahead: int
    short_units: float
    need_units: float
    order_units: int


@dataclass(frozen=True, slots=True)
class StockAlert:
    """An alert that is not closed; ``risk`` is as of now, the text as of the last look (None: not forecast)."""

    id: str
    region_code: str
    material_code: str
    level: str
    status: str
    owner_code: str | None
    text: Text
    opened_at: datetime
    due_at: datetime | None
    risk: StockRisk | None


@dataclass(frozen=True, slots=True)
class AlertChanges:
    """Ids of the alerts that one look opened, changed and closed."""

    opened: tuple[str, ...]
    updated: tuple[str, ...]
    closed: tuple[str, ...]


def refresh_stock_alerts(session: Session, actor: Actor, policy: StockAlertPolicy | None = None) -> AlertChanges:
    """Open, update and close alerts by the newest forecast, the ledger and what is approved; safe to repeat.

    Raises
    ------
    Forbidden
        When the actor may not plan with stock, or is bound to one region.
    """
    actor.require("transfers:plan")
    actor.require_region(None)
    policy = policy or StockAlertPolicy()
    # Two looks at once would both find no open alert, and open two.
    lock_warehouses(session)
    risks = _risks(session, actor, policy)
    alerts = {row.fingerprint: row for row in session.scalars(_open_alerts())}
    texts = _Texts.read(session, [risk for risk in risks if risk.probability >= policy.closes_below])
    opened, updated, closed = [], [], []
    for risk in risks:
        row = alerts.get(fingerprint(risk.region_code, risk.material_code))
        if row is None and risk.probability >= policy.opens_at:
            opened.append(_open(session, risk, policy, texts))
        elif row is not None and risk.probability < policy.closes_below:
            row.status = "closed"
            closed.append(row.id)
        elif row is not None and _update(session, row, risk, policy, texts):
            updated.append(row.id)
    session.flush()
    return AlertChanges(tuple(opened), tuple(updated), tuple(closed))


def stock_alerts(
    session: Session, actor: Actor, *, region_code: str | None = None, material_code: str | None = None
) -> list[StockAlert]:
    """Return the alerts of the actor's regions that are not closed, the most urgent first.

    Raises
    ------
    Forbidden
        When the actor may not read stock, or not that of the region.
    InvalidInput
        For an unknown region or material.
    """
    levels = read_levels(session, actor, region_code=region_code, material_code=material_code)
    risks = {(risk.region_code, risk.material_code): risk for risk in _of_levels(session, levels, StockAlertPolicy())}
    alerts = {row.fingerprint: row for row in session.scalars(_open_alerts())}
    found = []
    for level in levels:
        place = level.region_code, level.material_code
        row = alerts.get(fingerprint(*place))
        if row is not None:
            found.append(
                StockAlert(
                    row.id,
                    *place,
                    row.level,
                    row.status,
                    row.owner_code,
                    Text(row.text_en, row.text_zh),
                    row.created_at,
                    row.due_at,
                    risks.get(place),
                )
            )
    urgency = ("red", "yellow", "blue")
    return sorted(found, key=lambda alert: (urgency.index(alert.level), alert.opened_at, alert.id))


def fingerprint(region_code: str, material_code: str) -> str:
    """Return what names the cause of an alert; long codes are shortened by their checksum."""
    name = f"{RULE}:{region_code}:{material_code}"
    if len(name) <= _LONGEST_FINGERPRINT:
        return name
    return f"{RULE}:{hashlib.sha256(name.encode()).hexdigest()}"


def _open_alerts() -> Select[Alert]:
    return select(Alert).where(Alert.rule == RULE, Alert.status != "closed")


def _risks(session: Session, actor: Actor, policy: StockAlertPolicy) -> list[StockRisk]:
    return _of_levels(session, read_levels(session, actor), policy)


def _of_levels(session: Session, levels: Sequence[StockLevel], policy: StockAlertPolicy) -> list[StockRisk]:
    """Return the risk of each level that is forecast."""
    forecast = forecast_or_none(session)
    risks = []
    for level in levels:
        _, total = demand_of(forecast, level.region_code, level.material_code)
        if forecast is None or total is None or not level.outlook:
            continue
        likeliest = max(level.outlook, key=lambda day: day.stockout_probability)
        first = next((day for day in level.outlook if day.stockout_probability >= policy.opens_at), likeliest)
        risks.append(
            StockRisk(
                level.region_code,
                level.material_code,
                likeliest.stockout_probability,
                forecast.origin + timedelta(days=first.ahead),
                first.ahead,
                max(day.expected_short_units for day in level.outlook),
                total.expected_above(0.0),
                level.order.order_units if level.order else 0,
            )
        )
    return risks


def _level_of(risk: StockRisk, policy: StockAlertPolicy) -> str:
    return "yellow" if risk.short_units >= policy.yellow_share * max(risk.need_units, 1e-9) else "blue"


def _due(session: Session, level: str, policy: StockAlertPolicy) -> datetime:
    now: datetime = session.info["clock"].now()
    return now + (policy.yellow_due if level == "yellow" else policy.blue_due)


def _open(session: Session, risk: StockRisk, policy: StockAlertPolicy, texts: _Texts) -> str:
    level, text = _level_of(risk, policy), texts.of(risk)
    row = Alert(
        id=uuid4().hex,
        fingerprint=fingerprint(risk.region_code, risk.material_code),
        rule=RULE,
        region_code=risk.region_code,
        level=level,
        status="open",
        owner_code=texts.managers.get(risk.region_code),
        text_zh=text.zh,
        text_en=text.en,
        due_at=_due(session, level, policy),
    )
    session.add(row)
    return row.id


def _update(session: Session, row: Alert, risk: StockRisk, policy: StockAlertPolicy, texts: _Texts) -> bool:
    """Bring an open alert up to date; return whether anything changed."""
    text = texts.of(risk)
    changed = (row.text_en, row.text_zh) != (text.en, text.zh)
    row.text_en, row.text_zh = text.en, text.zh
    if row.level == "blue" and _level_of(risk, policy) == "yellow":
        # What was acknowledged as small has become large: somebody must look again, and sooner.
        due = _due(session, "yellow", policy)
        row.level, row.status, changed = "yellow", "open", True
        row.due_at = due if row.due_at is None else min(row.due_at, due)
    return changed


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is needed to word an alert: names, managers, lead times, and what other regions could give."""

    regions: Mapping[str, Region]
    materials: Mapping[str, Material]
    managers: Mapping[str, str]
    gifts: Mapping[tuple[str, str], tuple[str, int]]

    @classmethod
    def read(cls, session: Session, risks: Sequence[StockRisk]) -> _Texts:
        managers: dict[str, str] = {}
        query = select(Person).where(Person.role == "region_manager", Person.active).order_by(Person.code)
        for person in session.scalars(query):
            if person.region_code is not None:
                managers.setdefault(person.region_code, person.code)
        return cls(
            {row.code: row for row in session.scalars(select(Region))},
            {row.code: row for row in session.scalars(select(Material))},
            managers,
            _gifts(session, risks),
        )

    def of(self, risk: StockRisk) -> Text:
        """Return what happens when, how likely, and what to do next."""
        region, material = self.regions[risk.region_code], self.materials[risk.material_code]
        day, chance = risk.runs_out_on, f"{risk.probability:.0%}"
        next_en, next_zh = self._next(risk, material)
        return Text(
            f"{region.name_en} will run out of {material.name_en} on {day:%A}, {day.isoformat()} "
            f"({chance} likely): about {risk.need_units:.0f} {material.unit_en} are needed in the coming days, "
            f"{risk.short_units:.0f} of them are expected to be missing. Next: {next_en}.",
            f"{region.name_zh}的{material.name_zh}预计在 {day.month} 月 {day.day} 日用完（概率 {chance}）："
            f"未来几天约需 {risk.need_units:.0f} {material.unit_zh}，预计缺 {risk.short_units:.0f} "
            f"{material.unit_zh}。下一步：{next_zh}。",
        )

    def _next(self, risk: StockRisk, material: Material) -> tuple[str, str]:
        parts_en, parts_zh = [], []
        gift = self.gifts.get((risk.region_code, risk.material_code))
        if gift is not None:
            donor, units = self.regions[gift[0]], gift[1]
            parts_en.append(f"have {units} transferred from {donor.name_en}")
            parts_zh.append(f"从{donor.name_zh}调拨 {units} {material.unit_zh}")
        if risk.order_units:
            days = material.lead_time_days
            parts_en.append(f"order {risk.order_units} ({_arrives_en(days)})")
            parts_zh.append(f"订货 {risk.order_units} {material.unit_zh}（{_arrives_zh(days)}）")
        if gift is None and (not risk.order_units or material.lead_time_days >= risk.ahead):
            # Nobody can give, and an ordinary order comes too late: the second step of the shortage ladder.
            parts_en.append("ask the backup supplier for a rush order")
            parts_zh.append("向备用供应商加急订货")
        return ", and ".join(parts_en), "，并".join(parts_zh)


def _arrives_en(days: int) -> str:
    return "arrives the same day" if days == 0 else f"arrives in {days} day{'s' if days > 1 else ''}"


def _arrives_zh(days: int) -> str:
    return "当天到货" if days == 0 else f"{days} 天后到货"


def _gifts(session: Session, risks: Sequence[StockRisk]) -> dict[tuple[str, str], tuple[str, int]]:
    """Return for each risk who could give most of what is missing, and how much; a donor keeps its upper forecast.

    A donor may stand in several alerts: which of them it helps is decided by the shortage ladder.
    """
    forecast = forecast_or_none(session)
    if forecast is None or not risks:
        return {}
    levels, weights, promised = on_hand_units(session), conversion_rates(session), commitments(session)
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for material in sorted({risk.material_code for risk in risks}):
        stocks = {each.region: each for each in region_stocks(forecast, levels, weights, material, promised)}
        for risk in risks:
            if risk.material_code != material or risk.region_code not in stocks:
                continue
            donors = [each for region, each in stocks.items() if region != risk.region_code and each.spare_units > 0]
            lacking = stocks[risk.region_code].short_units
            if donors and lacking > 0:
                best = max(donors, key=lambda each: (min(each.spare_units, lacking), each.region))
                found[risk.region_code, material] = best.region, min(best.spare_units, lacking)
    return found
