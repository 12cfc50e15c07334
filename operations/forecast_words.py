"""How the forecast's covariates are spoken of in explanations."""

from __future__ import annotations

from common.errors import Text
from forecasting.explanation_words import ColumnName, Wording

EVENT_NAMES = {
    "exam": Text("exam weeks", "考试周"),
    "term_start": Text("the start of term", "开学季"),
    "fair": Text("a fair", "展会"),
    "promotion": Text("a promotion", "促销活动"),
    "opening": Text("a shop opening", "门店开业"),
    "community_day": Text("a community day", "社区活动日"),
}
"""Each kind of event, as it is said in a sentence."""

WORDING = Wording(
    {
        "planned_visits": ColumnName(Text("planned visits", "计划拜访"), "count", "次"),
        **{f"event_{kind}": ColumnName(name, "event") for kind, name in EVENT_NAMES.items()},
    }
)
"""The names of the columns that `operations.demand_history` gives to the forecaster."""
