"""``coach``: training the embedded encoder, and measuring hints and encoders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.commands.hint_learning import evaluate_ranking
from api.commands.terminal import FileArgument, JsonFlag, fail, print_json, print_table, read_file, say
from common.errors import FieldProblem, FieldwiseError, InvalidInput, Text

if TYPE_CHECKING:
    from coach.hint import HintEngine

coach_app = typer.Typer(no_args_is_help=True, help="The hint engine: train its encoder, measure it.")
coach_app.command("evaluate-ranking")(evaluate_ranking)
RATES = ("hit1", "hit3", "mrr", "abstain_recall", "false_abstain")


@coach_app.command("evaluate")
def evaluate_hints(
    file: FileArgument,
    library: Annotated[
        str, typer.Option(help="A library file to answer from; without it the library of this installation.")
    ] = "",
    entries: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Answer from entries of this language only.")
    ] = None,
    check_copies: Annotated[
        bool, typer.Option("--check-copies", help="Refuse a file of which near-copies were learned from.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Measure hints on sayings whose type is known: a table with the columns type, lang, query, separated by tabs.

    The type none marks what must get no hint. Rates are shares from 0 to 1.

    Example: fieldwise coach evaluate queries.tsv --json

    Example: fieldwise coach evaluate english.tsv --entries zh
    """
    from coach.evaluate import evaluate
    from coach.queries import read_queries

    try:
        content, name = read_file(file)
        queries = read_queries(content, name=name)
        if check_copies:
            _refuse_copies([query.query for query in queries])
        found = evaluate(_engine(library, entries), queries, on=date.today())
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(found)
    else:
        _print_evaluation(found)


@coach_app.command("similarity")
def evaluate_similarity(file: FileArgument, json: JsonFlag = False) -> None:
    """Measure the encoder on an STS file: rank correlation of its cosines with people's scores.

    Columns, separated by tabs: sentence1, sentence2, score.

    Example: fieldwise coach similarity sts-b-zh.tsv
    """
    from api.services import make_encoder
    from api.settings import load_settings
    from coach.evaluate import rank_correlation, read_scored_pairs

    try:
        content, name = read_file(file)
        pairs = read_scored_pairs(content, name=name)
        encoder = make_encoder(load_settings())
        spearman = rank_correlation(encoder, pairs)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json({"encoder": encoder.name, "pairs": len(pairs), "spearman": spearman})
    else:
        typer.echo(f"{encoder.name}: Spearman {spearman:.3f}, n = {len(pairs)}")


@coach_app.command("train-encoder")
def train_encoder(
    tatoeba: Annotated[Path, typer.Option(help="Sentence pairs: English, tab, Chinese a line; may be gzip-packed.")],
    cedict: Annotated[Path, typer.Option(help="CC-CEDICT; may be gzip-packed.")],
    folder: Annotated[Path, typer.Option("--output", help="Where the encoder is written.")] = Path("coach/embedded"),
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the teacher's vectors between runs.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and sources give the same encoder.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
) -> None:
    """Train the embedded encoder anew from its sources (needs the extra `train`; about 20 minutes on two cores).

    Example: fieldwise coach train-encoder --tatoeba tatoeba_zh_en.txt.gz --cedict cedict.txt.gz --output my-encoder
    """
    from coach.encoder_training.train import make_encoder_files

    def report(line: str) -> None:
        typer.echo(line, err=True)

    try:
        measures = make_encoder_files(tatoeba, cedict, folder, cache=cache, seed=seed, threads=threads, say=report)
    except FieldwiseError as error:
        fail(error)
    print_json(measures)


def _refuse_copies(texts: Sequence[str]) -> None:
    from coach.lessons import Lessons
    from coach.library_files import shipped_entries
    from coach.text_copies import near_copies

    learned = Lessons.shipped().learned_texts() + [text for entry in shipped_entries() for text in entry.utterances]
    copies = near_copies(texts, learned)
    if copies:
        raise InvalidInput(
            Text(f"{len(copies)} queries stand in the training text", f"有 {len(copies)} 条查询出现在训练文本中"),
            fields=[
                FieldProblem(f"query {text}", Text(f"learned as: {other}", f"训练文本：{other}"))
                for text, other in copies
            ],
        )


def _engine(library: str, language: str | None) -> HintEngine:
    """Return the installation's engine, or one in memory over a file or one language."""
    from api.commands.installation import open_with_library
    from api.services import make_encoder
    from api.settings import load_settings
    from coach.hint import HintEngine
    from coach.index import build_index
    from operations.library import published

    if not library and language is None:
        return open_with_library().hint_desk.engine()
    if library:
        from coach.library_files import read_library

        reading = read_library(*read_file(library))
        if reading.problems:
            raise InvalidInput(Text("the file has wrong rows", "文件中有错误的行"), fields=reading.problems)
        chosen = reading.entries
    else:
        with open_with_library().database.read() as session:
            chosen = published(session)
    encoder = make_encoder(load_settings())
    own = [entry for entry in chosen if language is None or entry.language == language]
    return HintEngine(build_index(own, encoder), encoder)


def _print_evaluation(found: dict[str, Any]) -> None:
    rows = [
        [language, str(measures["n"]), *(_rate(measures[name]) for name in RATES)]
        for language, measures in found.items()
        if "n" in measures
    ]
    print_table(say(Text("Hints", "话术提示")), ["", "n", *RATES], rows)
    if "latency_ms" in found:
        typer.echo(f"p50 {found['latency_ms']['p50']:.2f} ms, p99 {found['latency_ms']['p99']:.2f} ms")
    confusions = [
        [language, each["type"], each["shown"], str(each["count"])]
        for language, measures in found.items()
        for each in measures.get("confusions", [])[:8]
    ]
    if confusions:
        columns = [say(Text("type", "类型")), say(Text("first shown", "首条显示")), say(Text("times", "次数"))]
        print_table(say(Text("Most frequent confusions", "最常见的混淆")), ["", *columns], confusions)


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
