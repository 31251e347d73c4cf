"""What becomes of a page when a person corrects it: pure functions from one page to the next.

Each correction meets the page as the ones before it left it. A field and the line that holds its value
follow each other, so that text and fields never tell two stories.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace

from runtime.fields.forms import Form, built_in, of_keys
from runtime.fields.reading import Fields, with_changes
from runtime.gateway.recognition import Recognised
from runtime.problems import BAD_REQUEST, Problem
from runtime.results import Line, PageResult, Quad
from runtime.tasks.tables import Table, table_cells, tables

MAX_LINE_CHARACTERS = 4000
MAX_TEXT_CHARACTERS = 1_000_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Target:
    """What is corrected: `kind` "line" with `number`, "field" with `key`, "cell" with `place` (table, row,
    column), or "text", the whole of it."""

    kind: str
    number: int = 0
    key: str = ""
    place: tuple[int, int, int] = (0, 0, 0)


def target_of(written: str) -> Target:
    """`line:3`, `field:姓名`, `cell:0:1:2` or `text`. Raises Problem BAD_REQUEST for anything else."""
    kind, _, rest = written.partition(":")
    if written == "text":
        return Target("text")
    if kind == "line" and re.fullmatch(r"\d{1,6}", rest):
        return Target("line", number=int(rest))
    if kind == "field" and rest:
        return Target("field", key=rest)
    if kind == "cell" and re.fullmatch(r"\d{1,4}:\d{1,5}:\d{1,4}", rest):
        table, row, column = map(int, rest.split(":"))
        return Target("cell", place=(table, row, column))
    raise Problem(BAD_REQUEST, "There is no such place on the page.")


@dataclass
class Draft:
    """A page at work: its parts as they are now. `of`: the page as it was read."""

    of: Recognised
    lines: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    text: str = ""
    tables: tuple[Table, ...] = ()

    @classmethod
    def start(cls, of: Recognised) -> Draft:
        values = {} if of.fields is None else of.fields.flat()
        return cls(of, [line.text for line in of.page.lines], values, of.page.text, of.page.tables)

    def value(self, target: Target) -> str:
        """What stands there now. Raises Problem BAD_REQUEST if the page has no such place."""
        match target.kind:
            case "line" if target.number < len(self.lines):
                return self.lines[target.number]
            case "field" if target.key in _keys(self.of.fields):
                return self.values.get(target.key, "")
            case "cell":
                table, row, column = target.place
                if table < len(self.tables) and row < len(self.tables[table]):
                    cells = self.tables[table][row]
                    if column < len(cells):
                        return cells[column]
            case "text" if not self.lines:
                return self.text
        raise Problem(BAD_REQUEST, "There is no such place on the page.")

    def put(self, target: Target, after: str) -> None:
        """Raises Problem BAD_REQUEST if the page has no such place or the text does not fit it."""
        before = self.value(target)
        match target.kind:
            case "line":
                self.lines[target.number] = after
                self._follow_line(target.number, before, after)
            case "field":
                self.values[target.key] = after
                self._follow_field(target.key, before, after)
            case "cell":
                self._put_cell(target.place, after)
            case _:
                self.text = after
                self.tables = tables(after)

    def _follow_line(self, number: int, before: str, after: str) -> None:
        """Of a field in the line, its value is what now stands between what stood around it."""
        for each in () if self.of.fields is None else self.of.fields.fields:
            value = self.values.get(each.key, "")
            if not value or before.count(value) != 1 or not holds(self.of.page.lines[number], each.box):
                continue
            head, _, tail = before.partition(value)
            if len(after) > len(head) + len(tail) and after.startswith(head) and after.endswith(tail):
                self.values[each.key] = after[len(head) : len(after) - len(tail)].strip() or value

    def _follow_field(self, key: str, before: str, after: str) -> None:
        fields = () if self.of.fields is None else self.of.fields.fields
        box = next((each.box for each in fields if each.key == key), None)
        if not before or not after or "\n" in after or box is None:
            return
        holding = [
            number
            for number, text in enumerate(self.lines)
            if text.count(before) == 1 and holds(self.of.page.lines[number], box)
        ]
        if len(holding) == 1:
            self.lines[holding[0]] = self.lines[holding[0]].replace(before, after)

    def _put_cell(self, place: tuple[int, int, int], after: str) -> None:
        written = table_cells(self.text)
        if len(written) == len(self.tables):
            cell = next(cell for cell in written[place[0]] if cell.covers(place[1], place[2]))
            inner = html.escape(after, quote=False).replace("\n", "<br>")
            text = self.text[: cell.start] + inner + self.text[cell.end :]
            made = tables(text)
            if len(made) != len(self.tables) or made[place[0]][place[1]][place[2]] != after:
                raise Problem(BAD_REQUEST, "This cell is written in a way that only its source can be corrected.")
            self.text, self.tables = text, made
        else:  # the engine gave the table beside the text
            number, row, column = place
            rows = [list(cells) for cells in self.tables[number]]
            rows[row][column] = after
            whole = tuple(tuple(cells) for cells in rows)
            self.tables = (*self.tables[:number], whole, *self.tables[number + 1 :])

    def finished(self) -> Recognised:
        """The corrected page, with the fields' checks run anew."""
        page = self.of.page
        changed = {
            number: text
            for number, (text, line) in enumerate(zip(self.lines, page.lines, strict=True))
            if text != line.text
        }
        lines = tuple(
            line if number not in changed else line.model_copy(update={"text": changed[number]})
            for number, line in enumerate(page.lines)
        )
        text = corrected_text(page.model_copy(update={"text": self.text}), changed)
        given = page.fields
        if given is not None:
            named = {key: self.values.get(key, value) for key, value in given.items()}
            listed = "\n".join(f"{key}: {value}" for key, value in given.items())
            if not lines and text == listed:
                text = "\n".join(f"{key}: {value}" for key, value in named.items())
            given = named
        made = page.model_copy(update={"lines": lines, "text": text, "tables": self.tables, "fields": given})
        if self.of.fields is None:
            return replace(self.of, page=made)
        return replace(
            self.of,
            page=made,
            fields=with_changes(self.of.fields, made, form_of(self.of, self.of.fields), self.values),
        )


def fitting(target: Target, text: str) -> str:
    """`text` as it may stand there. Raises Problem BAD_REQUEST if it may not."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROLS.search(text):
        raise Problem(BAD_REQUEST, "The text has signs that cannot be printed.")
    if target.kind == "text":
        if len(text) > MAX_TEXT_CHARACTERS:
            raise Problem(BAD_REQUEST, f"At most {MAX_TEXT_CHARACTERS} characters.")
        return text
    if len(text) > MAX_LINE_CHARACTERS:
        raise Problem(BAD_REQUEST, f"At most {MAX_LINE_CHARACTERS} characters.")
    if target.kind == "line" and "\n" in text:
        raise Problem(BAD_REQUEST, "A line is one line of text.")
    return text if target.kind == "line" else text.strip()


def corrected_text(result: PageResult, corrections: dict[int, str]) -> str:
    """`result.text` with the corrected lines in place of what was read there.

    The lines are found one after the other, so that a line which occurs twice is not mistaken.
    """
    if not corrections:
        return result.text
    pieces: list[str] = []
    position = 0
    for number, line in enumerate(result.lines):
        start = result.text.find(line.text, position)
        if start < 0:
            return "\n".join(text for i, one in enumerate(result.lines) if (text := corrections.get(i, one.text)))
        end = start + len(line.text)
        text = corrections.get(number, line.text)
        pieces += [result.text[position:start], text]
        removed = number in corrections and not text
        position = end + 1 if removed and result.text[end : end + 1] == "\n" else end
    pieces.append(result.text[position:])
    return "".join(pieces)


def _keys(fields: Fields | None) -> tuple[str, ...]:
    return () if fields is None else (*(each.key for each in fields.fields), *fields.missing)


def form_of(of: Recognised, fields: Fields) -> Form:
    """The form that the page was read by."""
    if of.form is not None:
        return of.form
    known = next((form for form in built_in() if form.name == fields.form), None)
    return of_keys(_keys(fields), known)


def holds(line: Line, box: Quad | None) -> bool:
    """Whether the middle of `box` lies in the line."""
    if box is None:
        return False
    x, y = (sum(point[axis] for point in box) / 4 for axis in (0, 1))
    xs, ys = [point[0] for point in line.box], [point[1] for point in line.box]
    return min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys)
