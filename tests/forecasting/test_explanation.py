"""What moved a forecast: shares that add up, causes that are named, words in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput, Text
from forecasting.explanation import Asked, Explanation, explain
from forecasting.explanation_causes import REST, Cause, Change, Inputs, cause_of
from forecasting.explanation_days import HOLIDAY, MAKE_UP, PLAIN, nature_of
from forecasting.explanation_shares import Game, SharingPlan
from forecasting.explanation_words import ColumnName, Scene, Wording, contribution
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig
from forecasting.panel import Panel
from forecasting.panel_table import SeriesKey

NAMES = Wording({"event": ColumnName(Text("a fair", "展会"), "event")})
SAMPLED = SharingPlan(most_exact=1, orders=8)


def with_event(panel: Panel, days: dict[date, float]) -> Panel:
    """Return the panel with the event of all series set on some days."""
    panel = panel.reach(max(panel.last_day, *days))
    event = np.nan_to_num(panel.covariates["event"])
    for day, value in days.items():
        event[:, panel.column_of(day)] = value
    return replace(panel, covariates={"event": event})


def total(one: Explanation) -> float:
    return sum(part.units for part in one.contributions)


def difference(one: Explanation) -> float:
    assert one.forecast_units is not None
    assert one.reference_units is not None
    return one.forecast_units - one.reference_units


@pytest.mark.parametrize("players", [1, 2, 3, 4])
def test_exact_shares_are_the_mean_gain_over_all_orders(players: int) -> None:
    game = Game(players, SharingPlan())
    values = np.random.default_rng(players).normal(size=2**players)
    shares = game.shares(values)
    assert (game.coalitions()[0].any(), game.coalitions()[-1].all()) == (False, True)
    orders = list(permutations(range(players)))
    for player in range(players):
        gains = []
        for order in orders:
            before = sum(1 << other for other in order[: order.index(player)])
            gains.append(values[before | (1 << player)] - values[before])
        assert shares.gain[player] == pytest.approx(np.mean(gains))
    assert not shares.error.any()


@given(st.integers(2, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_shares_add_up_and_a_player_that_changes_nothing_gets_exactly_nothing(
    players: int, most_exact: int, seed: int
) -> None:
    game = Game(players, SharingPlan(most_exact=most_exact, orders=16))
    members = game.coalitions()
    # Some odd function of all players but the first.
    weights = np.random.default_rng(seed).normal(size=players - 1)
    values = np.exp(members[:, 1:] @ weights) + members[:, 1:].sum(axis=1) ** 2
    shares = game.shares(values)
    assert shares.gain.sum() == pytest.approx(values[-1] - values[0], abs=1e-9)
    assert shares.gain[0] == 0.0


def test_sampled_shares_lie_near_the_exact_ones_and_say_how_near() -> None:
    exact, sampled = Game(6, SharingPlan()), Game(6, SharingPlan(most_exact=5, orders=400))
    weights = np.array([3.0, -2.0, 1.0, 0.5, 0.0, 4.0])

    def value(members: np.ndarray) -> np.ndarray:
        made: np.ndarray = np.maximum(members @ weights, 1.0) ** 1.5
        return made

    true, found = exact.shares(value(exact.coalitions())), sampled.shares(value(sampled.coalitions()))
    assert (np.abs(found.gain - true.gain) <= 4 * found.error + 1e-9).all()
    assert 0 < found.error.max() < 0.5
    again = sampled.shares(value(sampled.coalitions()))
    assert (again.gain == found.gain).all()


@given(st.integers(60, 199), st.floats(0, 3), st.sampled_from([SharingPlan(), SAMPLED]))
@settings(deadline=None, max_examples=25)
def test_contributions_add_up_to_the_change_of_the_forecast(
    forecaster: Forecaster, panel: Panel, column: int, strength: float, plan: SharingPlan
) -> None:
    origin = panel.first_day + timedelta(days=column)
    changed = with_event(panel, {origin + timedelta(days=1): strength, origin + timedelta(days=2): 0.0})
    found = explain(forecaster, changed, Asked(origin), plan=plan)
    assert len(found) == 3 * len(panel.series)
    made = forecaster.predict(changed, origin=origin).days
    for one, (_, row) in zip(found, made.iterrows(), strict=True):
        assert (one.region, one.item, one.day) == (row["region"], row["item"], row["date"].date())
        assert one.forecast_units == pytest.approx(row["mean"], rel=1e-9)
        assert total(one) == pytest.approx(difference(one), abs=1e-6)
        assert one.reference_day == one.day - timedelta(days=7)


def test_a_planted_effect_is_named_first(forecaster: Forecaster, panel: Panel) -> None:
    origin = panel.last_day
    days = {origin + timedelta(days=ahead): 0.0 for ahead in range(-9, 5)}
    fair = origin + timedelta(days=2)
    found = explain(forecaster, with_event(panel, {**days, fair: 1.0}), Asked(origin, days=[fair]), wording=NAMES)
    for one in found:
        first = one.contributions[0]
        assert (first.cause, first.before, first.after) == ("event", 0.0, 1.0)
        assert first.label == Text("a fair", "展会")
        assert first.units > 0.25 * difference(one) > 0
        head, causes = one.sentence.en.split(": ")
        assert head.startswith("+")
        assert causes.startswith("a fair (+")
        assert "有展会（+" in one.sentence.zh
    gone = explain(forecaster, with_event(panel, {**days, fair - timedelta(days=7): 1.0}), Asked(origin, days=[fair]))
    for one in gone:
        assert one.contributions[0].cause == "event"
        assert one.contributions[0].units < 0
        # Nobody named the column: it is shown as it is.
        assert f"event 0 instead of 1 (−{-one.contributions[0].units:,.0f})" in one.sentence.en


def test_inputs_that_did_not_change_contribute_exactly_nothing(
    forecaster: Forecaster, panel: Panel, quick: ForecastConfig
) -> None:
    origin = panel.last_day
    days = {origin + timedelta(days=ahead): 0.0 for ahead in range(-40, 5)}
    found = explain(forecaster, with_event(panel, days), Asked(origin))
    assert any(one.contributions for one in found)
    assert "event" not in {part.cause for one in found for part in one.contributions}
    # The same week again and again, long enough for all windows: only the time of the year goes on.
    rhythm = np.tile([80.0, 90.0, 100.0, 100.0, 110.0, 150.0, 140.0], 120)[None, :]
    steady = Panel(date(2022, 1, 3), (SeriesKey("r", "i"),), rhythm, {"event": np.zeros((1, 840))})
    trained = train(steady, quick)
    assert isinstance(trained, Forecaster)
    for one in explain(trained, steady, Asked(steady.last_day)):
        assert {part.cause for part in one.contributions} <= {"season"}


def test_every_input_of_the_model_belongs_to_a_cause(forecaster: Forecaster, quick: ForecastConfig) -> None:
    rng = np.random.default_rng(0)
    cells = {"visits": rng.integers(0, 9, (2, 400)).astype(float)}
    series = (SeriesKey("a", "i"), SeriesKey("b", "i"))
    panel = Panel(
        date(2024, 1, 1), series, rng.poisson(9, (2, 400)).astype(float), cells, {"rain": rng.random((2, 400))}
    )
    from forecasting.calendar import build_calendar
    from forecasting.features import Codes, SeriesFeatures

    calendar = build_calendar(panel.first_day, panel.days, country="CN")
    names = SeriesFeatures(panel, calendar, codes=Codes.of(panel), floor=0.1).names()
    causes = {name: cause_of(name, ("visits", "rain")) for name in names}
    assert {name for name, cause in causes.items() if cause.kind == REST} == {
        "ahead",
        "series",
        "region",
        "item",
        "covariates_effect",
    }
    assert causes["visits-7"] == causes["visits_effect"] == Cause("covariate", "visits")
    assert causes["rain_mean_7"] == Cause("covariate", "rain")
    assert causes["calendar_rest_day-7"].kind == "holidays"
    assert causes["weekday_mean_4"].kind == "recent_demand"
    assert causes["mean_91"].kind == "level"


def test_the_effect_of_all_covariates_together_changes_by_each_ones_part() -> None:
    names = ("a+0", "a_effect", "b+0", "b_effect", "covariates_effect", "lag_0", "log_level")
    before = Inputs(np.array([2, 0.5, 1, 0.25, 1.25, 0.1, np.log(10)], dtype=np.float32), 10.0)
    after = Inputs(np.array([4, 0.5, 3, 0.25, 2.75, 0.1, np.log(20)], dtype=np.float32), 20.0)
    change = Change.between(names, before, after, ("a", "b"))
    assert [cause.code for cause in change.causes] == ["a", "b", "level", "recent_demand"]
    features, level = change.inputs(np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]], dtype=bool))
    assert features[:, 4] == pytest.approx([1.25, 2.25, 1.75, 2.75])
    assert level.tolist() == [10, 10, 20, 20]
    assert (features[0] == before.features).all()
    assert (features[3] == after.features).all()
    # Twice the level with the same demand in units: half of it in shares.
    from forecasting.features import soft_exp

    shares = soft_exp(features[:, 5].astype(np.float64))
    assert shares[2] * 20 == pytest.approx(shares[0] * 10, rel=1e-4)


def test_the_same_inputs_twice_have_no_cause() -> None:
    names = ("a+0", "a_effect", "covariates_effect", "lag_0")
    same = Inputs(np.array([np.nan, 0.5, 0.0, 0.1], dtype=np.float32), 10.0)
    change = Change.between(names, same, same, ("a",))
    assert change.causes == ()
    game = Game(0, SharingPlan())
    features, level = change.inputs(game.coalitions())
    assert np.array_equal(features[0], same.features, equal_nan=True)
    assert len(game.shares(level).gain) == 0


def test_a_short_history_is_compared_with_the_usual_level_and_says_why(forecaster: Forecaster, panel: Panel) -> None:
    origin = panel.first_day + timedelta(days=5)
    (one,) = explain(forecaster, panel, Asked(origin, [panel.series[0]], [origin + timedelta(days=1)]))
    assert one.reference_day is None
    assert one.contributions == ()
    assert one.reason is not None
    assert f"the history begins on {panel.first_day}" in one.sentence.en
    assert "its usual level" in one.sentence.en
    assert "日常水平" in one.sentence.zh
    assert one.reference_units is not None
    assert one.reference_units > 0


def test_a_series_without_any_history_is_a_result_with_its_reason(forecaster: Forecaster, panel: Panel) -> None:
    quantity = np.vstack([panel.quantity, np.full((1, panel.days), np.nan)])
    event = np.vstack([panel.covariates["event"], np.zeros((1, panel.days))])
    new = replace(panel, series=(*panel.series, SeriesKey("zz", "new")), quantity=quantity, covariates={"event": event})
    found = explain(forecaster, new, Asked(panel.last_day, [SeriesKey("zz", "new"), panel.series[0]]))
    assert [one.forecast_units is None for one in found] == [True] * 3 + [False] * 3
    assert found[0].sentence.en == "new has no history in zz to forecast from."


def test_one_series_alone_is_explained_as_among_all(forecaster: Forecaster, panel: Panel) -> None:
    everything = {(one.region, one.item, one.day): one for one in explain(forecaster, panel, Asked(panel.last_day))}
    for key in panel.series:
        for one in explain(forecaster, panel, Asked(panel.last_day, [key])):
            assert one == everything[one.region, one.item, one.day]


def test_what_was_really_used_a_week_earlier_is_told_where_it_is_known(forecaster: Forecaster, panel: Panel) -> None:
    day = panel.last_day - timedelta(days=6)
    column = panel.column_of(day)
    out = panel.quantity.copy()
    out[0, column] = np.nan
    found = explain(forecaster, replace(panel, quantity=out), Asked(panel.last_day, days=[day + timedelta(days=7)]))
    assert found[0].reference_actual_units is None
    assert [one.reference_actual_units for one in found[1:]] == panel.quantity[1:, column].tolist()


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        (lambda panel: Asked(date(2031, 1, 1)), "/origin"),
        (lambda panel: Asked(panel.last_day, days=[panel.last_day]), "/days/0"),
        (lambda panel: Asked(panel.last_day, [panel.series[0], SeriesKey("no", "such")]), "/series/1"),
    ],
)
def test_a_wrong_question_names_what_is_wrong(
    forecaster: Forecaster, panel: Panel, asked: Callable[[Panel], Asked], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        explain(forecaster, panel, asked(panel))
    assert [field.pointer for field in error.value.fields] == [pointer]


@pytest.mark.parametrize(
    ("day", "kind", "said", "near"),
    [
        (date(2026, 10, 3), HOLIDAY, "国庆节", None),
        (date(2026, 10, 10), MAKE_UP, "调休上班日", None),
        (date(2026, 9, 30), PLAIN, None, "国庆节前 1 天"),
        (date(2026, 10, 9), PLAIN, None, "国庆节后第 2 天"),
        (date(2026, 11, 18), PLAIN, None, None),
    ],
)
def test_days_are_known_by_their_names(day: date, kind: str, said: str | None, near: str | None) -> None:
    found = nature_of(day, "CN")
    assert found.kind == kind
    assert (found.said.zh if found.said else None) == said
    assert (found.near.zh if found.near else None) == near
    assert nature_of(day, None).kind == PLAIN


VISITS = Wording({"visits": ColumnName(Text("planned visits", "计划拜访"), "count", "次"), **NAMES.columns})
NAN = float("nan")


def phrase(cause: Cause, day: date, features: dict[str, tuple[float, float]]) -> Text:
    """Return what is said of a cause on a day whose features changed from the first to the second value."""
    before, after = (
        Inputs(np.array([pair[side] for pair in features.values()], dtype=np.float32), 40.0 + side) for side in (0, 1)
    )
    change = Change.between(tuple(features), before, after, ("event", "visits"))
    scene = Scene(change, nature_of(day - timedelta(days=7), "CN"), nature_of(day, "CN"), VISITS)
    return contribution(scene, cause, 5.0).phrase


@pytest.mark.parametrize(
    ("day", "en", "zh"),
    [
        (date(2026, 10, 1), "National Day", "国庆节"),
        (date(2026, 10, 2), "National Day instead of Mid-Autumn Festival", "国庆节（一周前为中秋节）"),
        (date(2026, 10, 12), "last Monday was National Day", "一周前是国庆节"),
        (date(2026, 10, 10), "a make-up working day instead of National Day", "调休上班日（一周前为国庆节）"),
        (date(2026, 10, 17), "last Saturday was a make-up working day", "一周前是调休上班日"),
        (
            date(2026, 2, 22),
            "day 8 of the Chinese New Year (Spring Festival) holiday instead of day 1",
            "春节假期第 8 天（一周前为第 1 天）",
        ),
    ],
)
def test_holidays_of_both_weeks_are_said_by_name(day: date, en: str, zh: str) -> None:
    assert phrase(Cause("holidays"), day, {}) == Text(en, zh)


@pytest.mark.parametrize(
    ("column", "values", "en", "zh"),
    [
        ("visits", {"+0": (7, 12)}, "12 planned visits instead of 7", "计划拜访由 7 升至 12 次"),
        ("visits", {"+0": (7, NAN)}, "planned visits not known (7 last Saturday)", "计划拜访未知（一周前为 7 次）"),
        ("visits", {"+0": (12, 7)}, "planned visits around that day", "当天前后的计划拜访"),
        ("visits", {"+0": (7, 7), "+1": (3, 9)}, "planned visits on the days around it", "前后两天的计划拜访"),
        ("event", {"+0": (0, 1)}, "a fair", "有展会"),
        ("event", {"+0": (2, 0)}, "last Saturday had a fair", "一周前有展会"),
        ("event", {"+0": (1, 3)}, "a larger fair than last Saturday", "展会规模大于一周前"),
        ("event", {"+0": (0, 0), "+1": (0, 2)}, "the day before a fair", "展会前一天"),
        ("event", {"+0": (0, 0), "-1": (2, 0)}, "last Saturday was the day after a fair", "一周前是展会后一天"),
        ("event", {"+0": (0, 0), "_effect": (0.1, 0.2)}, "what a fair brought of late", "展会近期的带动作用"),
    ],
)
def test_covariates_are_said_with_both_values(
    column: str, values: dict[str, tuple[float, float]], en: str, zh: str
) -> None:
    features = {f"{column}{ending}": pair for ending, pair in values.items()}
    assert phrase(Cause("covariate", column), date(2026, 11, 28), features) == Text(en, zh)
