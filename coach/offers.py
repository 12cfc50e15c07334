"""Lines that quote a price or a promotion: they must not be sent when the offer is over."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_HAN = "[一二两三四五六七八九十百千万零半]"
# 两块板 are two boards: 块 is money only where nothing that is counted in pieces follows
_MONEY_ENDS = r"块(?=$|[^\w]|多|一|的|是|左右|起|以内|以上|就|能|搞|拿)"
_SMALL = "(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|hundred|thousand)"
_OFFER = re.compile(
    "|".join(
        (
            rf"[¥$€]\s*{_NUMBER}",
            rf"{_NUMBER}\s*[万千百]?\s*(?:元|块钱|折)",
            rf"(?<![\d.,])(?!100\s*%){_NUMBER}\s*%",  # a hundred per cent is a promise, no offer
            rf"{_NUMBER}\s*{_MONEY_ENDS}",
            rf"{_HAN}+(?:块钱|元(?!件|素|旦))",
            rf"{_HAN}*[百千万]{_HAN}*{_MONEY_ENDS}",
            rf"(?:便宜|省|优惠|降|减|只要|才卖|卖)了?{_HAN}+{_MONEY_ENDS}",
            r"[一二三四五六七八九]{1,2}折(?![叠弯断射就页痕扇])",
            rf"百分之(?!百)(?:{_HAN}+|\d+)",
            r"满\s*\d+\s*[减送]|立减|买[一二三1-3]送[一二三1-3]|半价",
            rf"\b(?:rmb|cny|usd)\s*{_NUMBER}",
            rf"(?:{_NUMBER}\s*k?|\b(?!hundred\s*per){_SMALL})\s*(?:yuan|rmb|cny|kuai|quid|bucks|dollars?|per\s?cent)\b",
            rf"{_NUMBER}\s*%?\s*off\b",
            r"\bhalf[- ]price\b|\bbuy one,? get one\b",
        )
    ),
    re.IGNORECASE,
)


def quotes_offer(text: str) -> bool:
    """Return whether a text names a price, a discount or a promotion: ``1680元``, ``八五折``, ``20% off``."""
    return _OFFER.search(unicodedata.normalize("NFKC", text)) is not None
