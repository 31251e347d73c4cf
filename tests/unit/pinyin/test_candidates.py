"""Pinyin: what a clerk types, and what is offered first."""

from __future__ import annotations

import pytest

from runtime.pinyin.candidates import candidates
from runtime.pinyin.dictionary import dictionary
from runtime.pinyin.syllables import LETTERS, SYLLABLES, partings

FIRST_PAGE = 9
# What stands on the pages of a records room, a customs hall and a bank, as it is typed.
WORDS = """
shenfenzheng 身份证  xingming 姓名  xingbie 性别  minzu 民族  zhuzhi 住址  chusheng 出生  qianfajiguan 签发机关
youxiaoqixian 有效期限  hukouben 户口本  huzhao 护照  jiashizheng 驾驶证  xingshizheng 行驶证  yingyezhizhao 营业执照
fading 法定  fadingdaibiaoren 法定代表人  zhuceziben 注册资本  zengzhishui 增值税  zengzhishuifapiao 增值税发票
fapiaohaoma 发票号码  kaipiaoriqi 开票日期  jiashuiheji 价税合计  shuie 税额  shuilv 税率  jine 金额  daxie 大写
yinhang 银行  kaihuhang 开户行  zhanghao 账号  yinhangka 银行卡  huidan 回单  shoukuanren 收款人  fukuanren 付款人
zhuanzhang 转账  hetong 合同  jiafang 甲方  yifang 乙方  qianzi 签字  gaizhang 盖章  dizhi 地址  dianhua 电话
lianxiren 联系人  danwei 单位  beizhu 备注  riqi 日期  shuliang 数量  danjia 单价  baoguandan 报关单  haiguan 海关
tidan 提单  dangan 档案  shenhe 审核  hedui 核对  fuyinjian 复印件  renminfayuan 人民法院  panjueshu 判决书
"""
PAIRS = list(zip(WORDS.split()[::2], WORDS.split()[1::2], strict=True))


def _texts(typed: str, count: int = FIRST_PAGE) -> list[str]:
    return [each.text for each in candidates(typed)[:count]]


@pytest.mark.parametrize(("typed", "word"), PAIRS)
def test_a_word_of_the_trade_is_on_the_first_page(typed: str, word: str) -> None:
    assert word in _texts(typed)


def test_nine_in_ten_of_them_come_first() -> None:
    assert len(PAIRS) >= 50
    first = [word for typed, word in PAIRS if _texts(typed, 1) == [word]]
    assert len(first) >= 0.9 * len(PAIRS), [
        (typed, word, _texts(typed, 3)) for typed, word in PAIRS if word not in first
    ]


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("nh", "你好"),
        ("sfz", "身份证"),
        ("shenf", "身份"),
        ("zengzhishuif", "增值税发票"),
        ("xi'an", "西安"),
        ("xian", "先"),
        ("fangan", "方案"),
        ("nv", "女"),
        ("nue", "虐"),
        ("lve", "略"),
        ("zh", "中"),
    ],
)
def test_beginnings_apostrophes_and_u_with_dots(typed: str, word: str) -> None:
    assert word in _texts(typed)


def test_a_sentence_is_put_together_from_words() -> None:
    assert candidates("wodeshenfenzhengdiushile")[0].text == "我的身份证丢失了"


def test_what_a_candidate_leaves_is_typed_on_with() -> None:
    found = {each.text: each.takes for each in candidates("yinhangzhanghao")}
    assert found["银行账号"] == len("yinhangzhanghao")
    assert found["银行"] == len("yinhang")
    assert found["银"] == len("yin")
    forced = {each.text: each.takes for each in candidates("xi'anshi")}
    assert forced["西安"] == len("xi'an")


@pytest.mark.parametrize(
    ("typed", "character"),
    [("kun", "堃"), ("zhe", "喆"), ("yan", "䶮"), ("hong", "𬭎"), ("biao", "骉"), ("xin", "馫")],
)
def test_rare_characters_of_names_are_there(typed: str, character: str) -> None:
    assert character in {each.text for each in candidates(typed)}


def test_traditional_is_given_where_asked() -> None:
    traditional = [each.text for each in candidates("zengzhishuifapiao", traditional=True)]
    assert traditional[0] == "增值稅發票"
    assert len(traditional) == len(set(traditional))


@pytest.mark.parametrize("typed", ["", "i", "uuu", "vvv", "'", "'''"])
def test_what_is_no_pinyin_gives_nothing(typed: str) -> None:
    assert candidates(typed) == ()


def test_letters_that_begin_no_syllable_are_left() -> None:
    assert max(each.takes for each in candidates("nihaoi")) == len("nihao")


def test_every_line_of_the_dictionary_can_be_typed() -> None:
    alphabet = "abcdefghjklmnopqrstwxyz"
    words = [
        word for letter in alphabet for longer in (False, True) for word in dictionary().words(letter, longer=longer)
    ]
    assert len(words) > 200_000
    assert {syllable for word in words for syllable in word.syllables} <= SYLLABLES
    assert all(len(word.syllables) == len(word.text) for word in words)
    assert len({(word.syllables, word.text) for word in words}) == len(words)


def test_the_longest_that_may_be_typed_is_parted_in_little_work() -> None:
    for typed in ("a" * LETTERS, "zhuang" * (LETTERS // 6), "n" * LETTERS, "xian" * (LETTERS // 4)):
        assert 0 < len(partings(typed)) <= 6
        assert candidates(typed)
