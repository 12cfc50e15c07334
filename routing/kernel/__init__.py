"""The compiled part of the search: ruin, recreate and annealing over plain arrays (numba).

Compiled code is kept in a folder whose name carries the checksum of these sources. numba itself looks only at the file
of the outermost function, and would go on using old code after a change elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numba


def compiled_code_folder() -> Path:
    """Return the folder for the compiled code of these very sources."""
    here = Path(__file__).parent
    sources = sorted([*here.glob("*.py"), *(here.parent / "proof").glob("*.py")])
    checksum = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    base = os.environ.get("FIELDWISE_COMPILED_CODE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fieldwise" / f"kernel-{checksum}-numba-{numba.__version__}"


# A folder that cannot be written leaves numba's own choice, beside the sources or in the user's cache.
try:
    _folder = compiled_code_folder()
    _folder.mkdir(parents=True, exist_ok=True)
    numba.config.CACHE_DIR = str(_folder)  # type: ignore[attr-defined]
except (OSError, RuntimeError):  # RuntimeError: a user without a home
    pass
