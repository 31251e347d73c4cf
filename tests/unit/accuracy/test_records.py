"""What people corrected becomes figures by form; texts are kept only where they may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.accuracy.records import Records
from runtime.accuracy.reviews import Review, review
from runtime.fields.forms import built_in
from runtime.results import EngineInfo, Line, PageResult
from runtime.tasks.task import Task

ENGINE = EngineInfo(name="stub", version="1", models=("m",))
CARD = ("姓名 张三", "性别 女", "出生 1990年1月2日", "住址 江州市青石路28号", "公民身份号码 110101199001020020")


def page(*texts: str) -> PageResult:
    lines = tuple(
        Line(text=text, box=((10, y), (400, y), (400, y + 20), (10, y + 20)), score=0.9)
        for y, text in zip(range(10, 1000, 40), texts, strict=False)
    )
    text = "\n".join(texts)
    return PageResult(
        text=text, lines=lines, width=500, height=500, rotation=0, engine=ENGINE, elapsed_s=0, task=Task.SPOTTING
    )


def reviewed(number: str, corrections: dict[int, str], *texts: str) -> Review:
    return review(number, page(*texts), corrections, built_in())


def test_a_review_counts_the_signs_that_were_changed() -> None:
    found = reviewed("1", {1: "one line"}, "as it was", "ome lime")
    assert (found.lines, found.signs.edits, found.signs.length) == (2, 2, 17)
    assert found.form == "" and found.fields.f1 == 1.0
    assert [(each.line, each.read_as, each.corrected) for each in found.corrections] == [(1, "ome lime", "one line")]


def test_a_line_that_was_removed_counts_as_all_wrong() -> None:
    assert reviewed("1", {0: ""}, "dust").signs.edits == 4


def test_fields_as_read_are_held_against_those_as_corrected() -> None:
    found = reviewed("1", {0: "姓名 李四"}, *CARD)
    assert found.form == "identity-card"
    assert found.fields.missed == 1 and found.fields.wrong == 1 and found.fields.right >= 3


def test_accuracy_is_told_by_form_and_a_page_saved_again_counts_once(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.keep_reviews(
        [reviewed("1", {}, *CARD), reviewed("2", {0: "姓名 李四"}, *CARD), reviewed("3", {}, "plain")]
    )
    records.keep_reviews([reviewed("2", {0: "姓名 王五"}, *CARD)])
    card, plain = records.accuracy()
    assert (card.form, card.engine, card.models) == ("identity-card", "stub", "m")
    assert (card.pages, card.pages_corrected, card.lines, card.lines_corrected) == (2, 1, 10, 1)
    assert card.edits == 2 and card.sign_accuracy == pytest.approx(1 - 2 / card.signs, abs=1e-5)
    assert card.fields_wrong == 1 and card.field_f1 is not None and card.field_f1 < 1
    assert (plain.form, plain.pages, plain.sign_accuracy, plain.field_f1) == ("", 1, 1.0, None)
    records.close()


@pytest.mark.parametrize("keep_texts", [False, True])
def test_texts_are_kept_only_where_it_is_asked_for(tmp_path: Path, keep_texts: bool) -> None:
    records = Records(tmp_path, keep_texts=keep_texts)
    records.keep_reviews([reviewed("1", {0: "secret"}, "secrer")])
    assert [each.corrected for each in records.corrections()] == (["secret"] if keep_texts else [])
    records.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (b"secret" in kept) is keep_texts


def test_what_was_kept_outlives_the_process(tmp_path: Path) -> None:
    first = Records(tmp_path)
    first.keep_reviews([reviewed("1", {}, "line")])
    first.close()
    again = Records(tmp_path)
    assert [each.pages for each in again.accuracy()] == [1]
    again.close()
