"""Invented people, firms and numbers for test pages: right by their check digits, and nobody's.

Written without the runtime's validators, from the standards, so that one can judge the other.
"""

from __future__ import annotations

import random

_SURNAMES = "林陈周吴郑王冯褚卫蒋沈韩杨朱秦许何吕施张"
_GIVEN = ["晓雯", "国栋", "丽娟", "志强", "思远", "雅婷", "建华", "海燕", "文博", "秀兰", "子涵", "明哲"]
_CITIES = ["江州市", "临川市", "平海市", "安宁市", "南浦市"]
_DISTRICTS = ["南湖区", "青山区", "城东新区", "滨江区"]
_ROADS = ["青石路", "人民中路", "长安街", "梧桐大道", "桃园北路"]
_TRADES = ["科技", "贸易", "机械制造", "食品", "物流", "建材", "医疗器械"]
_FIRMS = ["华晟", "远达", "金穗", "瑞丰", "恒通", "百川", "凌云"]
_BANKS = ["中国工商银行", "中国建设银行", "中国农业银行", "招商银行", "交通银行"]
_CAPITALS = "零壹贰叁肆伍陆柒捌玖"


class Invented:
    """Draws from one seeded chance: the same seed, the same document."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def digits(self, count: int) -> str:
        return "".join(self.chance.choice("0123456789") for _ in range(count))

    def date(self, first_year: int = 2019, last_year: int = 2025) -> tuple[int, int, int]:
        chance = self.chance
        return chance.randint(first_year, last_year), chance.randint(1, 12), chance.randint(1, 28)

    def person(self) -> str:
        return self.chance.choice(_SURNAMES) + self.chance.choice(_GIVEN)

    def address(self) -> str:
        chance = self.chance
        place = chance.choice(_CITIES) + chance.choice(_DISTRICTS) + chance.choice(_ROADS)
        return f"{place}{chance.randint(1, 380)}号{chance.randint(1, 20)}幢{chance.randint(101, 2604)}室"

    def city(self) -> str:
        return self.chance.choice(_CITIES)

    def firm(self) -> str:
        chance = self.chance
        return f"{chance.choice(_CITIES)[:2]}{chance.choice(_FIRMS)}{chance.choice(_TRADES)}有限公司"

    def bank(self) -> str:
        return self.chance.choice(_BANKS)

    def branch(self) -> str:
        return f"{self.bank()}{self.city()[:2]}{self.chance.choice(['城东', '滨江', '南湖'])}支行"

    def identity(self, born: tuple[int, int, int], woman: bool) -> str:
        """GB 11643: weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2."""
        order = self.chance.randrange(0, 100)
        sex = self.chance.choice("02468" if woman else "13579")
        body = f"{self.chance.choice(['320581', '110105', '440304'])}{born[0]}{born[1]:02}{born[2]:02}{order:02}{sex}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]

    def credit_code(self) -> str:
        """GB 32100: weights 1 3 9 27 19 26 16 17 20 29 25 13 8 24 10 30 28."""
        signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        body = "91" + self.digits(6) + "MA" + "".join(self.chance.choice(signs) for _ in range(7))
        weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
        rest = sum(signs.index(s) * w for s, w in zip(body, weights, strict=True)) % 31
        return body + signs[(31 - rest) % 31]

    def card(self, length: int = 19) -> str:
        body = "62" + self.digits(length - 3)
        for last in "0123456789":
            number = body + last
            odd = sum(int(d) for d in number[-1::-2])
            even = sum(sum(divmod(2 * int(d), 10)) for d in number[-2::-2])
            if (odd + even) % 10 == 0:
                return number
        raise AssertionError("one of ten digits fits")

    def iban(self) -> str:
        account = "37040044" + self.digits(10)
        return f"DE{98 - int(account + '131400') % 97:02}{account}"

    def cents(self, least: int = 1_000, most: int = 90_000_000) -> int:
        return self.chance.randint(least, most)


def money(cents: int) -> str:
    """1234567 as 12,345.67."""
    return f"{cents // 100:,}.{cents % 100:02}"


def capitals(cents: int) -> str:
    """An amount below 10^12 cents in Chinese capitals, as banks write it."""
    yuan, rest = divmod(cents, 100)
    text = ""
    for size, mark in ((10**8, "亿"), (10**4, "万"), (1, "")):
        group, yuan = divmod(yuan, size)
        if group:
            text += ("零" if text and group < 1000 else "") + _four(group) + mark
        elif text and yuan and not text.endswith("零"):
            text += "零"
    text = text.replace("零零", "零")
    text = f"{text}元" if text else ""
    jiao, fen = divmod(rest, 10)
    if not rest:
        return text + "整"
    text += f"{_CAPITALS[jiao]}角" if jiao else ("零" if text else "")
    return text + (f"{_CAPITALS[fen]}分" if fen else "整")


def _four(number: int) -> str:
    text = ""
    for size, mark in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            text += _CAPITALS[digit] + mark
        elif text and number and not text.endswith("零"):
            text += "零"
    return text
