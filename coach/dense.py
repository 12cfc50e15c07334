"""The dense channel: unit vectors of the library's rows in an exact inner-product index. The home of faiss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import faiss

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class DenseChannel:
    """Vectors of a set of texts, the nearest of them to a question, and how unusual a similarity is.

    The mean and variance of a question's similarity over all rows follow from the rows' mean and covariance, so a
    z-score needs no scan.

    Parameters
    ----------
    vectors : float32 array, shape (rows, dimension)
        Unit vectors, at least one.
    """

    def __init__(self, vectors: Floats) -> None:
        import faiss

        self._index: faiss.IndexFlatIP = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self._mean = vectors.mean(axis=0)
        centred = vectors - self._mean
        self._covariance = centred.T @ centred / len(vectors)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def vectors(self) -> Floats:
        """Return a copy of all vectors, shape (rows, dimension)."""
        copied: Floats = self._index.reconstruct_n(0, len(self))
        return copied

    def nearest(self, query: Floats, k: int, allowed: npt.NDArray[np.bool_]) -> Ints:
        """Return up to ``k`` rows nearest to ``query``, best first, out of those ``allowed``."""
        import faiss

        wanted = min(k, int(allowed.sum()))
        if wanted == 0:
            return np.zeros(0, dtype=np.int64)
        bits = np.packbits(allowed, bitorder="little")
        # the declared types are those of the C++ constructors, which faiss wraps for arrays and keywords
        selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        _, rows = self._index.search(query[None, :], wanted, params=parameters)
        found: Ints = rows[0][rows[0] >= 0]
        return found

    def similarities(self, query: Floats, rows: Ints) -> Floats:
        """Return the cosine of ``query`` to each of ``rows``, -1 to 1."""
        if len(rows) == 0:
            return np.zeros(0, dtype=np.float32)
        cosines: Floats = self._index.reconstruct_batch(rows) @ query
        return cosines

    def spread(self, query: Floats) -> tuple[float, float]:
        """Return mean and standard deviation of the cosine of ``query`` over all rows."""
        return float(self._mean @ query), float(np.sqrt(max(query @ self._covariance @ query, 0.0)))
