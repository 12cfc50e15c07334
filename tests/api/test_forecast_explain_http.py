"""Why a forecast is what it is, and its picture: over HTTP and from the command line."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from typer.testing import CliRunner

from api.cli import app
from api.forecast_picture import picture
from api.picture_marks import MOST_LANES, Bar, place_bars
from api.services import Services
from common.errors import Text
from operations.demand import DayForecast
from operations.demand_chart import ConsumptionDay, MaterialCard
from operations.demand_marks import DayMark
from operations.forecast_figures import PICTURE_QUANTILES, SHOWN_DAYS, ForecastFigures
from tests.api.conftest import Client

PLACE = {"region": "wuhou", "material": "gift-standard"}
ORIGIN = date(2026, 10, 14)


def test_each_day_is_explained_in_the_askers_language_and_adds_up(signed_in: Client) -> None:
    answer = signed_in("director").get("/v1/forecasts/explain", params=PLACE)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["model_version"] == signed_in("director").get("/v1/forecasts").json()["model_version"]
    assert len(found["days"]) == 3
    for day in found["days"]:
        total = sum(part["units"] for part in day["contributions"])
        assert total == pytest.approx(day["forecast_units"] - day["reference_units"], abs=0.01)
        assert "forecast for last" in day["sentence"]
        assert day["contributions"] == sorted(day["contributions"], key=lambda part: -abs(part["units"]))
    chinese = signed_in("director").get(
        "/v1/forecasts/explain",
        params={**PLACE, "day": found["days"][0]["day"]},
        headers={"Accept-Language": "zh"},
    )
    (first,) = chinese.json()["days"]
    assert "一周前" in first["sentence"]
    assert first["forecast_units"] == found["days"][0]["forecast_units"]


@pytest.mark.parametrize("path", ["explain", "chart"])
def test_who_may_not_see_the_forecast_sees_neither_reasons_nor_picture(signed_in: Client, path: str) -> None:
    address = f"/v1/forecasts/{path}"
    own = signed_in("region_manager").get("/v1/me").json()["region"]
    other = next(region for region in ("wuhou", "jinniu") if region != own)
    assert signed_in("region_manager").get(address, params={**PLACE, "region": own}).status_code == 200
    assert signed_in("region_manager").get(address, params={**PLACE, "region": other}).status_code == 403
    assert signed_in("rep").get(address, params=PLACE).status_code == 403
    for wrong in ({**PLACE, "region": "moon"}, {**PLACE, "material": "moon"}):
        answer = signed_in("director").get(address, params=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("query/")
    assert signed_in("director").get(address, params={"region": "wuhou"}).status_code == 422


def test_a_day_that_is_not_forecast_is_named(signed_in: Client) -> None:
    answer = signed_in("director").get("/v1/forecasts/explain", params={**PLACE, "day": "2001-01-01"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query/day"


def test_the_picture_comes_as_png_or_svg_in_the_askers_language(signed_in: Client) -> None:
    director = signed_in("director")
    png = director.get("/v1/forecasts/chart", params={**PLACE, "earlier": True})
    assert png.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(png.content)).size == (1600, 768)
    svg = director.get("/v1/forecasts/chart", params={**PLACE, "format": "svg"}, headers={"Accept-Language": "zh"})
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.headers["content-language"] == "zh"
    assert "武侯 · 标准礼品包：未来 3 天需求" in svg.text
    assert director.get("/v1/forecasts/chart", params={**PLACE, "format": "gif"}).status_code == 422


def test_the_command_line_explains_and_draws(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(services.settings.data_folder))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*words: str) -> tuple[int, str]:
        place = ("--region", "wuhou", "--material", "gift-standard")
        told = CliRunner().invoke(app, ["forecast", *words, *place])
        return told.exit_code, told.output

    days = json.loads(run("explain", "--json")[1])["days"]
    assert len(days) == 3
    code, told = run("explain", "--day", days[1]["day"])
    assert code == 0
    assert days[1]["sentence"] in told
    assert days[0]["sentence"] not in told
    assert "query/day" in run("explain", "--day", "2001-01-01")[1]
    file = tmp_path / "need.svg"
    assert run("plot", "--out", str(file), "--language", "zh") == (0, f"{file}\n")
    assert "标准礼品包" in file.read_text(encoding="utf-8")
    assert run("plot", "--out", str(tmp_path / "need.gif"))[0] == 2
    assert run("plot", "--file", "demand.csv")[0] == 2


def test_a_demand_file_is_drawn_with_a_model_of_it(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from operations.demand_history import history

    with services.database.read() as session:
        panel = history(session)
    frame = panel.to_frame()
    frame[frame["date"] >= "2026-07-01"].to_csv(tmp_path / "demand.csv", index=False)
    (model,) = services.settings.model_folder.glob("*/forecaster.zip")
    out = tmp_path / "need.png"
    words = ["forecast", "plot", "--file", str(tmp_path / "demand.csv"), "--model", str(model), "--out", str(out)]
    told = CliRunner().invoke(app, [*words, "--region", "wuhou", "--material", "gift-standard"])
    assert told.exit_code == 0, told.output
    assert Image.open(out).format == "PNG"
    wrong = CliRunner().invoke(app, [*words, "--region", "moon", "--material", "gift-standard"])
    assert wrong.exit_code == 2


def figures(*, marks: int = 9, days: int = 3, scale: float = 10.0) -> ForecastFigures:
    """Return figures with stock-outs, a gap, an override, and more marks than there is room for."""
    first = ORIGIN - timedelta(days=SHOWN_DAYS - 1)
    used = [
        ConsumptionDay(first + timedelta(days=offset), scale * (1 + offset % 7), available=offset % 20 != 3)
        for offset in range(SHOWN_DAYS)
        if offset != 30
    ]
    curve = dict(zip(PICTURE_QUANTILES, (0.1 * scale, 2 * scale, 3 * scale, 4 * scale, 7 * scale), strict=True))
    lower = {quantile: 0.7 * units for quantile, units in curve.items()}
    ahead = [
        DayForecast("r", "m", ORIGIN + timedelta(days=ahead), curve, lower if ahead == 2 else None)
        for ahead in range(1, days + 1)
    ]
    spans = [
        DayMark(
            "holiday" if number % 3 == 0 else "fair",
            Text(
                f"Fair number {number} with a long name\nthat goes on & on <$x$>\x07",
                f"第{number}届成都国际家居及日用品博览会暨采购节",
            ),
            first + timedelta(days=5 * number),
            first + timedelta(days=7 * number + 3),
        )
        for number in range(marks)
    ]
    card = MaterialCard("m", Text("Gift pack & $bag$", "礼品包（亲子）"), Text("pack", "份"))
    return ForecastFigures(
        Text("Jinniu", "金牛"), card, ORIGIN, "2026-10-14-abc", tuple(used), tuple(ahead), tuple(spans)
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "found",
    [
        figures(),
        figures(marks=0, scale=0.2),
        figures(days=0, scale=1e6),
        replace(figures(), used=(), ahead=()),
        replace(figures(), earlier=figures().ahead),
    ],
    ids=["full", "small and plain", "no forecast", "nothing at all", "earlier"],
)
def test_every_letter_of_a_picture_has_its_glyph_and_the_title_is_in_it(found: ForecastFigures, language: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png, svg = picture(found, language, "png"), picture(found, language, "svg")
    image = Image.open(BytesIO(png))
    image.verify()
    title = {"en": "Gift pack & $bag$, Jinniu: the need of", "zh": "金牛 · 礼品包（亲子）：未来"}[language]
    assert image.info["Title"].startswith(title)
    text = "".join(ElementTree.fromstring(svg).itertext())
    assert title in text


def test_marks_and_their_names_never_lie_over_one_another() -> None:
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=8)
    bars = [Bar(3.0 * number, 3.0 * number + 5, "a name " * (1 + number % 4), False) for number in range(18)]
    placed = place_bars(bars, (-0.7, 55.7), 10.0, font)
    assert len(placed) > MOST_LANES
    lanes: dict[int, list[tuple[float, float]]] = {}
    for one in placed:
        assert one.lane < MOST_LANES
        assert one.name_left >= -0.7
        lanes.setdefault(one.lane, []).append((min(one.bar.left, one.name_left), one.bar.right))
    for spans in lanes.values():
        spans.sort()
        assert all(left[1] <= right[0] for left, right in pairwise(spans))
    (cut,) = place_bars([Bar(1, 2, "a name that is far too long for a strip", True)], (0, 3), 20.0, font)
    assert cut.name.endswith("…")
