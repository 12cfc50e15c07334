"""How the kernel's functions are compiled."""

from __future__ import annotations

from typing import Any

from numba import njit

# The functions work on arrays that Python owns and make none, so that counting references, a quarter of the time
# otherwise, is switched off; a division by zero gives infinity instead of being looked for.
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False, "error_model": "numpy"}

compiled = njit(**_OPTIONS)
"""Decorator of a compiled function."""
inlined = njit(**_OPTIONS, forceinline=True)
"""Decorator of a small compiled function that becomes part of its caller: passing all arrays on costs more than it."""
