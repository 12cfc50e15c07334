"""Index folders: every version is written beside the others and becomes current in one step.

``folder/current`` names the version in use. A version holds ``manifest.json`` with checksums of its files; a file that
does not match, another encoder or another library means that the index must be rebuilt, never that it is served.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coach.abstention import Abstention
from coach.calibration import CalibrationReport
from coach.dense import DenseIndex
from coach.encoder import Encoder
from coach.entry import LibraryEntry
from coach.heads import LinearHead, TypeHeads
from coach.index import HintIndex, library_checksum
from coach.lessons import Lessons
from coach.lexical import LexicalIndex
from coach.library_files import read_library, write_jsonl
from coach.listening import Listener
from coach.ranking import TypeWeights
from coach.rows import RowTable, lay_out_rows
from common.errors import Text

FORMAT_VERSION = 2
"""Changes whenever older files could be misread, or the same files would be understood differently."""

_HEADS = ("dense", "lexical")


@dataclass(frozen=True, slots=True)
class RebuildNeeded:
    """Why a saved index cannot be used.

    Attributes
    ----------
    code : str
        ``missing``, ``format``, ``encoder``, ``library`` or ``broken``.
    reason : Text
        The same for people.
    """

    code: str
    reason: Text


def save_index(index: HintIndex, folder: Path) -> Path:
    """Save an index as the current version of ``folder``, and return where it stands.

    Readers see the old version or the new one, never a mixture. The version before is kept for readers under way;
    older ones are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"index-{index.created_at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    draft = folder / f".{name}"
    draft.mkdir()
    (draft / "entries.jsonl").write_bytes(write_jsonl(index.entries))
    (draft / "learned.json").write_text(json.dumps(_learned(index), ensure_ascii=False), encoding="utf-8")
    np.savez(draft / "arrays.npz", allow_pickle=False, **_arrays(index.listener))
    manifest = {
        "format_version": FORMAT_VERSION,
        "encoder_fingerprint": index.fingerprint,
        "library_checksum": index.library_checksum,
        "created_at": index.created_at.isoformat(),
        "counts": {"entries": len(index.entries), "rows": index.row_count},
        "files": {each.name: _sha256(each) for each in sorted(draft.iterdir())},
    }
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    os.replace(draft, folder / name)
    before = _current(folder)
    pointer = folder / f".current-{uuid.uuid4().hex[:8]}"
    pointer.write_text(name, encoding="utf-8")
    os.replace(pointer, folder / "current")
    for old in folder.glob("index-*"):
        if old.name not in (name, before):
            shutil.rmtree(old, ignore_errors=True)
    return folder / name


def load_index(
    folder: Path,
    encoder: Encoder,
    entries: Sequence[LibraryEntry],
    *,
    lessons: Lessons | None = None,
) -> HintIndex | RebuildNeeded:
    """Load the current index of ``folder`` if it is the one of this encoder and these entries.

    Returns
    -------
    HintIndex or RebuildNeeded
        The index, or why it has to be built anew.
    """
    name = _current(folder)
    if name is None or not (folder / name / "manifest.json").is_file():
        return RebuildNeeded("missing", Text("there is no saved index", "没有已保存的索引"))
    version = folder / name
    try:
        manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
        lessons = lessons or Lessons.shipped()
        stale = _mismatch(version, manifest, encoder.fingerprint(), library_checksum(entries, lessons))
        return stale or _restore(version, manifest, lessons)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return RebuildNeeded("broken", Text(f"the saved index cannot be read: {error}", f"无法读取索引：{error}"))


def _mismatch(version: Path, manifest: dict[str, Any], fingerprint: str, checksum: str) -> RebuildNeeded | None:
    if manifest["format_version"] != FORMAT_VERSION:
        return RebuildNeeded("format", Text("the index was saved by another version", "索引由其他版本保存"))
    if manifest["encoder_fingerprint"] != fingerprint:
        return RebuildNeeded("encoder", Text("the index was built with another encoder", "索引由其他编码模型构建"))
    if manifest["library_checksum"] != checksum:
        return RebuildNeeded("library", Text("the library has changed since the index was built", "案例库已有改动"))
    for name, expected in manifest["files"].items():
        if _sha256(version / name) != expected:
            return RebuildNeeded("broken", Text(f"{name} is damaged", f"{name} 已损坏"))
    return None


def _learned(index: HintIndex) -> dict[str, Any]:
    listener = index.listener
    return {
        "features": list(listener.lexical.names),
        "weights": asdict(listener.weights),
        "dense_share": listener.dense_share,
        "abstention": asdict(listener.abstention),
        "report": asdict(index.report),
    }


def _arrays(listener: Listener) -> dict[str, npt.NDArray[Any]]:
    named: dict[str, npt.NDArray[Any]] = {f"rows_{name}": array for name, array in listener.lexical.arrays().items()}
    for head in _HEADS:
        learned: LinearHead = getattr(listener.heads, head)
        named |= {f"{head}_weights": learned.weights, f"{head}_bias": learned.bias}
    # half precision: the index keeps one byte a dimension
    return {**named, "vectors": listener.dense.vectors().astype(np.float16)}


def _restore(version: Path, manifest: dict[str, Any], lessons: Lessons) -> HintIndex:
    entries = tuple(read_library((version / "entries.jsonl").read_bytes(), "entries.jsonl").entries)
    learned = json.loads((version / "learned.json").read_text(encoding="utf-8"))
    report = learned["report"]
    return HintIndex(
        entries=entries,
        listener=_listener(version / "arrays.npz", learned, lay_out_rows(entries, lessons)),
        report=CalibrationReport(**{**report, "reliability": tuple(map(tuple, report["reliability"]))}),
        fingerprint=manifest["encoder_fingerprint"],
        library_checksum=manifest["library_checksum"],
        created_at=datetime.fromisoformat(manifest["created_at"]),
    )


def _listener(arrays_file: Path, learned: dict[str, Any], rows: RowTable) -> Listener:
    with np.load(arrays_file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    lexical = {name.removeprefix("rows_"): array for name, array in arrays.items() if name.startswith("rows_")}
    abstention = learned["abstention"]
    return Listener(
        rows,
        (DenseIndex(arrays["vectors"]), LexicalIndex.restore(learned["features"], lexical)),
        TypeHeads(*(LinearHead(arrays[f"{head}_weights"], arrays[f"{head}_bias"]) for head in _HEADS)),
        weights=TypeWeights(**learned["weights"]),
        dense_share=learned["dense_share"],
        abstention=Abstention(**{**abstention, "weights": tuple(abstention["weights"])}),
    )


def _current(folder: Path) -> str | None:
    try:
        return (folder / "current").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
