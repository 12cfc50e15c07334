"""Saving and loading a trained forecaster: one file, swapped whole.

The file is a ZIP archive with ``manifest.json`` (readable without this software) and ``model.joblib``. The latter is a
pickle: load only files that your own installation has written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.errors import NotReady, Text
from forecasting.boosting import dump_models, library_versions, load_models
from forecasting.forecaster import Forecaster
from forecasting.model import Learned

FORMAT = 2


def manifest_of(forecaster: Forecaster) -> dict[str, Any]:
    """Return what is to be known of a forecaster: version, training data, features, measures, libraries, settings."""
    learned = forecaster.learned
    return {
        "format": FORMAT,
        "version": forecaster.version,
        "trained_until": learned.trained_until.isoformat(),
        "training_checksum": learned.checksum,
        "series": len(learned.codes.series),
        "country": learned.country,
        "features": list(learned.feature_names),
        "covariates": list(learned.covariates),
        "measures": learned.measures,
        "history_only": list(learned.history_only),
        "config": asdict(learned.config),
        "notes": [{"en": note.en, "zh": note.zh} for note in learned.notes],
        "libraries": library_versions(),
    }


def save_forecaster(forecaster: Forecaster, path: Path) -> dict[str, Any]:
    """Write ``forecaster`` to ``path`` and return its manifest.

    A reader sees the old file or the new one, never a half: the new one is written beside it and moved over it.
    """
    payload = dump_models(forecaster.learned)
    manifest = {**manifest_of(forecaster), "payload_sha256": hashlib.sha256(payload).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
            archive.writestr("model.joblib", payload)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a saved forecaster without loading the models.

    Raises
    ------
    NotReady
        When there is no such file, or it is not a saved forecaster.
    """
    return _read(path)[0]


def load_forecaster(path: Path) -> Forecaster:
    """Return the forecaster saved at ``path``.

    Raises
    ------
    NotReady
        When there is none, it is damaged, or other versions of the libraries wrote it: it must be trained again.
    """
    manifest, payload = _read(path)
    if hashlib.sha256(payload).hexdigest() != manifest.get("payload_sha256"):
        raise _unusable(path, "is damaged", "已损坏")
    wrote = manifest.get("libraries", {}).get("scikit-learn")
    if manifest.get("format") != FORMAT or wrote != library_versions()["scikit-learn"]:
        raise _unusable(path, "was written by other library versions", "由其他版本的软件库写成")
    learned = load_models(payload)
    if not isinstance(learned, Learned):
        raise _unusable(path, "is not a forecaster", "不是预测模型")
    return Forecaster(learned)


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        text = Text("no forecaster has been trained yet", "尚未训练预测模型")
        raise NotReady(text) from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            payload = archive.read("model.joblib")
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise _unusable(path, "is damaged", "已损坏") from error
    if not isinstance(manifest, dict):
        raise _unusable(path, "is damaged", "已损坏")
    return manifest, payload


def _unusable(path: Path, en: str, zh: str) -> NotReady:
    return NotReady(Text(f"the forecaster {path.name} {en}: train again", f"预测模型 {path.name} {zh}：请重新训练"))
