"""One spelling for what people write: width, script, case, repetition; and which language it is."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_LATIN_WORD = re.compile(r"[a-z\u00c0-\u024f]+(?:['’][a-z]+)?", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_REPEATED_MARK = re.compile(r"([^\w\s])(?:\s*\1)+")
_STRETCHED_LATIN = re.compile(r"([a-z])\1{2,}")
_STRETCHED_OTHER = re.compile(r"([^\W\da-z])\1{2,}")
_BLANKS = re.compile(r"\s+")


@cache
def _to_simplified() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def normalise(text: str) -> str:
    """Return the spelling under which texts are compared.

    NFKC (full and half width), Chinese in simplified script, lower case, invisible characters removed, repeated marks
    and stretched sounds collapsed (``贵！！！`` → ``贵!``, ``嗯嗯嗯嗯`` → ``嗯``, ``sooooo`` → ``soo``), blanks
    collapsed. Digits stay as they are. Applying it twice changes nothing more.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    if _HAN.search(text):
        text = _to_simplified().convert(text)
    # lower case and conversion may leave characters that NFKC would compose
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("。", ".").replace("、", ",")
    text = _REPEATED_MARK.sub(r"\1", text)
    text = _STRETCHED_OTHER.sub(r"\1", _STRETCHED_LATIN.sub(r"\1\1", text))
    return _BLANKS.sub(" ", text).strip()


def detect_language(text: str) -> str | None:
    """Return ``zh`` or ``en`` by the share of Chinese characters and Latin words, None when there is neither.

    A Chinese character counts like a Latin word, so that ``这个 price 太高`` is Chinese and
    ``any 优惠 for us`` is English.
    """
    characters, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if characters == 0 and words == 0:
        return None
    return "zh" if characters >= words else "en"
