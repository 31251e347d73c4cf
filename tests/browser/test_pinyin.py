"""Chinese typed on the page: by finger, and with a keyboard on the table through the same candidates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.conftest import Watched
from tests.browser.station import Station, short

LONG_MS = 60_000
expect.set_options(timeout=LONG_MS)


@pytest.fixture
def touch(station: Station, browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    watched = Watched(context.new_page())
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.goto(station.url)
    yield watched
    context.close()
    assert watched.complaints == []


def _field(watched: Watched, kind: str = "textarea", inside: str = "main", **attributes: str) -> Locator:
    """A field of any sort, wherever the page may have one."""
    script = """([kind, inside, attributes]) => {
      const field = document.createElement(kind);
      for (const [name, value] of Object.entries(attributes)) field.setAttribute(name, value);
      field.id = "probe";
      Object.assign(field.style, { minHeight: "2em", minWidth: "20em" });  // an empty one could not be clicked on
      document.querySelector(inside).prepend(field);
    }"""
    watched.page.evaluate(script, [kind, inside, attributes])
    return watched.page.locator("#probe")


def _tap(watched: Watched, *keys: str) -> None:
    for key in keys:
        watched.page.locator(f'#keyboard [data-key="{key}"]').tap()


def _candidate(watched: Watched, text: str) -> Locator:
    return watched.page.locator("#keyboard-candidates button").filter(has_text=text).first


def test_a_finger_gets_a_keyboard_with_pinyin(touch: Watched) -> None:
    field = _field(touch)
    expect(touch.page.locator("#keyboard")).to_be_hidden()
    field.tap()
    expect(touch.page.locator("#keyboard")).to_be_visible()
    _tap(touch, *"shenfenzheng")
    _candidate(touch, "身份证").tap()
    expect(field).to_have_value("身份证")
    _tap(touch, *"hao")
    expect(_candidate(touch, "好")).to_be_visible()
    _tap(touch, "space", "。")
    expect(field).to_have_value("身份证好。")
    _tap(touch, "erase", "left", "latin", "upper", "x", "upper", "y", "symbols", "1", "more", "【")
    expect(field).to_have_value("身份证Xy1【好")
    expect(field).to_be_focused()
    touch.picture("pinyin-1024")
    _tap(touch, "hide")
    expect(touch.page.locator("#keyboard")).to_be_hidden()
    expect(touch.page.locator("#keyboard-show")).to_be_visible()


def test_a_finger_that_is_quicker_than_the_candidates_gets_the_word_that_it_saw(touch: Watched) -> None:
    field = _field(touch)
    field.tap()
    _tap(touch, *"shenfenzh")
    expect(_candidate(touch, "身份证")).to_be_visible()
    with nothing_answered(touch):
        _tap(touch, *"eng")
        _candidate(touch, "身份证").tap()
        expect(field).to_have_value("")
    expect(field).to_have_value("身份证")


def test_nothing_lies_below_the_keyboard(touch: Watched) -> None:
    field = _field(touch)
    field.tap()
    panel = touch.page.locator("#keyboard").bounding_box()
    header = touch.page.locator("header").bounding_box()
    typed = field.bounding_box()
    assert panel and header and typed
    assert panel["y"] + panel["height"] <= 768 and panel["x"] >= 0 and panel["width"] <= 1024
    assert typed["y"] + typed["height"] <= panel["y"]
    assert header["y"] == 0
    for button in touch.page.locator("#keyboard button:visible").all():
        box = button.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, button.inner_text()


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [("input", {}), ("input", {"type": "search"}), ("textarea", {}), ("div", {"contenteditable": "true"})],
)
def test_any_field_can_be_typed_in(kiosk: Watched, kind: str, attributes: dict[str, str]) -> None:
    field = _field(kiosk, kind, **attributes)
    field.click()
    expect(kiosk.page.locator("#keyboard")).to_be_hidden()
    kiosk.press("F8")
    kiosk.page.keyboard.type("nihao")
    expect(_candidate(kiosk, "你好")).to_be_visible()
    kiosk.press("1")
    kiosk.page.keyboard.type("2026")
    if kind == "div":
        expect(field).to_have_text("你好2026")
    else:
        expect(field).to_have_value("你好2026")
    kiosk.press("Control+z", "F8")
    expect(kiosk.page.locator("#keyboard")).to_be_hidden()


def test_what_is_typed_ahead_of_the_candidates_chooses_from_them(kiosk: Watched) -> None:
    field = _field(kiosk)
    field.click()
    kiosk.press("F8")

    with nothing_answered(kiosk):
        kiosk.page.keyboard.type("nihao1shijie 2026")
        expect(field).to_have_value("")
    expect(field).to_have_value("你好世界2026")
    with nothing_answered(kiosk):
        kiosk.page.keyboard.type("nihao1x")
        kiosk.press("Escape")
        kiosk.page.keyboard.type("9")
    expect(field).to_have_value("你好世界20269")


@contextmanager
def nothing_answered(kiosk: Watched) -> Iterator[None]:
    """The station says what letters may mean only when the block is over."""
    held: list[Route] | None = []

    def late(route: Route) -> None:
        if held is None:
            route.continue_()
        else:
            held.append(route)

    kiosk.page.route("**/pinyin?*", late)
    yield
    waiting, held = held or [], None
    for route in waiting:
        route.continue_()


def test_keys_on_the_table_choose_turn_and_give_up(kiosk: Watched) -> None:
    field = _field(kiosk)
    field.click()
    kiosk.press("F8")
    kiosk.page.keyboard.type("yi")
    buttons = kiosk.page.locator("#keyboard-candidates button")
    expect(_candidate(kiosk, "一")).to_be_visible()
    first = buttons.all_inner_texts()
    kiosk.press("PageDown")
    expect(buttons.first).not_to_have_text(first[0])
    second = buttons.all_inner_texts()
    assert not set(first) & set(second)
    for _ in range(40):
        kiosk.press("PageDown")
    expect(kiosk.page.locator("#keyboard-forward")).to_be_visible()
    kiosk.press("Escape")
    expect(buttons).to_have_count(0)
    expect(field).to_have_value("")
    kiosk.page.keyboard.type("yinhangzhanghaox")
    kiosk.press("Backspace")
    expect(kiosk.page.locator("#keyboard-bar")).to_have_attribute("data-behind", "false")
    expect(_candidate(kiosk, "银行账号")).to_be_visible()
    number = next(
        n for n, text in enumerate(buttons.all_inner_texts(), 1) if text.split()[-1].lstrip("0123456789") == "银行"
    )
    kiosk.press(str(number))
    expect(field).to_have_value("银行")
    expect(_candidate(kiosk, "账号")).to_be_visible()
    kiosk.press("Enter")
    expect(field).to_have_value("银行zhanghao")


def test_traditional_can_be_asked_for(kiosk: Watched) -> None:
    field = _field(kiosk)
    field.click()
    kiosk.press("F8")
    kiosk.page.keyboard.type("fapiao")
    kiosk.page.locator("#keyboard-traditional").click()
    expect(_candidate(kiosk, "發票")).to_be_visible()
    kiosk.press("1")
    expect(field).to_have_value("發票")
    kiosk.page.locator("#keyboard-traditional").click()


def test_a_field_in_a_dialog_has_the_keyboard_too_and_a_pin_has_digits(touch: Watched) -> None:
    touch.page.get_by_role("button", name="按键").tap()
    field = _field(touch, "input", "dialog[open]", type="password", inputmode="numeric")
    field.tap()
    _tap(touch, *"2026")
    expect(field).to_have_value("2026")
    panel, dialog = touch.page.locator("#keyboard").bounding_box(), touch.page.locator("dialog[open]").bounding_box()
    assert panel and dialog and dialog["y"] >= 0 and dialog["y"] + dialog["height"] <= panel["y"]
    touch.picture("pinyin-dialog")


def test_a_line_is_corrected_by_finger(touch: Watched, station: Station) -> None:
    station.plug_in("STICK", {"short.png": short()})
    touch.page.wait_for_selector("#files li")
    touch.press("Enter")
    touch.shows("review")
    line = touch.page.locator("#lines li").first
    line.tap()
    if not line.locator("textarea").count():
        line.tap()
    field = line.locator("textarea")
    field.evaluate("field => field.select()")
    _tap(touch, *"hetong")
    _candidate(touch, "合同").tap()
    expect(field).to_have_value("合同")
    touch.picture("pinyin-review")
    _tap(touch, "enter")
    expect(line).to_contain_text("合同")
    expect(touch.page.locator("#keyboard")).to_be_hidden()
