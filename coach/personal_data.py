"""What looks like personal data in a text: numbers and names under which a person can be reached or found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from common.errors import Text

_PHONE = re.compile(r"(?<![\d-])(?:\+?86[- ]?)?1[3-9]\d(?:[- .]?\d{4}){2}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(?:\(0\d{2,3}\)|0\d{2,3})[- ]?[2-9]\d{6,7}(?!\d)")
_ID_CARD = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![\dXx])")
_E_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# letters I and O are never given; new-energy plates have six characters
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Za-hj-np-z][·•.\s]?(?=[A-Za-z]{{0,3}}\d)[A-HJ-NP-Za-hj-np-z\d]{{4,5}}"
    r"[A-HJ-NP-Za-hj-np-z\d挂学警港澳](?![A-Za-z\d])"
)
# in one piece or in the groups that cards are printed with
_CARD = re.compile(r"(?<!\d)(?:\d{13,19}|\d{4}(?:([ -])\d{4})(?:\1\d{4}){1,2}(?:\1\d{1,4})?|\d{6}[ -]\d{10,13})(?!\d)")
_WECHAT = re.compile(
    r"(?:微信号?|薇信|威信|v信|\bvx|\bwechat(?:\s+id)?)\s*(?:是|为|[:：])\s*[a-z][\w-]{5,19}(?![\w-])"
    r"|微信号\s*[a-z][\w-]{5,19}(?![\w-])"
    # without a colon a word may follow: 加微信 group; an id then shows itself by a digit or a stroke
    r"|(?:加(?:我|个|一下)?(?:的)?微信|加(?:我)?v[x信]?|\badd me on wechat|\bwechat id)\s*"
    r"(?=[\w-]*[\d_-])[a-z][\w-]{5,19}(?![\w-])",
    re.IGNORECASE | re.ASCII,
)


def personal_data(text: str) -> Iterator[Text]:
    """Yield the kinds of personal data that a text seems to contain, by name.

    Looked for: mobile and landline numbers, ID card numbers, e-mail addresses, licence plates, bank card numbers
    (ISO/IEC 7812: 13 to 19 digits with a right check digit), WeChat ids.
    """
    text = unicodedata.normalize("NFKC", text)
    for name, finds in _KINDS:
        if finds(text):
            yield name


def _bank_card(text: str) -> bool:
    numbers = (found[0] for found in _CARD.finditer(text))
    cards = (re.sub(r"\D", "", number) for number in numbers if not (_ID_CARD.match(number) or _PHONE.match(number)))
    return any(len(digits) >= 13 and len(set(digits)) > 1 and _luhn(digits) for digits in cards)


def _luhn(digits: str) -> bool:
    """Return whether the last digit is the right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_KINDS: tuple[tuple[Text, Callable[[str], object]], ...] = (
    (Text("phone number", "电话号码"), lambda text: _PHONE.search(text) or _LANDLINE.search(text)),
    (Text("ID number", "身份证号"), _ID_CARD.search),
    (Text("e-mail address", "邮箱地址"), _E_MAIL.search),
    (Text("licence plate", "车牌号"), _PLATE.search),
    (Text("bank card number", "银行卡号"), _bank_card),
    (Text("WeChat id", "微信号"), _WECHAT.search),
)
