from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from common.errors import NotReady
from forecasting.forecaster import Forecaster
from forecasting.model_file import load_forecaster, read_manifest, save_forecaster
from forecasting.panel import Panel


def test_a_loaded_forecaster_says_the_same(forecaster: Forecaster, panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "models" / "demand.zip"
    manifest = save_forecaster(forecaster, path)
    loaded = load_forecaster(path)
    pd.testing.assert_frame_equal(loaded.predict(panel).days, forecaster.predict(panel).days, check_exact=True)
    assert read_manifest(path) == manifest
    assert manifest["version"] == loaded.version
    assert manifest["training_checksum"] == panel.checksum()
    assert "event+0" in manifest["features"]
    assert 0 < manifest["measures"]["wape"] < 0.5
    assert [file.name for file in path.parent.iterdir()] == ["demand.zip"]


def test_nothing_trained_yet_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        load_forecaster(tmp_path / "none.zip")


def test_a_damaged_or_foreign_file_is_refused_before_its_pickle_runs(forecaster: Forecaster, tmp_path: Path) -> None:
    path = tmp_path / "demand.zip"
    save_forecaster(forecaster, path)
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read("manifest.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("model.joblib", b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(NotReady, match="damaged"):
        load_forecaster(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(NotReady, match="damaged"):
        load_forecaster(path)


def test_a_file_of_other_library_versions_must_be_trained_again(
    forecaster: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demand.zip"
    save_forecaster(forecaster, path)
    monkeypatch.setattr("forecasting.model_file.library_versions", lambda: {"scikit-learn": "0.1"})
    with pytest.raises(NotReady, match="train again"):
        load_forecaster(path)
