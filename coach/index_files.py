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
from coach.dense import DenseChannel
from coach.encoder import Encoder
from coach.entry import LibraryEntry
from coach.index import HintIndex, library_checksum, plan_of
from coach.language_rows import LanguageRows
from coach.lexical import LexicalChannel
from coach.library_files import read_library, write_jsonl
from coach.posterior import TypePosterior
from coach.ranking import TypeWeights
from coach.training import HeldOut
from common.errors import Text

FORMAT_VERSION = 1
"""Changes whenever older files could be misread, or the same files would be understood differently."""

_POSTERIOR = ("dense", "lexical", "bias")


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
    for filename, content in _files(index).items():
        (draft / filename).write_bytes(content)
    arrays = {f"{language}.npz": _arrays(part) for language, part in index.parts.items()}
    for filename, named in arrays.items():
        np.savez(draft / filename, allow_pickle=False, **named)
    manifest = {
        "format_version": FORMAT_VERSION,
        "encoder_fingerprint": index.fingerprint,
        "library_checksum": index.library_checksum,
        "created_at": index.created_at.isoformat(),
        "counts": {
            language: {"entries": len(entries), "rows": index.parts[language].plan.entry_rows}
            for language, entries in index.entries.items()
        },
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
    other_talk: dict[str, tuple[str, ...]] | None = None,
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
        stale = _mismatch(version, manifest, encoder.fingerprint(), library_checksum(entries, other_talk))
        return stale or _restore(version, manifest)
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


def _files(index: HintIndex) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for language, part in index.parts.items():
        names, _ = part.lexical.state()
        learned = {
            "features": names,
            "other_talk": part.plan.shown[part.plan.entry_rows :],
            "classes": part.posterior.classes,
            "dense_weight": part.posterior.dense_weight,
            "weights": asdict(part.weights),
            "abstention": asdict(part.abstention),
            "held_out": asdict(index.held_out[language]),
        }
        contents[f"{language}.json"] = json.dumps(learned, ensure_ascii=False).encode()
        contents[f"{language}.jsonl"] = write_jsonl(index.entries[language])
    return contents


def _arrays(part: LanguageRows) -> dict[str, npt.NDArray[Any]]:
    _, lexical = part.lexical.state()
    named = {f"lexical_{name}": array for name, array in lexical.items()}
    named |= {f"posterior_{name}": getattr(part.posterior, name) for name in _POSTERIOR}
    return {**named, "vectors": part.dense.vectors()}


def _restore(version: Path, manifest: dict[str, Any]) -> HintIndex:
    entries: dict[str, tuple[LibraryEntry, ...]] = {}
    parts: dict[str, LanguageRows] = {}
    held_out: dict[str, HeldOut] = {}
    for language in manifest["counts"]:
        filename = f"{language}.jsonl"
        entries[language] = tuple(read_library((version / filename).read_bytes(), filename).entries)
        learned = json.loads((version / f"{language}.json").read_text(encoding="utf-8"))
        parts[language] = _part(version / f"{language}.npz", learned, entries[language])
        held_out[language] = HeldOut(**learned["held_out"])
    return HintIndex(
        entries=entries,
        parts=parts,
        held_out=held_out,
        fingerprint=manifest["encoder_fingerprint"],
        library_checksum=manifest["library_checksum"],
        created_at=datetime.fromisoformat(manifest["created_at"]),
    )


def _part(arrays_file: Path, learned: dict[str, Any], entries: Sequence[LibraryEntry]) -> LanguageRows:
    with np.load(arrays_file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    lexical = {name.removeprefix("lexical_"): array for name, array in arrays.items() if name.startswith("lexical_")}
    posterior = {name: arrays[f"posterior_{name}"] for name in _POSTERIOR}
    abstention = learned["abstention"]
    return LanguageRows(
        plan_of(entries, learned["other_talk"]),
        (DenseChannel(arrays["vectors"]), LexicalChannel.restore(learned["features"], lexical)),
        TypePosterior(tuple(learned["classes"]), learned["dense_weight"], **posterior),
        weights=TypeWeights(**learned["weights"]),
        abstention=Abstention(**{**abstention, "weights": tuple(abstention["weights"])}),
    )


def _current(folder: Path) -> str | None:
    try:
        return (folder / "current").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
