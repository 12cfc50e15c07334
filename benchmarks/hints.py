"""Quality and speed of hints: ``python -m benchmarks.hints [--parts quality,scale,http] [--rows 14000,100000]``.

*quality* puts the engine beside BM25, character TF-IDF and all-MiniLM on a held-out file, with the time of each.
*scale* measures whole hints in process over synthetic libraries (made by crossing halves of the shipped sayings; they
say nothing about quality). *http* asks a real service from 50 clients at once and shows where the time goes.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.hint_baselines import Bm25, CharacterTfidf, Dense, Ranker, first_types, mini_lm
from benchmarks.hint_load import ask_service
from coach.embedded_encoder import EmbeddedEncoder
from coach.entry import LibraryEntry
from coach.evaluate import evaluate
from coach.hint import HintAnswer, HintEngine, HintQuestion
from coach.index import HintIndex, build_index
from coach.library_files import shipped_entries
from coach.normalise import normalise
from coach.queries import NONE, SpokenQuery, read_queries

_QUERIES = Path("tests/coach/spoken_queries.tsv")
_SAYINGS_AN_ENTRY = 10


def main() -> None:
    """Run the measurements and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=Path, default=_QUERIES, help="TSV with type, lang, query")
    parser.add_argument("--parts", default="quality,scale,http")
    parser.add_argument("--rows", default="14000,100000,1000000", help="sizes of the synthetic libraries")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the HTTP part")
    arguments = parser.parse_args()
    console, parts = Console(width=120), arguments.parts.split(",")
    queries = read_queries(arguments.queries.read_bytes(), name=arguments.queries.name)
    if {"quality", "scale"} & set(parts):
        with threadpool_limits(1):
            _in_process(console, parts, queries, [int(size) for size in arguments.rows.split(",")])
    if "http" in parts:
        console.print(ask_service([query.query for query in queries], seconds=arguments.seconds, clients=50))


def _in_process(console: Console, parts: Sequence[str], queries: Sequence[SpokenQuery], sizes: Sequence[int]) -> None:
    import faiss

    faiss.omp_set_num_threads(1)
    encoder = EmbeddedEncoder()
    index = build_index(shipped_entries(), encoder)
    if "quality" in parts:
        console.print(_quality_table(index, encoder, queries))
        console.print(_across_languages_table(encoder, queries))
        console.print(_step_table(HintEngine(index, encoder), encoder, queries))
    if "scale" in parts:
        console.print(_scale_table(encoder, queries, sizes))


def _quality_table(index: HintIndex, encoder: EmbeddedEncoder, queries: Sequence[SpokenQuery]) -> Table:
    columns = ("first right", "first three", "rightly abstained", "wrongly abstained", "p50 ms", "p99 ms")
    table = Table("", "language", *columns, title="held-out queries; the others never abstain")
    engine = HintEngine(index, encoder)
    for language in ("zh", "en"):
        found = evaluate(engine, [query for query in queries if query.language == language], on=date.today())
        rates = (found[language][name] for name in ("hit1", "hit3", "abstain_recall", "false_abstain"))
        times = found["latency_ms"]
        table.add_row("Fieldwise", language, *map(_rate, rates), f"{times['p50']:.2f}", f"{times['p99']:.2f}")
    rows = index.listener.rows
    makers: list[Callable[[], Ranker]] = [
        lambda: Bm25(rows.texts),
        lambda: CharacterTfidf(rows.texts),
        lambda: Dense("all-MiniLM", mini_lm(), rows.texts),
        lambda: Dense("embedded encoder alone", encoder, rows.texts),
    ]
    for make in makers:
        ranker = make()
        for language in ("zh", "en"):
            asked = [query for query in queries if query.language == language and query.objection_type != NONE]
            table.add_row(ranker.name, language, *_ranked(ranker, index, asked))
    return table


def _ranked(ranker: Ranker, index: HintIndex, queries: Sequence[SpokenQuery]) -> list[str]:
    first = three = 0
    taken: list[float] = []
    for query in queries:
        begun = time.perf_counter()
        types = first_types(index.listener.rows, ranker.scores(normalise(query.query)), 3)
        taken.append((time.perf_counter() - begun) * 1000)
        first += types[:1] == [query.objection_type]
        three += query.objection_type in types
    p50, p99 = np.percentile(taken, [50, 99])
    return [_rate(first / len(queries)), _rate(three / len(queries)), "", "", f"{p50:.2f}", f"{p99:.2f}"]


def _across_languages_table(encoder: EmbeddedEncoder, queries: Sequence[SpokenQuery]) -> Table:
    table = Table("", "first right", "first three", title="a library of one language, asked in the other")
    for asked, answered in (("en", "zh"), ("zh", "en")):
        entries = [entry for entry in shipped_entries() if entry.language == answered]
        engine = HintEngine(build_index(entries, encoder), encoder)
        found = evaluate(engine, [query for query in queries if query.language == asked], on=date.today())[asked]
        table.add_row(f"{asked} → {answered}", _rate(found["hit1"]), _rate(found["hit3"]))
    return table


def _step_table(engine: HintEngine, encoder: EmbeddedEncoder, queries: Sequence[SpokenQuery]) -> Table:
    table = Table("step", "p50 ms", "p99 ms", title=f"where the time goes, {engine.index.row_count} rows")
    listener, day = engine.index.listener, date.today()
    said = [normalise(query.query) for query in queries]
    ready = [listener.weigh(text, 0, encoder.encode_queries([text])[0]) for text in said]
    steps: dict[str, Callable[[int], object]] = {
        "normalise": lambda at: normalise(queries[at].query),
        "encode": lambda at: encoder.encode_queries([said[at]]),
        "listen (search, type, confidence)": lambda at: listener.listen(ready[at]),
        "whole hint": lambda at: engine.hint(HintQuestion(queries[at].query, on=day)),
    }
    for step, call in steps.items():
        table.add_row(step, *_percentiles(call, len(queries)))
    return table


def _scale_table(encoder: EmbeddedEncoder, queries: Sequence[SpokenQuery], sizes: Sequence[int]) -> Table:
    table = Table("rows", "entries", "index", "build s", "p50 ms", "p99 ms", "with filters p99 ms", title="whole hints")
    day = date.today()
    for size in sizes:
        entries = list(itertools.islice(_synthetic_entries(), size // (_SAYINGS_AN_ENTRY + 1)))
        begun = time.perf_counter()
        engine = HintEngine(build_index(entries, encoder), encoder)
        built = time.perf_counter() - begun
        plain = [HintQuestion(query.query, on=day) for query in queries]
        filtered = [replace(question, product_line="furniture", scene="mall") for question in plain]
        times = _percentiles(partial(_answer, engine, plain), len(queries))
        filtered_p99 = _percentiles(partial(_answer, engine, filtered), len(queries))[1]
        kind = engine.index.listener.dense.kind
        table.add_row(f"{engine.index.row_count:,}", f"{len(entries):,}", kind, f"{built:.0f}", *times, filtered_p99)
    return table


def _answer(engine: HintEngine, questions: Sequence[HintQuestion], at: int) -> HintAnswer:
    return engine.hint(questions[at])


def _synthetic_entries() -> Iterator[LibraryEntry]:
    """Yield entries without end, whose sayings are halves of shipped sayings of one type, crossed."""
    rng = np.random.default_rng(0)
    successes = [entry for entry in shipped_entries() if entry.kind == "success"]
    pools: dict[tuple[str, str | None], list[str]] = {}
    for entry in successes:
        pools.setdefault((entry.language, entry.objection_type), []).extend(entry.utterances)
    for number in itertools.count():
        model = successes[int(rng.integers(len(successes)))]
        pool = pools[model.language, model.objection_type]
        pairs = rng.integers(len(pool), size=(_SAYINGS_AN_ENTRY, 2))
        sayings = tuple(pool[a][: len(pool[a]) // 2] + pool[b][len(pool[b]) // 2 :] for a, b in pairs)
        yield replace(model, key=f"synthetic-{number}", utterances=sayings)


def _percentiles(call: Callable[[int], Any], count: int) -> tuple[str, str]:
    call(0)
    taken = []
    for at in range(count):
        begun = time.perf_counter()
        call(at)
        taken.append((time.perf_counter() - begun) * 1000)
    p50, p99 = np.percentile(taken, [50, 99])
    return f"{p50:.2f}", f"{p99:.2f}"


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
