"""Quality and speed of hints: ``python -m benchmarks.coach [--queries FILE.tsv] [--index FOLDER]``.

Prints how well the library's own sayings are understood when their entry is left out, the measures on a file of
queries that were never trained on, and where the time goes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from coach.encoder import SentenceTransformerEncoder
from coach.evaluate import SpokenQuery, evaluate, read_queries
from coach.hint import HintEngine
from coach.index import HintIndex, build_index
from coach.index_files import load_index, save_index
from coach.library_files import shipped_entries
from coach.normalise import detect_language, normalise

Result = TypeVar("Result")

_QUERIES = Path("tests/coach/spoken_queries.tsv")
_RATES = ("hit1", "hit3", "mrr", "abstain_recall", "false_abstain")


def main() -> None:
    """Run the measurements and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=Path, default=_QUERIES, help="TSV with type, lang, query")
    parser.add_argument("--index", type=Path, help="folder that keeps the index between runs")
    parser.add_argument("--model", help="folder or hub name of another encoder")
    arguments = parser.parse_args()
    console = Console(width=120)
    timings: dict[str, float] = {}
    encoder = _timed(timings, "load encoder", lambda: SentenceTransformerEncoder(arguments.model))
    index = _index(arguments.index, encoder, timings)
    engine = HintEngine(index, encoder)
    queries = read_queries(arguments.queries.read_bytes(), name=arguments.queries.name)
    measures = evaluate(engine, queries, on=date.today())
    console.print(_held_out_table(index))
    table = Table("language", "queries", *_RATES, title=f"{arguments.queries.name}, encoder {encoder.name}")
    for language, found in measures.items():
        if "n" in found:
            table.add_row(language, str(found["n"]), *(_rate(found[name]) for name in _RATES))
    console.print(table)
    console.print(_time_table(timings, engine, queries, encoder))


def _index(folder: Path | None, encoder: SentenceTransformerEncoder, timings: dict[str, float]) -> HintIndex:
    if folder is not None:
        loaded = _timed(timings, "load index", lambda: load_index(folder, encoder, shipped_entries()))
        if isinstance(loaded, HintIndex):
            return loaded
    index = _timed(timings, "build index", lambda: build_index(shipped_entries(), encoder))
    if folder is not None:
        _timed(timings, "save index", lambda: save_index(index, folder))
    return index


def _held_out_table(index: HintIndex) -> Table:
    names = ("sayings", "hit1", "hit3", "mrr", "other talk rejected", "wrongly rejected", "dense weight", "threshold")
    table = Table("language", *names, title="the library's own sayings, their entry left out")
    for language, found in index.held_out.items():
        part = index.parts[language]
        rates = (found.hit1, found.hit3, found.mrr, found.other_talk_rejected, found.wrongly_rejected)
        learned = (f"{part.posterior.dense_weight:.1f}", f"{part.abstention.threshold:.3f}")
        table.add_row(language, str(found.sayings), *map(_rate, rates), *learned)
    return table


def _time_table(
    timings: dict[str, float],
    engine: HintEngine,
    queries: Sequence[SpokenQuery],
    encoder: SentenceTransformerEncoder,
) -> Table:
    table = Table("step", "p50 ms", "p99 ms", title=f"time, {engine.index.row_count} rows")
    for step, seconds in timings.items():
        table.add_row(f"{step} (once)", f"{seconds * 1000:.0f}", "")
    texts = [normalise(query.query) for query in queries[:300]]
    vectors = encoder.encode_queries(texts)
    parts = [engine.index.parts[detect_language(text) or "zh"] for text in texts]
    steps: dict[str, Callable[[int], object]] = {
        "encode a question": lambda at: encoder.encode_queries([texts[at]]),
        "search and rank": lambda at: parts[at].listen(texts[at], vectors[at]),
    }
    for step, call in steps.items():
        table.add_row(
            step, *(f"{ms:.2f}" for ms in np.percentile([_ms(call, at) for at in range(len(texts))], [50, 99]))
        )
    whole = evaluate(engine, queries[:300], on=date.today())["latency_ms"]
    table.add_row("whole hint", f"{whole['p50']:.2f}", f"{whole['p99']:.2f}")
    return table


def _ms(call: Callable[[int], object], at: int) -> float:
    started = time.perf_counter()
    call(at)
    return (time.perf_counter() - started) * 1000


def _timed(timings: dict[str, float], step: str, call: Callable[[], Result]) -> Result:
    started = time.perf_counter()
    result = call()
    timings[step] = time.perf_counter() - started
    return result


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
