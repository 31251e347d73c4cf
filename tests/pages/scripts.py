"""Test pages in the scripts of the world, shaped by HarfBuzz and set right to left where they run so."""

from __future__ import annotations

import re

from PIL import Image, ImageDraw, ImageFont

from tests.pages import fonts
from tests.pages.faults import photographed
from tests.pages.render import RenderedPage

KOREAN = """기록 보관소는 아침 아홉 시에 열고 오후 다섯 시에 닫습니다.
정문을 지나는 모든 소포는 두 번 무게를 잽니다.
한 번은 바닥 저울로, 한 번은 책상 저울로 잽니다.
누구든지 서명하기 전에 두 숫자를 모두 적어 둡니다.
1987년에는 한 주의 장부가 4216줄이나 되었습니다.
오늘날 같은 방에서 한 달에 38500건을 처리합니다.
방문자는 서식과 송장 사본을 가져오십시오."""

RUSSIAN = """Архив открывается в девять часов утра и закрывается в пять.
Каждую посылку, проходящую через ворота, взвешивают дважды,
один раз на больших весах и один раз на настольных.
Оба числа записывают прежде, чем кто-нибудь подпишет.
В 1987 году журнал за одну неделю занимал 4216 строк.
Сегодня тот же зал обрабатывает 38500 посылок в месяц.
Посетителей просят принести вторую копию счёта."""

GREEK = """Το αρχείο ανοίγει στις εννέα το πρωί και κλείνει στις πέντε.
Κάθε δέμα που περνά από την πύλη ζυγίζεται δύο φορές,
μία φορά στη μεγάλη ζυγαριά και μία στη μικρή.
Και οι δύο αριθμοί γράφονται πριν υπογράψει κανείς.
Το 1987 το βιβλίο μιας εβδομάδας είχε 4216 γραμμές.
Σήμερα η ίδια αίθουσα χειρίζεται 38500 δέματα τον μήνα.
Οι επισκέπτες να φέρουν αντίγραφο του τιμολογίου."""

ARABIC = """يفتح قسم السجلات في التاسعة صباحا ويغلق في الخامسة مساء
يوزن كل طرد يمر عبر البوابة مرتين قبل التسجيل
مرة على الميزان الكبير ومرة على ميزان المكتب
ويكتب الرقمان معا قبل أن يوقع أي شخص
كان دفتر الأسبوع الواحد يحتوي على أسطر كثيرة
واليوم تعالج القاعة نفسها آلاف الطرود كل شهر
على الزوار إحضار نسخة ثانية من الفاتورة"""

HEBREW = """ארכיון הרשומות נפתח בתשע בבוקר ונסגר בחמש אחר הצהריים.
כל חבילה שעוברת דרך השער נשקלת פעמיים,
פעם אחת על המאזניים הגדולים ופעם אחת על השולחן.
שני המספרים נכתבים לפני שמישהו חותם.
בשנת 1987 היה היומן של שבוע אחד ארוך מאוד.
היום אותו אולם מטפל באלפי חבילות בחודש.
המבקרים מתבקשים להביא עותק שני של החשבונית."""

THAI = """ห้องเก็บเอกสารเปิดเวลาเก้าโมงเช้าและปิดเวลาห้าโมงเย็น
พัสดุทุกชิ้นที่ผ่านประตูจะถูกชั่งน้ำหนักสองครั้ง
ครั้งหนึ่งบนเครื่องชั่งใหญ่และอีกครั้งบนโต๊ะ
ตัวเลขทั้งสองจะถูกจดไว้ก่อนที่ใครจะลงชื่อ
ในปี 1987 สมุดบัญชีหนึ่งสัปดาห์มี 4216 บรรทัด
วันนี้ห้องเดียวกันจัดการพัสดุเดือนละ 38500 ชิ้น
ผู้มาติดต่อโปรดนำสำเนาใบแจ้งหนี้มาด้วย"""

HINDI = """अभिलेख कार्यालय सुबह नौ बजे खुलता है और शाम पाँच बजे बंद होता है।
द्वार से आने वाले हर पार्सल को दो बार तौला जाता है।
एक बार बड़े तराजू पर और एक बार मेज के तराजू पर।
किसी के हस्ताक्षर करने से पहले दोनों अंक लिखे जाते हैं।
सन 1987 में एक सप्ताह की बही में बहुत सी पंक्तियाँ थीं।
आज वही कमरा हर महीने हजारों पार्सल संभालता है।
आगंतुक कृपया बीजक की दूसरी प्रति साथ लाएँ।"""

GEORGIAN = """არქივი იღება დილის ცხრა საათზე და იკეტება ხუთზე.
ყოველი ამანათი ორჯერ იწონება ჭიშკართან,
ერთხელ დიდ სასწორზე და ერთხელ მაგიდაზე.
ორივე რიცხვი იწერება ხელმოწერამდე.
სტუმრებმა თან მოიტანონ ანგარიშის ასლი."""

TAMIL = """ஆவண அலுவலகம் காலை ஒன்பது மணிக்கு திறக்கும்.
வாயில் வழியாக வரும் ஒவ்வொரு பொதியும் இருமுறை எடை போடப்படும்.
இரண்டு எண்களும் கையொப்பத்திற்கு முன் எழுதப்படும்.
இன்று அதே கூடம் மாதம் ஆயிரக்கணக்கான பொதிகளை கையாளுகிறது.
பார்வையாளர்கள் விலைப்பட்டியலின் நகலை கொண்டு வரவும்."""

TEXTS = {
    "korean": KOREAN,
    "russian": RUSSIAN,
    "greek": GREEK,
    "arabic": ARABIC,
    "hebrew": HEBREW,
    "thai": THAI,
    "hindi": HINDI,
    "georgian": GEORGIAN,
    "tamil": TAMIL,
}
RIGHT_TO_LEFT = ("arabic", "hebrew")
_WITHOUT_DIGITS = ("thai", "georgian", "tamil")
_MIXED = (
    ("english", "Every parcel is weighed twice at the gate."),
    ("chinese", "所有包裹都要在大门口称重两次。"),
    ("korean", KOREAN.splitlines()[1]),
    ("russian", RUSSIAN.splitlines()[3]),
    ("english", "Visitors should bring form B-12 and a pencil."),
    ("greek", GREEK.splitlines()[3]),
    ("hebrew", HEBREW.splitlines()[3]),
    ("chinese", "来访者请携带登记表和发票副本。"),
    ("arabic", ARABIC.splitlines()[1]),
    ("thai", THAI.splitlines()[1]),
    ("hindi", HINDI.splitlines()[1]),
    ("english", "The records office closes at five."),
)
_PAPER, _INK = (250, 249, 245), (28, 28, 32)
_MARGIN, _LEADING, _SIZE, _ROOM = 60, 64, 30, 6


def script_page(name: str, *, faults: bool = False, seed: int = 0, size: int = _SIZE) -> RenderedPage:
    """A page of TEXTS, or "mixed": one line each of many scripts. The truth is in logical order."""
    lines = list(_MIXED) if name == "mixed" else [(name, line) for line in TEXTS[name].splitlines()]
    widths = [
        round(sum(_length(run, face, script) for run, face in _runs(line, script, size))) for script, line in lines
    ]
    width = 2 * _MARGIN + max(widths)
    image = Image.new("RGB", (width, 2 * _MARGIN + _LEADING * len(lines)), _PAPER)
    draw = ImageDraw.Draw(image)
    for number, (script, line) in enumerate(lines):
        x = float(width - _MARGIN - widths[number] if script in RIGHT_TO_LEFT else _MARGIN)
        base = _MARGIN + number * _LEADING + size
        for run, face in _runs(line, script, size):
            draw.text((x, base), run, font=face, fill=_INK, anchor="ls", direction=_direction(script))
            x += _length(run, face, script)
    page = RenderedPage(image, "\n".join(line for _, line in lines))
    return RenderedPage(photographed(page.image, seed), page.text) if faults else page


def line_images(name: str) -> list[Image.Image]:
    """The page's lines, cut out one by one."""
    page = script_page(name).image
    tops = range(_MARGIN - _ROOM, page.height - 2 * _MARGIN, _LEADING)
    return [page.crop((_MARGIN // 2, top, page.width - _MARGIN // 2, top + _SIZE + 2 * _ROOM + 8)) for top in tops]


def _runs(line: str, script: str, size: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """The line, cut where its face lacks signs: Noto's faces of many scripts have neither digits nor stops."""
    face = _font(script, size)
    if script not in _WITHOUT_DIGITS:
        return [(line, face)]
    parts = re.findall(r"[!-~]+|[^!-~]+", line)
    return [(part, fonts.noto("latin", size) if part.isascii() else face) for part in parts]


def _font(script: str, size_px: int) -> ImageFont.FreeTypeFont:
    if script == "korean":
        return fonts.noto_cjk("KR", size_px)
    if script == "hebrew":
        return fonts.sans(size_px)
    if script in ("chinese", "english"):
        return fonts.han(size_px) if script == "chinese" else fonts.latin(size_px)
    return fonts.noto(script, size_px)


def _length(run: str, face: ImageFont.FreeTypeFont, script: str) -> float:
    return face.getlength(run, direction=_direction(script))


def _direction(script: str) -> str | None:
    return "rtl" if script in RIGHT_TO_LEFT else None
