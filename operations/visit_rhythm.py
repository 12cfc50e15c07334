"""The rhythm of contact: who is due on a day and why, who is not, and which visits would be repeats.

The field's rules: A within 24 hours, B once a week, C rarely; what was promised is kept on its day; nobody is visited
by two people or twice within the set time without a reason. A repeat is shown and blocked; it can be asked for with a
reason, which is kept with the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from common.errors import Text
from routing.problem import Break

LUNCH = Break(12 * 3600, 13 * 3600, 45 * 60)


@dataclass(frozen=True, slots=True)
class RhythmPolicy:
    """How often customers are visited, and how a day is filled; the defaults are those of the field's rules.

    Attributes
    ----------
    days_between : tuple of (grade, days)
        Days after which a customer of a grade is due again; the empty grade is for ungraded ones.
    repeat_within_days : int
        A visit less than so many days after the last one is a repeat, unless something is owed to the customer.
    promise_grade, promise_h : str, int
        Customers of this grade are promised a contact within so many hours of the last visit.
    kept_by_visit : tuple of str
        Kinds of follow-up which a visit settles, so that it must be made on the day on which one falls due for a
        customer of the promised grade. (A call by sales is not the rep's.)
    broken_h : int
        A promise that was broken longer ago no longer makes the visit mandatory; it stays urgent.
    most_overdue : float
        A visit that is overdue counts up to so many times as much.
    follow_up_factor : float
        What is owed makes a visit worth so many times as much.
    closed_on_rest_days : tuple of str
        Customer types who are closed at weekends and on public holidays, and open on make-up working days (调休).
    country : str
        Whose public holidays count.
    candidates_per_rep : int
        Customers offered to the plan for each rep; more than fit, so that the plan can choose.
    lunch : Break
        Of every rep.
    skill_for_type : tuple of (customer type, skill)
        The skill that a customer type asks of its visitor.
    """

    days_between: tuple[tuple[str, int], ...] = (("A", 2), ("B", 7), ("C", 45), ("", 14))
    repeat_within_days: int = 2
    promise_grade: str = "A"
    promise_h: int = 24
    kept_by_visit: tuple[str, ...] = ("send_material", "call_next_day", "visit")
    broken_h: int = 24
    most_overdue: float = 2.0
    follow_up_factor: float = 1.5
    closed_on_rest_days: tuple[str, ...] = ("companies",)
    country: str = "CN"
    candidates_per_rep: int = 20
    lunch: Break = LUNCH
    skill_for_type: tuple[tuple[str, str], ...] = (("companies", "key_account"),)

    def rhythm_days(self, grade: str) -> int:
        """Return the days between two visits to customers of a grade; an unknown grade counts as none."""
        days = dict(self.days_between)
        return days.get(grade, days[""])


@dataclass(frozen=True, slots=True)
class Owed:
    """An open follow-up, with its moment in the region's zone."""

    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A stop of a plan that stands: somebody is already to visit the customer."""

    plan_id: str
    plan_date: date
    rep_ref: str
    published: bool


@dataclass(frozen=True, slots=True)
class Contacts:
    """What has passed between a customer and the organisation; moments in the region's zone.

    Attributes
    ----------
    known_at : datetime
        Since when the customer is on record.
    last_visit_at : datetime or None
    last_rep : str
        Who made the last visit.
    last_kept_at : datetime or None
        When a follow-up was last done.
    """

    grade: str
    customer_type: str
    known_at: datetime
    last_visit_at: datetime | None = None
    last_rep: str = ""
    last_kept_at: datetime | None = None
    owed: tuple[Owed, ...] = ()
    planned: tuple[PlannedVisit, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """Why a customer is due on a day.

    Attributes
    ----------
    code : str
        ``first_visit``, ``rhythm``, ``follow_up``, ``promise`` or ``asked_again``.
    due_on : date
        Since which day, or on which.
    urgency : float
        Factor of the visit's worth, at least 1.
    mandatory : bool
        A promise would be broken without the visit.
    material_owed : bool
        The visit is to bring material.
    """

    code: str
    text: Text
    due_on: date
    urgency: float = 1.0
    mandatory: bool = False
    material_owed: bool = False


@dataclass(frozen=True, slots=True)
class NotDue:
    """Why a customer is not to be visited on a day.

    Attributes
    ----------
    code : str
        ``not_due_yet``, ``closed``, or the repeats ``visited_just_now``, ``planned_that_day``, ``planned_before``,
        ``planned_after``.
    due_on : date or None
        When the customer is due next, as far as that can be said.
    """

    code: str
    text: Text
    due_on: date | None = None

    @property
    def repeat(self) -> bool:
        """Whether a visit would be a repeat."""
        return self.code in REPEATS


REPEATS = frozenset({"visited_just_now", "planned_that_day", "planned_before", "planned_after"})


@dataclass(frozen=True, slots=True)
class OfDay:
    """The day that is asked about.

    Attributes
    ----------
    begins : datetime
        Its midnight in the region's zone.
    rest_day : bool
        Weekend or public holiday, and no make-up working day.
    """

    begins: datetime
    rest_day: bool = False
    policy: RhythmPolicy = field(default_factory=RhythmPolicy)

    @property
    def day(self) -> date:
        """The calendar day."""
        return self.begins.date()

    @property
    def ends(self) -> datetime:
        """The midnight after it."""
        return self.begins + timedelta(days=1)


def due_or_not(contacts: Contacts, of: OfDay) -> Due | NotDue:
    """Return why a customer is due on a day, or why not. Repeats come first: nothing that is owed excuses them."""
    refusal = _planned(contacts, of) or _closed(contacts, of)
    if refusal is not None:
        return refusal
    last = contacts.last_visit_at.date() if contacts.last_visit_at else None
    if last is not None and last >= of.day:
        return _just_visited(contacts, of, last)
    due = _promise(contacts, of) or _follow_up(contacts, of) or _rhythm(contacts, of, last)
    if due is not None:
        return due
    assert last is not None
    if (of.day - last).days < of.policy.repeat_within_days:
        return _just_visited(contacts, of, last)
    again = last + timedelta(days=of.policy.rhythm_days(contacts.grade))
    return NotDue(
        "not_due_yet",
        Text(
            f"{_grade_en(contacts.grade)}: visited on {last}, due again on {again}",
            f"{_grade_zh(contacts.grade)}：{last} 已拜访，{again} 再次到期",
        ),
        again,
    )


def asked_again(refusal: NotDue, reason: str, day: date) -> Due:
    """Return what makes a customer due who is visited all the same, for a reason that somebody gave."""
    text = Text(f"asked for: {reason} ({refusal.text.en})", f"人工指定：{reason}（{refusal.text.zh}）")
    return Due("asked_again", text, day)


def _planned(contacts: Contacts, of: OfDay) -> NotDue | None:
    rhythm = timedelta(days=of.policy.rhythm_days(contacts.grade))
    for stop in sorted(contacts.planned, key=lambda stop: (abs(stop.plan_date - of.day), stop.plan_date, stop.plan_id)):
        if stop.plan_date == of.day:
            text = Text(
                f"{stop.rep_ref} is to visit this customer on that day (plan {stop.plan_id})",
                f"{stop.rep_ref} 当天已计划拜访该客户（计划 {stop.plan_id}）",
            )
            return NotDue("planned_that_day", text, of.day + rhythm)
        if abs(stop.plan_date - of.day) < rhythm:
            code = "planned_before" if stop.plan_date < of.day else "planned_after"
            text = Text(
                f"{stop.rep_ref} is to visit this customer on {stop.plan_date} (plan {stop.plan_id})",
                f"{stop.rep_ref} 已计划于 {stop.plan_date} 拜访该客户（计划 {stop.plan_id}）",
            )
            return NotDue(code, text, stop.plan_date + rhythm)
    return None


def _closed(contacts: Contacts, of: OfDay) -> NotDue | None:
    if not of.rest_day or contacts.customer_type not in of.policy.closed_on_rest_days:
        return None
    return NotDue("closed", Text("closed on weekends and public holidays", "周末及法定节假日不营业"))


def _just_visited(contacts: Contacts, of: OfDay, last: date) -> NotDue:
    rhythm = of.policy.rhythm_days(contacts.grade)
    text = Text(
        f"{contacts.last_rep or 'somebody'} visited this customer on {last}: a repeat",
        f"{contacts.last_rep or '同事'} 已于 {last} 拜访该客户：重复拜访",
    )
    return NotDue("visited_just_now", text, last + timedelta(days=max(rhythm, of.policy.repeat_within_days)))


def _promise(contacts: Contacts, of: OfDay) -> Due | None:
    """Return the promise to a customer of the promised grade that falls due by the end of the day."""
    policy = of.policy
    if contacts.grade != policy.promise_grade:
        return None
    owed = [item for item in contacts.owed if item.kind in policy.kept_by_visit]
    if owed:
        at = min(item.due_at for item in owed)
    else:
        since = contacts.last_visit_at or contacts.known_at
        if contacts.last_kept_at is not None and contacts.last_kept_at >= since:
            return None
        at = since + timedelta(hours=policy.promise_h)
    if at >= of.ends:
        return None
    material = any(item.kind == "send_material" and item.due_at < of.ends for item in contacts.owed)
    fresh = at >= of.begins - timedelta(hours=policy.broken_h)
    text = Text(
        f"{_grade_en(contacts.grade)}: contact promised by {at:%Y-%m-%d %H:%M}",
        f"{_grade_zh(contacts.grade)}：承诺 {at:%Y-%m-%d %H:%M} 前联系",
    )
    overdue = max(1.0, min(policy.most_overdue, (of.ends - at) / timedelta(hours=policy.promise_h)))
    return Due("promise", text, at.date(), policy.follow_up_factor * overdue, fresh, material)


def _follow_up(contacts: Contacts, of: OfDay) -> Due | None:
    owed = sorted((item for item in contacts.owed if item.due_at < of.ends), key=lambda item: (item.due_at, item.kind))
    if not owed:
        return None
    first = owed[0]
    name = FOLLOW_UP_NAMES.get(first.kind, Text(first.kind, first.kind))
    text = Text(f"follow-up due on {first.due_at.date()}: {name.en}", f"{first.due_at.date()} 有到期的跟进：{name.zh}")
    last = contacts.last_visit_at.date() if contacts.last_visit_at else None
    urgency = of.policy.follow_up_factor * _overdue(contacts.grade, last, of)
    material = any(item.kind == "send_material" for item in owed)
    return Due("follow_up", text, first.due_at.date(), urgency, material_owed=material)


def _rhythm(contacts: Contacts, of: OfDay, last: date | None) -> Due | None:
    if last is None:
        return Due("first_visit", Text("not visited yet", "尚未拜访过"), of.day)
    again = last + timedelta(days=of.policy.rhythm_days(contacts.grade))
    if again > of.day or (of.day - last).days < of.policy.repeat_within_days:
        return None
    text = Text(
        f"{_grade_en(contacts.grade)}: last visited on {last}, due since {again}",
        f"{_grade_zh(contacts.grade)}：上次拜访 {last}，{again} 起到期",
    )
    return Due("rhythm", text, again, _overdue(contacts.grade, last, of))


def _overdue(grade: str, last: date | None, of: OfDay) -> float:
    if last is None:
        return 1.0
    return max(1.0, min(of.policy.most_overdue, (of.day - last).days / of.policy.rhythm_days(grade)))


def _grade_en(grade: str) -> str:
    return f"grade {grade}" if grade else "no grade"


def _grade_zh(grade: str) -> str:
    return f"{grade} 类客户" if grade else "未分级客户"


FOLLOW_UP_NAMES = {
    "send_material": Text("send material", "送资料"),
    "call_next_day": Text("call the next day", "次日回访电话"),
    "sales_call": Text("call by sales", "销售来电"),
    "personal_text": Text("personal text", "私人短信"),
    "use_case": Text("send a use case", "发送使用案例"),
    "visit": Text("visit again", "再次上门"),
}


def rest_days(first_day: date, days: int, country: str) -> list[tuple[bool, bool]]:
    """Return for each day whether nobody is expected at work, and whether it is part of a public holiday.

    Make-up working days are no rest days. A weekend that lies in one row with a public holiday is part of it.
    """
    from forecasting.calendar import HORIZON_DAYS, build_calendar

    # Whether a row of days off has a holiday in it may be decided beyond the days that are asked for.
    first = first_day - timedelta(days=HORIZON_DAYS)
    columns = build_calendar(first, days + 2 * HORIZON_DAYS, country=country).columns
    rest = [bool(value) for value in columns["rest_day"]]
    holiday = [off and bool(value) for off, value in zip(rest, columns["holiday"], strict=True)]
    for order in (range(1, len(rest)), range(len(rest) - 2, -1, -1)):
        for index in order:
            holiday[index] |= rest[index] and holiday[index - order.step]
    asked = slice(HORIZON_DAYS, HORIZON_DAYS + days)
    return list(zip(rest[asked], holiday[asked], strict=True))
