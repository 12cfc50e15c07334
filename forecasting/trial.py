"""The trial of a new model against the one in use, on days that neither has seen.

A model that is trained on all history has seen every day there is, so that it can never be measured itself. What can be
measured is a *probe*: the same settings, trained on what was known at an earlier day, forecasting the days since. Three
cases, by how many of the last origins the champion has not seen:

- *stored model*: the champion was trained before the first of the last origins. Its stored file forecasts from all of
  them, and so does a probe of the challenger, trained at the first of them. The difference holds both the new settings
  and the fresher data, which is what a promotion would bring.
- *same cut*: the champion is younger, yet enough origins lie after its training. The probe is trained until the same
  day as the champion, and both forecast the days since. The difference holds the settings only.
- *both probes*: the champion has seen nearly all of it. A probe of the champion's settings and one of the challenger's
  are trained at the first of the last origins. The champion's probe is made by today's software; what an older release
  would have made of its settings cannot be told.

In the last two cases a challenger with the champion's very settings would be compared with itself. There nothing is
trained, and the trial says so: what the challenger has to offer is the fresher data alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from common.errors import Text
from forecasting.comparison import Comparison, ComparisonSettings, compare_errors, losses_of
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig, Progress, TooLittleHistory
from forecasting.panel import Panel
from forecasting.scores import Scales

_NO_NUMBERS = ("threads", "scheduler")
"""Settings that move where the work is done, not what comes of it."""


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """Which origins a trial is held on: the last ``origins``, one horizon apart, so that no day counts twice."""

    origins: int = 28
    settings: ComparisonSettings = field(default_factory=ComparisonSettings)


@dataclass(frozen=True, slots=True)
class Trial:
    """How a challenger did against the champion.

    Attributes
    ----------
    evidence : str
        ``stored_model``, ``same_cut``, ``both_probes``, or ``none`` when there was nothing to compare.
    same_configuration : bool
        Whether both have the same settings and features, so that only the data differ.
    comparison : Comparison or None
        The result; None without evidence.
    reason : Text
        The result in words.
    """

    evidence: str
    same_configuration: bool
    comparison: Comparison | None
    reason: Text


def numeric_settings(config: ForecastConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the numbers of a model depend on, as JSON can hold them."""
    values = dict(config) if isinstance(config, Mapping) else asdict(config)
    return {name: value for name, value in values.items() if name not in _NO_NUMBERS}


def try_challenger(
    panel: Panel,
    champion: Forecaster,
    challenger: Forecaster,
    plan: TrialPlan | None = None,
    *,
    progress: Progress | None = None,
) -> Trial:
    """Compare a newly trained ``challenger`` with the ``champion`` on days that neither side has seen.

    Parameters
    ----------
    panel : Panel
        The history that the challenger was trained on.
    plan : TrialPlan, optional
        On which origins.
    progress : callable, optional
        Called with the share done and what is done now.
    """
    plan = plan or TrialPlan()
    same = _same(champion, challenger)
    horizon = challenger.learned.config.horizon
    if champion.learned.config.horizon != horizon:
        return _nothing(same, Text("the two models forecast different horizons", "两个模型的预测天数不同"))
    columns = _last_origins(panel, plan.origins, horizon)
    unseen = [column for column in columns if column >= panel.column_of(champion.learned.trained_until)]
    if len(unseen) == len(columns):
        evidence = "stored_model"
    elif same:
        reason = Text(
            f"same settings, trained on {len(unseen)} origins more: no days to tell them apart on",
            f"设置相同，仅多训练了 {len(unseen)} 个起点的数据：没有可区分两者的日期",
        )
        return _nothing(same, reason)
    elif len(unseen) >= plan.settings.least_origins:
        evidence, columns = "same_cut", unseen
    else:
        evidence = "both_probes"
    return _compared(panel, champion, challenger, (evidence, same, columns, plan), progress)


def _compared(
    panel: Panel,
    champion: Forecaster,
    challenger: Forecaster,
    how: tuple[str, bool, list[int], TrialPlan],
    progress: Progress | None,
) -> Trial:
    evidence, same, columns, plan = how
    tell = progress or (lambda share, text: None)
    if len(columns) < plan.settings.least_origins:
        return _nothing(same, Text("the history is too short for a trial", "历史太短，无法比较"))
    cut = panel.column_of(champion.learned.trained_until) if evidence == "same_cut" else columns[0]
    tell(0.0, Text("training the challenger's probe", "正在训练挑战者的试验模型"))
    probe = _probe(panel, cut, challenger.learned.config)
    rival: Forecaster | TooLittleHistory = champion
    if evidence == "both_probes":
        tell(0.4, Text("training the champion's probe", "正在训练现用模型的试验模型"))
        rival = _probe(panel, cut, champion.learned.config)
    if isinstance(probe, TooLittleHistory) or isinstance(rival, TooLittleHistory):
        return _nothing(same, Text("the history is too short for a trial", "历史太短，无法比较"))
    tell(0.8, Text("forecasting with both", "正在用两个模型预测"))
    scales = Scales.of(panel.quantity[:, : columns[0] + 1])
    losses = [losses_of(each, panel, columns, scales) for each in (rival, probe)]
    found = compare_errors(losses[0], losses[1], plan.settings)
    tell(1.0, found.reason)
    return Trial(evidence, same, found, found.reason)


def _probe(panel: Panel, cut: int, config: ForecastConfig) -> Forecaster | TooLittleHistory:
    return train(panel.until(panel.first_day + timedelta(days=cut)), config)


def _last_origins(panel: Panel, number: int, horizon: int) -> list[int]:
    last_day = panel.last_observed_day
    if last_day is None:
        return []
    latest = panel.column_of(last_day) - horizon
    return [column for back in reversed(range(number)) if (column := latest - horizon * back) >= 1]


def _same(champion: Forecaster, challenger: Forecaster) -> bool:
    one, other = champion.learned, challenger.learned
    if numeric_settings(one.config) != numeric_settings(other.config):
        return False
    return _own_features(champion) == _own_features(challenger)


def _own_features(forecaster: Forecaster) -> set[str]:
    """Return the features that come from no column of the panel: they tell one release from another."""
    learned = forecaster.learned
    given = (*learned.covariates, *learned.history_only)
    return {name for name in learned.feature_names if not (given and name.startswith(given))}


def _nothing(same: bool, reason: Text) -> Trial:
    return Trial("none", same, None, reason)
