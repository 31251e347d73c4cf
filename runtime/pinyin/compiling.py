"""Makes words.txt.xz: `python -m runtime.pinyin.compiling JIEBA RIME`. Once, by hand; nothing of it is on the station.

JIEBA is dict.txt of jieba 0.42.1, RIME is pinyin_simp.dict.yaml of rime-data-pinyin-simp 0.0~git20230104.52b9c75;
pypinyin 0.55.0, pypinyin-dict 0.9.0 and opencc-python-reimplemented 0.1.7 must be installed. SOURCES.md has their
licences. The same inputs give the same file.
"""

from __future__ import annotations

import lzma
import re
import sys
from pathlib import Path
from statistics import median

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal
from pypinyin_dict.pinyin_data import ktghz2013

from runtime.pinyin.syllables import ALSO_TYPED, SYLLABLES

HERE = Path(__file__).resolve().parent
_HANZI = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_LONGEST = 10
_GUESSED = 3  # what jieba gives a word that it never counted
_DOMAIN_WEIGHT = 6000
_UNLIKELY = 100  # what a Traditional form is divided by, and a reading that only RIME knows

Reading = tuple[str, ...]
Words = dict[str, dict[Reading, int]]


def main(jieba: Path, rime: Path) -> None:
    words = _rime(rime)
    _doubt_readings(words)
    _add_counted(words, _counted(jieba))
    _add_domain(words)
    _add_characters(words)
    _write(words)


def _rime(path: Path) -> Words:
    """Words with their readings, weighed by how often Android's users wrote them."""
    words: Words = {}
    for line in path.read_text(encoding="utf-8").split("\n...\n", 1)[1].splitlines():
        word, _, rest = line.partition("\t")
        reading, _, weight = rest.partition("\t")
        if _HANZI.fullmatch(word):
            _put(words, word, tuple(reading.split()), int(weight or 0))
    return words


def _doubt_readings(words: Words) -> None:
    for word, readings in words.items():
        listed = PINYIN_DICT.get(ord(word)) if len(word) == 1 else None
        known = {_typed(to_normal(reading)) for reading in listed.split(",")} if listed else set()
        for (syllable,) in [reading for reading in readings if known and reading[0] not in known]:
            readings[(syllable,)] //= _UNLIKELY


def _counted(path: Path) -> dict[str, int]:
    rows = (line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
    return {row[0]: int(row[1]) for row in rows if _HANZI.fullmatch(row[0]) and 2 <= len(row[0]) <= _LONGEST}


def _add_counted(words: Words, counted: dict[str, int]) -> None:
    shared = [max(words[word].values()) / count for word, count in counted.items() if word in words and count > 20]
    scale = median(shared)
    for word, count in counted.items():
        if word in words:
            reading = max(words[word], key=words[word].__getitem__)
            words[word][reading] = max(words[word][reading], round(count * scale))
        elif count > _GUESSED or word in PHRASES_DICT:
            _put(words, word, _read(word), round(count * scale))


def _add_domain(words: Words) -> None:
    """What stands on the pages that the station reads: domain.txt, a word a line."""
    for word in (HERE / "domain.txt").read_text(encoding="utf-8").split():
        reading = max(words.get(word, {_read(word): 0}).items(), key=lambda row: row[1])[0]
        words.setdefault(word, {})[reading] = max(words.get(word, {}).get(reading, 0), _DOMAIN_WEIGHT)


def _add_characters(words: Words) -> None:
    """All of Unicode's first plane, and the rest of the 8,105 that names in China are written with."""
    for code, readings in PINYIN_DICT.items():
        if code <= 0xFFFF and _HANZI.fullmatch(chr(code)):
            _put_readings(words, chr(code), readings)
    for code, readings in ktghz2013.pinyin_dict.items():
        _put_readings(words, chr(code), readings)


def _put_readings(words: Words, character: str, readings: str) -> None:
    for reading in readings.split(","):
        _put(words, character, (to_normal(reading),), 0)


def _typed(syllable: str) -> str:
    plain = syllable.replace("ü", "v")
    return ALSO_TYPED.get(plain, plain)


def _read(word: str) -> Reading:
    return tuple(lazy_pinyin(word, style=Style.NORMAL))


def _put(words: Words, word: str, reading: Reading, weight: int) -> None:
    reading = tuple(map(_typed, reading))
    if len(reading) == len(word) and all(syllable in SYLLABLES for syllable in reading):
        readings = words.setdefault(word, {})
        readings[reading] = max(readings.get(reading, 0), weight)


def _write(words: Words) -> None:
    traditional, simplified = OpenCC("s2t"), OpenCC("t2s")
    rows = []
    for word, readings in words.items():
        other, plain = traditional.convert(word), simplified.convert(word) == word
        for reading, heavy in readings.items():
            weight = heavy if plain else heavy // _UNLIKELY
            initials = "".join(syllable[0] for syllable in reading)
            columns = [" ".join(reading), word, str(weight), *([other] if other != word else [])]
            rows.append((initials, -weight, "\u3400" <= word < "\u4e00", "\t".join(columns)))
    text = "".join(f"{line}\n" for *_, line in sorted(rows))
    print(len(rows), "rows,", len(text.encode()), "bytes")
    (HERE / "words.txt.xz").write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
