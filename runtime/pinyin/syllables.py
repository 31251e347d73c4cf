"""Pinyin without tones, as it is typed: which syllables there are, and how letters part into them. ü is v."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_TABLE = """
a o e ai ei ao ou an en ang eng er
ba bo bai bei bao ban ben bang beng bi bie biao bian bin bing bu
pa po pai pei pao pou pan pen pang peng pi pie piao pian pin ping pu
ma mo me mai mei mao mou man men mang meng mi mie miao miu mian min ming mu
fa fo fei fou fan fen fang feng fu fiao
da de dai dei dao dou dan den dang deng dong di die diao diu dian ding du duo dui duan dun dia
ta te tai tei tao tou tan tang teng tong ti tie tiao tian ting tu tuo tui tuan tun
na ne nai nei nao nou nan nen nang neng nong ni nie niao niu nian nin niang ning nu nuo nuan nun nv nve
la le lo lai lei lao lou lan lang leng long li lia lie liao liu lian lin liang ling lu luo luan lun lv lve
ga ge gai gei gao gou gan gen gang geng gong gu gua guo guai gui guan gun guang
ka ke kai kei kao kou kan ken kang keng kong ku kua kuo kuai kui kuan kun kuang
ha he hai hei hao hou han hen hang heng hong hu hua huo huai hui huan hun huang
ji jia jie jiao jiu jian jin jiang jing jiong ju jue juan jun
qi qia qie qiao qiu qian qin qiang qing qiong qu que quan qun
xi xia xie xiao xiu xian xin xiang xing xiong xu xue xuan xun
zha zhe zhi zhai zhei zhao zhou zhan zhen zhang zheng zhong zhu zhua zhuo zhuai zhui zhuan zhun zhuang
cha che chi chai chao chou chan chen chang cheng chong chu chua chuo chuai chui chuan chun chuang
sha she shi shai shei shao shou shan shen shang sheng shu shua shuo shuai shui shuan shun shuang
re ri rao rou ran ren rang reng rong ru rua ruo rui ruan run
za ze zi zai zei zao zou zan zen zang zeng zong zu zuo zui zuan zun
ca ce ci cai cao cou can cen cang ceng cong cu cuo cui cuan cun
sa se si sai sao sou san sen sang seng song su suo sui suan sun
ya yo ye yai yao you yan yin yang ying yong yi yu yue yuan yun
wa wo wai wei wan wen wang weng wu
"""
SYLLABLES = frozenset(_TABLE.split())
BEGINNINGS = frozenset(syllable[:end] for syllable in SYLLABLES for end in range(1, len(syllable)))
ALSO_TYPED = {"nue": "nve", "lue": "lve"}
LONGEST = max(map(len, SYLLABLES))
LETTERS = 60
_PARTINGS = 6


@dataclass(frozen=True)
class Piece:
    """Some letters of what was typed: a syllable, or the beginning of one. `end`: where they end in it."""

    letters: str
    whole: bool
    end: int

    def fits(self, syllable: str) -> bool:
        return syllable == self.letters or (not self.whole and syllable.startswith(self.letters))


@lru_cache(256)
def partings(typed: str) -> tuple[tuple[Piece, ...], ...]:
    """The likeliest ways to part `typed` (a to z and apostrophes, which part by force), best first.

    Whole syllables before beginnings, few before many: `xian` is xian, then xi'an; `nh` is two beginnings;
    `zhong` is one. Letters that begin no syllable (i, u, v) end a parting before them: it then covers less.
    """
    ways: dict[int, list[tuple[int, tuple[Piece, ...]]]] = {0: [(0, ())]}
    covered = 0
    for start in range(len(typed)):
        here = sorted(ways.get(start, ()), key=lambda way: way[0])[:_PARTINGS]
        if not here:
            continue
        if typed[start] == "'":
            ways.setdefault(start + 1, []).extend(here)
            continue
        for end in range(start + 1, min(start + LONGEST, len(typed)) + 1):
            letters = ALSO_TYPED.get(typed[start:end], typed[start:end])
            whole = letters in SYLLABLES
            if not whole and letters not in BEGINNINGS:
                continue
            covered = max(covered, end)
            piece = Piece(letters, whole, end)
            cost = 10 if whole else _cost_of_beginning(letters, end == len(typed) or typed[end : end + 1] == "'")
            ways.setdefault(end, []).extend((so_far + cost, (*pieces, piece)) for so_far, pieces in here)
    end = covered + (typed[covered : covered + 1] == "'")
    return tuple(
        pieces for _, pieces in sorted(ways.get(max(covered, end), ways[0]), key=lambda way: way[0])[:_PARTINGS]
    )


def _cost_of_beginning(letters: str, last: bool) -> int:
    """One letter, or zh, ch, sh, stands for a syllable anywhere; more of one only where it is still being typed."""
    if letters in ("zh", "ch", "sh") or len(letters) == 1:
        return 25
    return 22 if last else 60
