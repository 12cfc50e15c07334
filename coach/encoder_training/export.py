"""Writes a trained table as the files that `coach.embedded_encoder` reads."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from coach.embedded_encoder import MANIFEST, TABLE, TOKENIZER

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def export_encoder(
    table: npt.NDArray[np.float32], tokenizer: Tokenizer, folder: Path, *, manifest: dict[str, Any]
) -> int:
    """Quantise a table to one byte a value and write it with its tokenizer.

    Parameters
    ----------
    table : float32 array, shape (pieces, dimension)
    tokenizer : Tokenizer
    folder : Path
    manifest : dict
        Name, revision, sources and measures; checksums of the files are added.

    Returns
    -------
    int
        Bytes of all files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scales = np.maximum(np.abs(table).max(axis=1), 1e-6) / 127
    scales = scales.astype(np.float16)
    rows = np.clip(np.rint(table / scales.astype(np.float32)[:, None]), -127, 127).astype(np.int8)
    # not compressed: int8 noise does not shrink, and an uncompressed file loads in a tenth of the time
    np.savez(folder / TABLE, allow_pickle=False, rows=rows, scales=scales)
    (folder / TOKENIZER).write_bytes(gzip.compress(tokenizer.to_str().encode(), mtime=0))
    named = (TABLE, TOKENIZER)
    checksums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in named}
    content = json.dumps({**manifest, "files": checksums}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(content + "\n", encoding="utf-8")
    return sum((folder / name).stat().st_size for name in (*named, MANIFEST))
