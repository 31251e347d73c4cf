"""Cards, slips and invoices with known fields: `form_page("vat-invoice", seed=3)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from tests.pages import fonts
from tests.pages.invented import Invented, capitals, money

_INK = (30, 30, 36)
_LABEL = (70, 96, 140)
_RED = (150, 60, 50)


@dataclass(frozen=True)
class FormPage:
    """`form`: the runtime's name of it. `fields`: the truth, values as printed."""

    image: Image.Image
    form: str
    fields: dict[str, str]


class _Sheet:
    def __init__(self, width: int, height: int, paper: tuple[int, int, int] = (250, 249, 245)) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)

    def han(self, x: int, y: int, text: str, size: int = 28, colour: tuple[int, int, int] = _INK) -> int:
        """Writes; gives the right end."""
        font = fonts.han(size)
        self.draw.text((x, y), text, font=font, fill=colour)
        return x + round(font.getlength(text))

    def latin(self, x: int, y: int, text: str, size: int = 26) -> None:
        self.draw.text((x, y), text, font=fonts.latin(size), fill=_INK)

    def mono(self, x: int, y: int, text: str, size: int = 26) -> None:
        self.draw.text((x, y), text, font=fonts.mono(size), fill=_INK)

    def rules(self, xs: list[int], ys: list[int]) -> None:
        for y in ys:
            self.draw.line((xs[0], y, xs[-1], y), fill=_RED, width=2)
        for x in xs:
            self.draw.line((x, ys[0], x, ys[-1]), fill=_RED, width=2)


def form_page(form: str, seed: int = 0) -> FormPage:
    """One of FORMS, filled in by `seed`. Raises KeyError for a form that does not exist."""
    image, fields = FORMS[form](Invented(seed * 1000 + sorted(FORMS).index(form)))
    return FormPage(image, form, fields)


_Made = tuple[Image.Image, dict[str, str]]


def _identity_card(made: Invented) -> _Made:
    born, woman = made.date(1950, 2004), made.chance.random() < 0.5
    address = made.address()
    fields = {
        "姓名": made.person(),
        "性别": "女" if woman else "男",
        "民族": made.chance.choice(["汉", "回", "满", "壮"]),
        "出生": f"{born[0]}年{born[1]}月{born[2]}日",
        "住址": address,
        "公民身份号码": made.identity(born, woman),
    }
    sheet = _Sheet(1010, 640, (236, 241, 245))
    sheet.draw.rounded_rectangle((690, 110, 930, 430), 10, fill=(205, 214, 222))
    sheet.draw.ellipse((760, 160, 860, 280), fill=(168, 176, 186))
    sheet.draw.rectangle((735, 300, 885, 428), fill=(168, 176, 186))
    for y, pairs in ((70, ("姓名",)), (150, ("性别", "民族")), (230, ("出生",)), (310, ("住址",))):
        for number, label in enumerate(pairs):
            x = 70 + number * 250
            sheet.han(x, y + 4, label, 28, _LABEL)
            text = fields[label]
            for part in range(0, len(text), 11) if label == "住址" else (0,):
                shown = text[part : part + 11] if label == "住址" else text
                sheet.han(x + 100, y + part // 11 * 50, shown, 34)
    sheet.han(70, 534, "公民身份号码", 28, _LABEL)
    sheet.mono(300, 530, fields["公民身份号码"], 36)
    return sheet.image, fields


def _passport(made: Invented) -> _Made:
    born, ends = made.date(1960, 2004), made.date(2027, 2034)
    surname = made.chance.choice(["LIN", "CHEN", "ZHOU", "OUYANG", "MUELLER"])
    given = made.chance.choice(["XIAOWEN", "GUODONG", "SIYUAN", "ANNA MARIA", "HAIYAN"])
    sex = made.chance.choice("FM")
    number = made.chance.choice("EG") + made.digits(8)
    first = f"P<CHN{surname}<<{given.replace(' ', '<')}".ljust(44, "<")
    birth, expiry = ("".join(f"{part % 100:02}" for part in each) for each in (born, ends))
    personal = "<" * 14
    second = f"{number}{_mrz(number)}CHN{birth}{_mrz(birth)}{sex}{expiry}{_mrz(expiry)}{personal}<"
    second += _mrz(second[0:10] + second[13:20] + second[21:43])
    sheet = _Sheet(1250, 880, (240, 236, 232))
    sheet.draw.rectangle((60, 150, 380, 570), fill=(206, 206, 210))
    sheet.draw.ellipse((150, 210, 290, 390), fill=(160, 164, 172))
    sheet.han(440, 50, "中华人民共和国", 30)
    sheet.han(60, 60, "护照 PASSPORT", 30)
    shown = (
        ("姓 Surname", surname),
        ("名 Given names", given),
        ("性别 Sex", sex),
        ("出生日期 Date of birth", f"{born[2]:02} {_MONTHS[born[1] - 1]} {born[0]}"),
        ("有效期至 Date of expiry", f"{ends[2]:02} {_MONTHS[ends[1] - 1]} {ends[0]}"),
    )
    for place, (label, value) in enumerate(shown):
        sheet.han(430, 130 + place * 92, label, 20, _LABEL)
        sheet.latin(430, 158 + place * 92, value, 28)
    sheet.han(900, 130, "护照号码 Passport No.", 20, _LABEL)
    sheet.latin(900, 158, number, 28)
    sheet.mono(60, 690, first, 42)
    sheet.mono(60, 770, second, 42)
    return sheet.image, {
        "护照号码": number,
        "姓": surname,
        "名": given,
        "签发国": "CHN",
        "国籍": "CHN",
        "出生日期": "{}-{:02}-{:02}".format(*born),
        "性别": sex,
        "有效期至": "{}-{:02}-{:02}".format(*ends),
    }


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def _mrz(text: str) -> str:
    values = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    return str(sum(values.get(sign, 0) * (7, 3, 1)[place % 3] for place, sign in enumerate(text)) % 10)


def _bank_card(made: Invented) -> _Made:
    number, bank = made.card(made.chance.choice((16, 19))), made.bank()
    expiry = f"{made.chance.randint(1, 12):02}/{made.chance.randint(26, 34)}"
    sheet = _Sheet(1012, 638, made.chance.choice([(214, 224, 238), (238, 228, 210), (222, 236, 224)]))
    sheet.draw.rounded_rectangle((90, 200, 220, 300), 14, fill=(196, 172, 110))
    sheet.han(70, 60, bank, 44)
    sheet.han(780, 70, "借记卡", 32)
    grouped = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    sheet.mono(90, 350, grouped, 52)
    sheet.latin(90, 450, "VALID THRU", 20)
    sheet.mono(240, 440, expiry, 34)
    sheet.latin(780, 540, "UnionPay", 34)
    sheet.han(780, 500, "银联", 30)
    return sheet.image, {"卡号": grouped, "有效期": expiry, "发卡行": bank}


def _bank_slip(made: Invented) -> _Made:
    cents, (year, month, day) = made.cents(), made.date()
    fields = {
        "付款人户名": made.firm(),
        "付款人账号": made.card(),
        "付款人开户行": made.branch(),
        "收款人户名": made.firm(),
        "收款人账号": made.digits(15),
        "收款人开户行": made.branch(),
        "金额大写": capitals(cents),
        "金额小写": money(cents),
        "交易日期": f"{year}-{month:02}-{day:02}",
        "流水号": "TX" + made.digits(12),
        "摘要": made.chance.choice(["货款", "往来款", "服务费", "差旅报销"]),
    }
    sheet = _Sheet(1500, 800)
    sheet.han(540, 30, "银行电子回单", 44)
    sheet.han(90, 120, f"交易日期：{fields['交易日期']}", 26)
    sheet.han(900, 120, f"流水号：{fields['流水号']}", 26)
    ys = [180, 260, 340, 420, 500, 580, 660]
    sheet.rules([80, 140, 280, 750, 810, 950, 1420], ys[:4])
    sheet.rules([80, 1420], ys[3:])
    for left, side in ((80, "付款人"), (750, "收款人")):
        for place, sign in enumerate(side):
            sheet.han(left + 16, 205 + place * 70, sign, 28, _LABEL)
        for place, label in enumerate(("户名", "账号", "开户行")):
            sheet.han(left + 76, ys[place] + 24, label, 28, _LABEL)
            sheet.han(left + 215, ys[place] + 24, fields[side + label], 25)
    sheet.han(100, 440, "金额（大写）", 28, _LABEL)
    sheet.han(300, 440, fields["金额大写"], 28)
    sheet.han(100, 520, "金额（小写）", 28, _LABEL)
    sheet.han(300, 520, f"¥{fields['金额小写']}", 28)
    sheet.han(100, 600, "摘要", 28, _LABEL)
    sheet.han(300, 600, fields["摘要"], 28)
    return sheet.image, fields


def _vat_invoice(made: Invented) -> _Made:
    cents = made.cents()
    tax = round(cents * 13 / 100)
    year, month, day = made.date(2023, 2025)
    fields = {
        "发票号码": f"{year % 100}{made.chance.choice(['32', '11', '44', '31'])}2" + made.digits(15),
        "开票日期": f"{year}年{month:02}月{day:02}日",
        "购买方名称": made.firm(),
        "购买方识别号": made.credit_code(),
        "销售方名称": made.firm(),
        "销售方识别号": made.credit_code(),
        "合计金额": money(cents).replace(",", ""),
        "合计税额": money(tax).replace(",", ""),
        "价税合计大写": capitals(cents + tax),
        "价税合计小写": money(cents + tax).replace(",", ""),
        "开票人": made.person(),
    }
    sheet = _Sheet(1600, 1000)
    sheet.han(520, 40, "电子发票（增值税专用发票）", 42, _RED)
    sheet.han(1080, 50, f"发票号码：{fields['发票号码']}", 24)
    sheet.han(1080, 100, f"开票日期：{fields['开票日期']}", 24)
    sheet.rules([70, 130, 790, 850, 1530], [180, 330])
    for left, side in ((80, "购买方信息"), (800, "销售方信息")):
        for place, sign in enumerate(side):
            sheet.han(left, 188 + place * 27, sign, 22, _RED)
    for left, side in ((150, "购买方"), (870, "销售方")):
        sheet.han(left, 205, f"名称：{fields[side + '名称']}", 26)
        sheet.han(left, 272, f"统一社会信用代码/纳税人识别号：{fields[side + '识别号']}", 24)
    columns = (
        ("项目名称", 90),
        ("规格型号", 420),
        ("单位", 620),
        ("数量", 740),
        ("金额", 960),
        ("税率", 1190),
        ("税额", 1360),
    )
    for title, x in columns:
        sheet.han(x, 345, title, 24, _RED)
    row = ("*机械设备*轴承", "6205-2RS", "件", "10", fields["合计金额"], "13%", fields["合计税额"])
    for (_, x), value in zip(columns, row, strict=True):
        sheet.han(x, 400, value, 24)
    sheet.han(140, 640, "合    计", 26, _RED)
    sheet.han(930, 640, f"¥{fields['合计金额']}", 26)
    sheet.han(1330, 640, f"¥{fields['合计税额']}", 26)
    sheet.rules([70, 1530], [330, 690, 760, 880])
    sheet.han(120, 708, "价税合计（大写）", 26, _RED)
    sheet.han(470, 708, fields["价税合计大写"], 26)
    sheet.han(1140, 708, "（小写）", 26, _RED)
    sheet.han(1260, 708, f"¥{fields['价税合计小写']}", 26)
    sheet.han(110, 910, f"开票人：{fields['开票人']}", 26)
    return sheet.image, fields


def _business_licence(made: Invented) -> _Made:
    year, month, day = made.date(2016, 2024)
    fields = {
        "统一社会信用代码": made.credit_code(),
        "名称": made.firm(),
        "类型": "有限责任公司(自然人投资或控股)",
        "法定代表人": made.person(),
        "注册资本": f"{made.chance.choice(['伍佰', '壹仟', '贰佰'])}万元整",
        "成立日期": f"{year}年{month:02}月{day:02}日",
        "住所": made.address(),
    }
    sheet = _Sheet(1500, 1060, (252, 248, 238))
    sheet.han(560, 60, "营 业 执 照", 70)
    sheet.han(90, 200, "统一社会信用代码", 26)
    sheet.mono(90, 240, fields["统一社会信用代码"], 30)
    places = {
        "名称": (90, 340),
        "类型": (90, 420),
        "法定代表人": (90, 500),
        "注册资本": (830, 340),
        "成立日期": (830, 420),
    }
    for label, (x, y) in {**places, "住所": (830, 500)}.items():
        sheet.han(x, y, label, 28, _LABEL)
        sheet.han(x + 190, y, fields[label], 27)
    sheet.han(90, 600, "经营范围", 28, _LABEL)
    sheet.han(280, 600, "机械设备销售；技术服务、技术开发；货物进出口。", 27)
    sheet.han(960, 880, "登记机关", 30)
    return sheet.image, fields


def _contract_cover(made: Invented) -> _Made:
    year, month, day = made.date()
    cents = made.cents() // 100 * 100
    fields = {
        "合同编号": f"HT-{year}-{made.digits(4)}",
        "项目名称": f"{made.city()}档案数字化加工服务项目",
        "甲方": made.firm(),
        "乙方": made.firm(),
        "合同金额": money(cents),
        "签订地点": made.city(),
        "签订日期": f"{year}年{month}月{day}日",
    }
    sheet = _Sheet(1240, 1500)
    sheet.han(760, 90, f"合同编号：{fields['合同编号']}", 26)
    sheet.han(400, 330, "技术服务合同", 76)
    for place, (label, shown) in enumerate(
        (
            ("项目名称", fields["项目名称"]),
            ("甲方", fields["甲方"]),
            ("乙方", fields["乙方"]),
            ("合同金额", f"人民币 {fields['合同金额']} 元"),
            ("签订地点", fields["签订地点"]),
            ("签订日期", fields["签订日期"]),
        )
    ):
        y = 640 + place * 110
        sheet.han(180, y, f"{label}：", 34)
        sheet.han(400, y, shown, 34)
        sheet.draw.line((395, y + 52, 1060, y + 52), fill=_INK, width=2)
    return sheet.image, fields


def _receipt(made: Invented) -> _Made:
    year, month, day = made.date()
    prices = [made.cents(300, 9_000) for _ in range(3)]
    tax = round(sum(prices) * 8 / 100)
    fields = {
        "Receipt No": f"R{made.digits(6)}",
        "Date": f"{day:02} {_MONTHS[month - 1].title()} {year}",
        "Subtotal": money(sum(prices)),
        "Tax": money(tax),
        "Total": money(sum(prices) + tax),
    }
    sheet = _Sheet(760, 1040)
    sheet.latin(210, 50, "Harbour Stationers", 34)
    sheet.latin(250, 100, "14 Quay Street", 24)
    sheet.latin(280, 150, "RECEIPT", 34)
    sheet.latin(70, 230, f"Receipt No: {fields['Receipt No']}", 26)
    sheet.latin(70, 280, f"Date: {fields['Date']}", 26)
    goods = zip(("Ledger, ruled", "Pencils HB, box", "Wax seals, red"), map(money, prices), strict=True)
    totals = [(label, fields[label]) for label in ("Subtotal", "Tax", "Total")]
    for place, (label, value) in enumerate([*goods, *totals, ("Cash", money(20_000_00)), ("Thank you", "")]):
        y = 370 + place * 66
        sheet.latin(70, y, label, 26)
        sheet.draw.text((690, y), value, font=fonts.latin(26), fill=_INK, anchor="ra")
    return sheet.image, fields


def _wire_transfer(made: Invented) -> _Made:
    year, month, day = made.date()
    number = made.iban()
    fields = {
        "Beneficiary": made.chance.choice(["Nordlicht Papier GmbH", "Alder and Sons Ltd", "Maison Verte SARL"]),
        "IBAN": " ".join(number[place : place + 4] for place in range(0, len(number), 4)),
        "BIC": made.chance.choice(["COBADEFF", "DEUTDEFFXXX", "MARKDEF1100"]),
        "Amount": f"EUR {money(made.cents())}",
        "Value date": f"{year}-{month:02}-{day:02}",
        "Reference": f"Invoice {made.digits(5)}",
    }
    sheet = _Sheet(1150, 800)
    sheet.latin(320, 50, "SEPA credit transfer", 40)
    sheet.latin(90, 130, "Payment order for the ordering customer", 24)
    for place, (label, value) in enumerate(fields.items()):
        y = 220 + place * 84
        sheet.draw.rectangle((80, y - 12, 1070, y + 52), outline=(150, 150, 160), width=2)
        sheet.latin(100, y, label, 26)
        sheet.latin(420, y, value, 28)
    return sheet.image, fields


FORMS: dict[str, Callable[[Invented], _Made]] = {
    "identity-card": _identity_card,
    "passport": _passport,
    "bank-card": _bank_card,
    "bank-slip": _bank_slip,
    "vat-invoice": _vat_invoice,
    "business-licence": _business_licence,
    "contract-cover": _contract_cover,
    "receipt": _receipt,
    "wire-transfer": _wire_transfer,
}
