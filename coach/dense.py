"""The dense channel: nearest rows by meaning. The home of faiss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

MOST_FLAT_ROWS = 50_000
"""Up to here every row is compared; then a graph (HNSW) finds the nearest."""
MOST_GRAPH_ROWS = 500_000
"""From here on rows are kept in cells (IVF), of which the nearest are searched."""
FEW_ROWS = 4_000
"""So few allowed rows are compared one by one, since a graph or cells would mostly meet rows that are not allowed."""

_GRAPH_LINKS = 16
_GRAPH_BUILD_WIDTH = 64
_GRAPH_SEARCH_WIDTH = 160
_SEARCHED_CELLS = 12
_TRAINING_ROWS_A_CELL = 40


class DenseIndex:
    """Unit vectors of a set of texts in one byte a dimension, and how unusual a similarity is.

    A byte keeps six standard deviations of an evenly spread unit vector; what lies outside is cut. With 384
    dimensions a cosine is off by less than 0.002 (measured in decision 0010).

    The mean and variance of a question's similarity over all rows follow from the rows' mean and covariance, so a
    z-score needs no scan.

    Parameters
    ----------
    vectors : float32 array, shape (rows, dimension)
        Unit vectors, at least one.
    flat_rows, graph_rows : int
        Sizes up to which every row is compared, and up to which a graph is used.
    """

    def __init__(self, vectors: Floats, *, flat_rows: int = MOST_FLAT_ROWS, graph_rows: int = MOST_GRAPH_ROWS) -> None:
        rows, self.dimension = vectors.shape
        self._scale = 127.0 * np.sqrt(self.dimension) / 6.0
        self.kind = "flat" if rows <= flat_rows else "graph" if rows <= graph_rows else "cells"
        self._index = _new_index(self.kind, rows, self.dimension)
        sums, products = np.zeros(self.dimension), np.zeros((self.dimension, self.dimension))
        if self.kind == "cells":
            sample = np.random.default_rng(0).choice(
                rows, min(rows, _cells(rows) * _TRAINING_ROWS_A_CELL), replace=False
            )
            self._index.train(self._scaled(vectors[np.sort(sample)]))
        for begin in range(0, rows, 65_536):
            scaled = self._scaled(vectors[begin : begin + 65_536].astype(np.float32))
            self._index.add(scaled)
            # of what is kept, so that an index read back from its files scores to the last digit alike
            part = (scaled / np.float32(self._scale)).astype(np.float64)
            sums += part.sum(axis=0)
            products += part.T @ part
        if self.kind == "cells":
            self._index.make_direct_map()
        self._mean = (sums / rows).astype(np.float32)
        self._covariance = (products / rows - np.outer(self._mean, self._mean)).astype(np.float32)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def vectors(self) -> Floats:
        """Return all vectors, shape (rows, dimension), as exact as they are kept."""
        return self._of(np.arange(len(self)))

    def nearest(self, query: Floats, k: int, allowed: Bytes | None = None) -> tuple[Ints, Floats]:
        """Return the rows nearest to ``query``, best first, and their cosines; up to ``k`` of each.

        Parameters
        ----------
        query : float32 array, shape (dimension,)
        k : int
        allowed : uint8 array, optional
            A bit a row, the first row in the lowest bit; rows whose bit is 0 are passed over.
        """
        import faiss

        if allowed is not None:
            positions = np.flatnonzero(np.unpackbits(allowed, count=len(self), bitorder="little"))
            if len(positions) <= FEW_ROWS:
                return self._compare(query, positions, k)
        selector = {} if allowed is None else {"sel": faiss.IDSelectorBitmap(allowed)}  # type: ignore[call-arg, arg-type]
        # whole numbers on both sides: faiss compares such rows by integer arithmetic and would cut fractions off
        asked = self._scaled(query[None, :])
        products, rows = self._index.search(asked, min(k, len(self)), params=self._parameters(selector))
        found = rows[0] >= 0
        return rows[0][found], (products[0][found] / self._scale**2).astype(np.float32)

    def similarities(self, query: Floats, rows: Ints) -> Floats:
        """Return the cosine of ``query`` to each of ``rows``, -1 to 1."""
        if len(rows) == 0:
            return np.zeros(0, dtype=np.float32)
        cosines: Floats = self._of(rows) @ (self._scaled(query) / np.float32(self._scale))
        return cosines

    def spread(self, query: Floats) -> tuple[float, float]:
        """Return mean and standard deviation of the cosine of ``query`` over all rows."""
        return float(self._mean @ query), float(np.sqrt(max(query @ self._covariance @ query, 0.0)))

    def _compare(self, query: Floats, rows: Ints, k: int) -> tuple[Ints, Floats]:
        cosines = self.similarities(query, rows)
        best = np.argsort(-cosines, kind="stable")[:k]
        return rows[best].astype(np.int64), cosines[best]

    def _parameters(self, selector: dict[str, Any]) -> Any:
        import faiss

        if self.kind == "graph":
            return faiss.SearchParametersHNSW(efSearch=_GRAPH_SEARCH_WIDTH, **selector)  # type: ignore[attr-defined]
        if self.kind == "cells":
            return faiss.SearchParametersIVF(nprobe=_SEARCHED_CELLS, **selector)  # type: ignore[call-arg]
        return faiss.SearchParameters(**selector) if selector else None

    def _scaled(self, vectors: Floats) -> Floats:
        scaled: Floats = np.clip(np.rint(vectors * self._scale), -127, 127).astype(np.float32)
        return scaled

    def _of(self, rows: Ints) -> Floats:
        found: Floats = self._index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return (found / np.float32(self._scale)).astype(np.float32)


def _new_index(kind: str, rows: int, dimension: int) -> Any:
    import faiss

    signed_bytes, inner = faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    if kind == "flat":
        return faiss.IndexScalarQuantizer(dimension, signed_bytes, inner)
    if kind == "graph":
        graph: Any = faiss.IndexHNSWSQ(dimension, signed_bytes, _GRAPH_LINKS, inner)  # type: ignore[arg-type]
        graph.hnsw.efConstruction = _GRAPH_BUILD_WIDTH
        return graph
    centres: Any = faiss.IndexFlatIP(dimension)
    cells = faiss.IndexIVFScalarQuantizer(centres, dimension, _cells(rows), signed_bytes, inner, False)
    cells.own_fields = True
    centres.this.disown()
    return cells


def _cells(rows: int) -> int:
    return int(2 * np.sqrt(rows))
