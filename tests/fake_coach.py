"""A hint engine that knows objections by one word, and the few cases that it answers with: tests need no encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace

from coach.answer import FailureWarning, HintAnswer, HintQuestion, Suggestion, Why
from coach.normalise import detect_language
from coach.objections import objection_name
from common.errors import Text
from operations.store.database import Database
from operations.store.tables import LibraryEntryRow

TYPES = {
    "贵": "cheaper_competitor",
    "便宜": "cheaper_competitor",
    "expensive": "cheaper_competitor",
    "质量": "quality_doubt",
    "quality": "quality_doubt",
    "牌子": "brand_unknown",
    "送货": "delivery_delay",
}
WITH_CASES = ("cheaper_competitor", "quality_doubt", "brand_unknown")
"""Types that the fake library has a case for."""


def add_cases(database: Database, **changes: object) -> None:
    """Publish one case for each type of `WITH_CASES` in both languages."""
    with database.write("test") as session:
        session.add_all(_case(kind, language, **changes) for kind in WITH_CASES for language in ("zh", "en"))


def _case(kind: str, language: str, **changes: object) -> LibraryEntryRow:
    values: dict[str, object] = {
        "key": f"{kind}-01",
        "language": language,
        "kind": "success",
        "status": "published",
        "objection_type": kind,
        "approach": "side_by_side",
        "title": kind,
        "background": "",
        "steps": [],
        "product_line": "any",
        "customer_types": [],
        "scenes": [],
    }
    return LibraryEntryRow(**(values | changes))


@dataclass
class FakeEngine:
    """Answers by the last word of `TYPES` in the question; notes what it was asked."""

    asked: list[HintQuestion] = field(default_factory=list)
    valid_until: date | None = None
    index: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(version="fake/1"))

    def hint(self, question: HintQuestion, chooser: object = None) -> HintAnswer:
        self.asked.append(question)
        language = detect_language(question.text) or "zh"
        kind = question.objection_type or _last_type(question.text)
        if kind is None:
            return HintAnswer(False, language, 0.1, (("needs_time", 0.2),), reason=Text("no objection", "不像是异议"))
        if kind not in WITH_CASES:
            reason = Text(f"no entry about {kind}", f"没有 {kind} 的条目")
            question_back = Text("What would help?", "您最看重什么？")
            return HintAnswer(False, language, 0.9, ((kind, 0.9),), reason=reason, open_question=question_back)
        return HintAnswer(True, language, 0.9, ((kind, 0.9),), (self._suggestion(kind, question.language or language),))

    def _suggestion(self, kind: str, language: str) -> Suggestion:
        warning = FailureWarning(f"{kind}-f1", "别这么说", ("我们就是贵",), ("客户走了",), None)
        return Suggestion(
            entry_key=f"{kind}-01",
            language=language,
            rank=1,
            score=0.9,
            talk_track=f"a line about {kind}" if language == "en" else f"一句关于 {kind} 的话",
            other_talk_tracks=(),
            title=kind,
            approach="side_by_side",
            steps=("先听", "再比"),
            effect=None,
            valid_until=self.valid_until,
            why=Why(kind, objection_name(kind), 0.9, None),
            warnings=(warning,),
        )


def _last_type(text: str) -> str | None:
    at, kind = max((text.rfind(word), kind) for word, kind in TYPES.items())
    return kind if at >= 0 else None


@dataclass
class FakeHintDesk:
    """Stands for ``operations.hint_desk.HintDesk``."""

    fake: FakeEngine = field(default_factory=FakeEngine)
    ready: bool = True

    def engine(self) -> FakeEngine:
        return self.fake
