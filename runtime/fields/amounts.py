"""Amounts of money, in digits and in Chinese capitals (大写).

Capitals follow the People's Bank of China's rules for filling in bills (支付结算办法, annex 1,
1997): 零壹贰叁肆伍陆柒捌玖, 拾佰仟万亿, 元 or 圆, 角, 分, 整 or 正.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from runtime.fields.squeezed import squeezed
from runtime.fields.verdicts import Verdict, failed, passed

_DIGITS = {
    sign: value
    for value, signs in enumerate(
        ("零〇", "壹一", "贰二貳", "叁三參", "肆四", "伍五", "陆六陸", "柒七", "捌八", "玖九")
    )
    for sign in signs
}
_UNITS = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_AMOUNT = re.compile(r"(?<![\d.,])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?(?![\d,]|\.\d)")
_CAPITALS = re.compile(
    r"[零〇壹贰貳叁參肆伍陆陸柒捌玖拾佰仟万萬亿億一二三四五六七八九十百千]+[元圆圓].*|[壹贰叁肆伍陆柒捌玖]角.*"
)


def parse_amount(text: str) -> Decimal | None:
    """The last amount in `text`, whatever its currency sign; None if there is none."""
    written = squeezed(text)
    found = _AMOUNT.findall(written)
    if not found:
        return None
    try:
        return Decimal(found[-1].replace(",", ""))
    except InvalidOperation:
        return None


def parse_capitals(text: str) -> Decimal | None:
    """The amount that Chinese capitals name; None where they are not well formed."""
    written = squeezed(text).translate(str.maketrans("圆圓萬億", "元元万亿"))
    written = written.removeprefix("人民币")
    found = re.fullmatch(
        r"(?:(?P<yuan>[^元角分整正]+)元)?零?(?:(?P<jiao>[^元角分整正零])角)?零?(?:(?P<fen>[^元角分整正零])分)?[整正]?",
        written,
    )
    if found is None or not any(found.groupdict().values()):
        return None
    yuan = _integer(found["yuan"]) if found["yuan"] else 0
    jiao, fen = (_DIGITS.get(found[part] or "零") for part in ("jiao", "fen"))
    if yuan is None or jiao is None or fen is None:
        return None
    return Decimal(yuan) + Decimal(jiao * 10 + fen) / 100


def amount(value: str) -> Verdict:
    """An amount in digits."""
    if parse_amount(value) is None:
        return failed("amount", "It is no amount: thousands by commas, at most two digits after the point.")
    return passed("amount", "It is an amount.")


def amount_in_capitals(value: str) -> Verdict:
    """An amount in Chinese capitals that is well formed."""
    if parse_capitals(value) is None:
        return failed("amount-in-capitals", "The capitals are not a well-formed amount.")
    return passed("amount-in-capitals", "The capitals are a well-formed amount.")


def _integer(text: str) -> int | None:
    """Chinese figures below 10^16; None if a sign is strange or units stand in the wrong order."""
    for mark, size in (("亿", 10**8), ("万", 10**4)):
        high, found, low = text.rpartition(mark)
        if found:
            above, below = _integer(high), _integer(low) if low else 0
            if above is None or below is None or not above or below >= size:
                return None
            return above * size + below
    return _below_ten_thousand(text)


def _below_ten_thousand(text: str) -> int | None:
    total, digit, last_unit = 0, None, 10_000
    for sign in text:
        if sign in _UNITS:
            unit = _UNITS[sign]
            if unit >= last_unit or (digit is None and unit != 10):
                return None
            total, digit, last_unit = total + (1 if digit is None else digit) * unit, None, unit
        elif sign in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[sign] or None
        else:
            return None
    return total + (digit or 0)
