"""What the oracle of the sample organisation's demand says."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from training_data.sample_organisation import make_sample
from training_data.sample_organisation.demand import Causes
from training_data.sample_organisation.oracle import causes_of_demand

END = date(2026, 9, 30)


@pytest.fixture(scope="module")
def causes() -> Causes:
    return causes_of_demand(END)


def test_the_causes_are_those_behind_the_sample_s_consumption(causes: Causes) -> None:
    told = np.array([row["true_mean"] for row in make_sample(END).consumption]).reshape(causes.mean.shape)
    np.testing.assert_allclose(causes.mean, told, atol=1e-4)


@pytest.mark.parametrize("ahead", [1, 3])
def test_what_can_be_known_ahead_is_right_on_average(causes: Causes, ahead: int) -> None:
    """A conditional mean: whatever was known at the origin, what comes is on average as it said."""
    said, came = causes.mean_ahead(ahead)[..., ahead:], causes.mean[..., ahead:]
    assert np.isnan(causes.mean_ahead(ahead)[..., :ahead]).all()
    ratio = came / said
    assert ratio.mean() == pytest.approx(1.0, abs=0.005)
    noise = (causes.weather + causes.own)[..., :-ahead]
    # After a day far above, or far below, its rules too.
    for pick in (noise > 0.1, noise < -0.1):
        assert ratio[pick].mean() == pytest.approx(1.0, abs=0.03)


def test_more_can_be_known_of_tomorrow_than_of_the_day_after(causes: Causes) -> None:
    errors = [np.nanmean(np.abs(causes.mean_ahead(ahead) / causes.mean - 1)) for ahead in (1, 2, 3, 20)]
    assert errors == sorted(errors)
    # Far ahead nothing of the noise is known: what is left is what the rules alone say.
    assert errors[3] == pytest.approx(np.abs(np.exp(causes.known) / causes.mean - 1).mean(), rel=0.05)
