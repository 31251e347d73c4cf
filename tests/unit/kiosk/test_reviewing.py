"""The review of a batch: doubts in their order, one history for all pages, search and replace as one step."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.config import Listener, StationConfig
from runtime.gateway.recognition import Recognised
from runtime.kiosk.documents import Document
from runtime.kiosk.edits import Edits
from runtime.kiosk.intake import BUSY
from runtime.kiosk.page_view import page_view
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.reading import Reading
from runtime.kiosk.replacing import Words
from runtime.kiosk.reviewing import Review
from runtime.kiosk.saving import Saving
from runtime.kiosk.session import Session
from runtime.media.wire import Stick
from runtime.problems import BAD_REQUEST, NOT_FOUND, Problem
from runtime.results import PageResult, UnreadLine
from runtime.tasks.tables import tables
from runtime.tasks.task import Task
from tests.unit.kiosk.stub_reader import StubReader, page_result
from tests.unit.kiosk.test_edits import card

_TABLE = '<table><tr><td colspan="2">td</td></tr><tr><td>b</td><td>a td</td></tr></table>'


def page(recognised: Recognised | PageResult | None, name: str = "page.png") -> Page:
    made = Page(Document(name, "upload"), recognised=None, status=Status.READ)
    made.recognised = Recognised(recognised) if isinstance(recognised, PageResult) else recognised
    return made


def document(text: str, task: Task = Task.DOCUMENT) -> PageResult:
    return page_result(()).model_copy(update={"text": text, "task": task, "tables": tables(text)})


def session(*pages: Page) -> Session:
    listener = Listener(host="127.0.0.1", port=1)
    config = StationConfig(profile="test", version="0", ui=listener, api=listener, engines=[])
    made = Session(config, StubReader(), None)
    made.reading = _reading(made, *pages)
    return made


def _reading(made: Session, *pages: Page) -> Reading:
    async def fetch(_: Document) -> bytes:
        return b""

    reading = Reading(made.reader, made.recognition, fetch, made.changed)
    reading.pages += pages
    return reading


def review(*pages: Page) -> Review:
    return Review(session(*pages))


def targets(view: dict[str, Any]) -> list[tuple[str, str]]:
    return [(doubt["target"], doubt["reason"]) for doubt in view["doubts"]]


def test_failed_checks_come_first_then_what_is_unsure_then_what_is_missing() -> None:
    read = card()
    assert read.fields is not None
    lines = tuple(
        line.model_copy(update={"score": 0.5 if n in (0, 2) else 0.9}) for n, line in enumerate(read.page.lines)
    )
    fields = tuple(
        field.model_copy(update={"score": 0.5 if field.key == "姓名" else 0.9})
        for field in read.fields.fields
        if field.key not in ("住址", "出生")
    )
    changed = read.fields.model_copy(update={"fields": fields, "missing": ("住址", "出生")})
    view = page_view(page(Recognised(read.page.model_copy(update={"lines": lines}), changed, read.form)))
    assert targets(view) == [
        ("field:公民身份号码", "check"),
        ("field:性别", "agreement"),
        ("field:姓名", "score"),
        ("line:2", "score"),  # line 0 holds the name, which is doubtful itself
        ("field:住址", "missing"),
        ("field:出生", "missing"),
    ]
    keys = [field["key"] for field in view["fields"]["fields"]]
    assert keys[:5] == ["公民身份号码", "性别", "姓名", "住址", "出生"]
    assert view["fields"]["agreements"][0]["fields"] == ("公民身份号码", "出生")


def test_what_was_corrected_is_no_longer_doubtful_unless_its_check_still_fails() -> None:
    batch = review(page(card()))
    view = batch.edit(0, "field:公民身份号码", "11010519491231002X")
    assert ("field:公民身份号码", "check") not in targets(view)
    view = batch.edit(0, "field:公民身份号码", "110105194912310029")
    assert targets(view)[0] == ("field:公民身份号码", "check")
    shown = view["fields"]["fields"][0]
    assert (shown["value"], shown["read_as"]) == ("110105194912310029", "110105194912310021")
    assert shown["checks"][0]["state"] == "fail"


def test_a_doubtful_line_is_settled_by_correcting_it() -> None:
    batch = review(page(page_result()))
    assert targets(batch.view(0)) == [("line:2", "score")]
    assert batch.listing()["pages"][0]["doubts"] == 1
    batch.edit(0, "line:2", "A third line")
    assert batch.listing()["pages"][0]["doubts"] == 0


def test_what_was_seen_and_found_right_is_no_longer_doubtful_until_that_is_undone() -> None:
    batch = review(page(card()))
    view = batch.confirm(0, "field:公民身份号码")
    assert "field:公民身份号码" not in dict(targets(view))
    shown = next(field for field in view["fields"]["fields"] if field["key"] == "公民身份号码")
    assert shown["confirmed"] and shown["value"] == shown["read_as"]
    assert shown["checks"][0]["state"] == "fail"  # it says so still
    batch.undo()
    assert targets(batch.view(0))[0] == ("field:公民身份号码", "check")
    batch.redo()
    assert "field:公民身份号码" not in dict(targets(batch.view(0)))
    batch.edit(0, "field:公民身份号码", "110105194912310029")
    assert targets(batch.view(0))[0] == ("field:公民身份号码", "check")


def test_a_line_that_was_found_right_is_in_the_record_of_what_was_done_and_is_no_correction() -> None:
    made = page(page_result())
    batch = review(made)
    before = made.text()
    assert targets(batch.confirm(0, "line:2")) == []
    assert batch.view(0)["lines"][2]["confirmed"]
    (edit,) = made.edits.log
    assert (edit.target, edit.before) == ("line:2", edit.after)
    assert (made.corrected, made.corrections, made.text()) == (False, {}, before)
    with pytest.raises(Problem):
        batch.confirm(0, "line:99")


def test_an_answer_that_was_cut_short_is_looked_at_until_it_is_corrected() -> None:
    cut = document("half of it").model_copy(update={"warnings": ("truncated",)})
    batch = review(page(cut))
    assert targets(batch.view(0)) == [("text", "warning")]
    assert targets(batch.edit(0, "text", "all of it")) == []


def test_a_page_that_was_not_read_is_shown_without_content() -> None:
    failed = Page(Document("x.png", "upload"), status=Status.FAILED, problem=Problem(BAD_REQUEST, "why"))
    batch = review(failed)
    view = batch.view(0)
    assert (view["status"], view["code"], view["lines"], view["doubts"]) == ("failed", "bad-request", [], [])
    with pytest.raises(Problem):
        batch.edit(0, "line:0", "x")


def test_lines_that_nothing_can_read_are_shown_where_they_are() -> None:
    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    unread = UnreadLine(script="Lao", script_zh="老挝文", box=box)
    view = page_view(page(page_result().model_copy(update={"unread": (unread,)})))
    assert view["unread"] == [{"box": box, "script": "Lao", "script_zh": "老挝文"}]


def test_undo_goes_back_over_all_pages_and_tells_where() -> None:
    batch = review(page(page_result()), page(page_result()))
    batch.edit(0, "line:0", "first")
    batch.edit(1, "line:1", "second")
    assert batch.state() | {"revision": 0} == {"revision": 0, "undo": 2, "redo": 0}
    assert batch.undo() == {"page": 1, "target": "line:1", "pages": 1, "places": 1}
    assert batch.undo()["page"] == 0
    assert batch.view(0)["lines"][0]["text"] == batch.view(0)["lines"][0]["read_as"]
    with pytest.raises(Problem) as caught:
        batch.undo()
    assert caught.value.kind is NOT_FOUND
    assert batch.redo()["page"] == 0
    batch.edit(0, "line:2", "new")
    assert batch.state()["redo"] == 0
    with pytest.raises(Problem):
        batch.redo()
    assert batch.view(1)["lines"][1]["text"] != "second"


def test_a_page_that_is_read_anew_takes_its_changes_with_it() -> None:
    again = page(page_result())
    batch = review(again, page(page_result()))
    batch.edit(0, "line:0", "gone")
    batch.edit(1, "line:0", "stays")
    again.edits = Edits()
    assert batch.state()["undo"] == 1
    assert batch.undo()["page"] == 1


def test_a_new_batch_begins_a_new_history() -> None:
    owner = session(page(page_result()))
    batch = Review(owner)
    batch.edit(0, "line:0", "x")
    owner.reading = _reading(owner, page(page_result()))
    assert batch.state()["undo"] == 0


def test_nothing_changes_while_a_stick_is_written() -> None:
    owner = session(page(page_result()))
    batch = Review(owner)
    owner.saving = Saving(Stick("s", "S", "u", "vfat", 1, 1, True, "ready"), 1, 0)
    with pytest.raises(Problem) as caught:
        batch.edit(0, "line:0", "x")
    assert caught.value.kind is BUSY
    with pytest.raises(Problem):
        batch.replace(Words("a", "b"), ())
    with pytest.raises(Problem):
        batch.undo()


def test_words_are_found_and_replaced_on_every_page_as_one_step() -> None:
    pages = [page(page_result(("Acme Ltd", "acme ACME", "other"))), page(card()), page(page_result(("no", "Acme")))]
    batch = review(*pages)
    found = batch.search(Words("acme"))
    assert (found["count"], found["places"], found["pages"]) == (4, 3, 2)
    assert found["matches"][1]["spans"] == ((0, 4), (5, 9))
    assert batch.search(Words("acme", with_case=True))["count"] == 1
    assert batch.replace(Words("acme", "Bolt\\1"), ()) == {"pages": 2, "places": 3}
    assert [line["text"] for line in batch.view(0)["lines"]] == ["Bolt\\1 Ltd", "Bolt\\1 Bolt\\1", "other"]
    assert batch.undo()["places"] == 3
    assert all(not one.edits for one in pages)
    batch.redo()
    assert batch.view(2)["lines"][1]["text"] == "Bolt\\1"


def test_places_can_be_left_out() -> None:
    batch = review(page(page_result(("aa", "aa"))), page(page_result(("aa",))))
    batch.replace(Words("a", "b"), [(0, "line:1")])
    assert [line["text"] for line in batch.view(0)["lines"]] == ["bb", "aa"]
    assert batch.view(1)["lines"][0]["text"] == "bb"


def test_a_field_is_replaced_with_the_line_that_holds_it() -> None:
    batch = review(page(card()))
    assert batch.search(Words("2310021"))["places"] == 1
    batch.replace(Words("2310021", "231002X"), ())
    view = batch.view(0)
    number = next(field for field in view["fields"]["fields"] if field["key"] == "公民身份号码")
    assert number["checks"][0]["state"] == "pass"
    assert view["lines"][4]["text"].endswith("231002X")


def test_tags_of_tables_are_no_text() -> None:
    batch = review(page(document(f"td before\n{_TABLE}\ntd after")))
    found = batch.search(Words("td"))
    assert [match["target"] for match in found["matches"]] == ["cell:0:0:0", "cell:0:1:1", "text"]
    assert found["count"] == 4
    batch.replace(Words("td", "XY"), ())
    assert batch.view(0)["text"] == f"XY before\n{_TABLE.replace('>td<', '>XY<').replace('a td', 'a XY')}\nXY after"


def test_cells_are_shown_once_with_their_spans_and_what_was_read() -> None:
    batch = review(page(document(_TABLE, Task.TABLE)))
    batch.edit(0, "cell:0:1:0", "B")
    (grid,) = batch.view(0)["tables"]
    assert (grid["rows"], grid["columns"]) == (2, 2)
    assert [(c["row"], c["column"], c["columns"], c["text"], c["read_as"]) for c in grid["cells"]] == [
        (0, 0, 2, "td", "td"),
        (1, 0, 1, "B", "b"),
        (1, 1, 1, "a td", "a td"),
    ]


def test_what_a_model_wrote_is_shown_without_what_could_run() -> None:
    text = "# Title\n\n$a<b$ and\n\n$$\\frac{1}{2}$$\n\n<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[x](http://x)"
    made = page_view(page(document(text)))["html"]
    assert "<h1>Title</h1>" in made
    assert '<span class="math" data-display="false">a&lt;b</span>' in made
    assert '<span class="math" data-display="true">\\frac{1}{2}</span>' in made
    for sign in ("<script", "<img", "href", "onerror"):
        assert sign not in made


@pytest.mark.parametrize("text", ["\\frac{1}{2}", "$$\\frac{1}{2}$$", "\\[ \\frac{1}{2} \\]", " $\\frac{1}{2}$\n"])
def test_a_formula_is_shown_as_one_with_or_without_its_signs(text: str) -> None:
    made = page_view(page(document(text, Task.FORMULA)))["html"]
    assert made == '<p><span class="math" data-display="true">\\frac{1}{2}</span></p>'


@pytest.mark.parametrize(
    "text", ["costs $5 and $6 today", "`$x$` is code", "```\n$x$\n```", "a \\$b\\$ c", "\ue0000\ue001 stays out"]
)
def test_not_every_dollar_is_a_formula(text: str) -> None:
    assert "math" not in page_view(page(document(text)))["html"]


def test_a_thousand_lines_are_replaced_and_taken_back_at_once() -> None:
    """Not a matter of seconds: a rebuilt page for each of them would take minutes."""
    batch = review(*(page(page_result(tuple(f"{number} one" for number in range(1000)))) for _ in range(5)))
    assert batch.replace(Words("one", "two"), ())["places"] == 5000
    batch.undo()
    assert batch.search(Words("two"))["count"] == 0


def test_a_person_who_edits_is_told_to_everybody() -> None:
    async def look() -> None:
        owner = session(page(page_result()))
        batch = Review(owner)
        change, edits = owner.next_change, owner.reading.edits if owner.reading else 0
        batch.edit(0, "line:0", "x")
        assert change.is_set()
        assert owner.reading is not None and owner.reading.edits == edits + 1
        before = batch.state()["revision"]
        batch.edit(0, "line:0", "x")  # nothing changes
        assert batch.state()["revision"] == before

    asyncio.run(look())
