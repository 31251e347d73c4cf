"""TEDS: how like two HTML tables are, as trees (Zhong et al., PubTabNet, 2019).

A table is a tree of rows and cells; `thead`, `tbody` and other wrappers do not count, and a `th` is a
`td`. Inserting or deleting a node costs 1; so does changing one whose tag or spans differ; changing a
cell's text costs its edit distance over the longer text's length. TEDS is 1 less the cheapest cost over
the larger tree's number of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from runtime.evaluate.measures import distance, normalised


@dataclass
class Node:
    """`table`, `tr` or `td`. `spans`: rows and columns of a cell."""

    tag: str
    spans: tuple[int, int] = (1, 1)
    text: str = ""
    children: list[Node] = field(default_factory=list)


def teds(truth: str, read: str) -> float:
    """0..1 of the first table of each; 1 is equal. An HTML text without a table is like none."""
    wanted, got = first_table(truth), first_table(read)
    if wanted is None or got is None:
        return float(wanted is got)
    one, other = _Numbered(wanted), _Numbered(got)
    return 1 - tree_distance(one, other) / max(len(one.nodes), len(other.nodes))


def first_table(html: str) -> Node | None:
    """None if there is none; a table within a cell counts as its text."""
    reader = _TableReader()
    reader.feed(html)
    reader.close()
    return reader.table


class _TableReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.table: Node | None = None
        self._depth = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self.table is None:
                self.table = Node("table")
        if self.table is None or self._over or self._depth != 1:
            return
        if tag == "tr":
            self.table.children.append(Node("tr"))
        elif tag in ("td", "th"):
            if not self.table.children:
                self.table.children.append(Node("tr"))
            given = dict(attrs)
            spans = _number(given.get("rowspan")), _number(given.get("colspan"))
            self.table.children[-1].children.append(Node("td", spans))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            self._depth -= 1
            self._over = self._over or not self._depth

    def handle_data(self, data: str) -> None:
        if self.table is None or self._over or not self.table.children or not self.table.children[-1].children:
            return
        self.table.children[-1].children[-1].text += data


def _number(given: str | None) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 4 else 1


class _Numbered:
    """A tree's nodes from the leaves up, each with the place of its leftmost leaf; and the roots of its subtrees
    that have a left neighbour, the whole tree last."""

    def __init__(self, root: Node) -> None:
        self.nodes: list[Node] = []
        self.leftmost: list[int] = []
        self._number(root)
        rightmost = {left: place for place, left in enumerate(self.leftmost)}
        self.key_roots = sorted(rightmost.values())

    def _number(self, node: Node) -> int:
        lefts = [self._number(child) for child in node.children]
        left = lefts[0] if lefts else len(self.nodes)
        self.nodes.append(Node(node.tag, node.spans, normalised(node.text)))
        self.leftmost.append(left)
        return left


def tree_distance(one: _Numbered, other: _Numbered) -> float:
    """The cheapest way from one tree to the other: Zhang and Shasha (1989)."""
    found = [[0.0] * len(other.nodes) for _ in one.nodes]
    for root in one.key_roots:
        for other_root in other.key_roots:
            _between(one, other, root, other_root, found)
    return found[-1][-1]


def _between(one: _Numbered, other: _Numbered, root: int, other_root: int, found: list[list[float]]) -> None:
    """Fill in `found` for every pair of subtrees on the left paths of these two roots."""
    left, other_left = one.leftmost[root], other.leftmost[other_root]
    rows, columns = root - left + 2, other_root - other_left + 2
    costs = [[float(row + column) for column in range(columns)] for row in range(rows)]
    for row in range(1, rows):
        place = left + row - 1
        for column in range(1, columns):
            other_place = other_left + column - 1
            gap = 1 + min(costs[row - 1][column], costs[row][column - 1])
            if one.leftmost[place] == left and other.leftmost[other_place] == other_left:
                change = _change(one.nodes[place], other.nodes[other_place])
                costs[row][column] = min(gap, costs[row - 1][column - 1] + change)
                found[place][other_place] = costs[row][column]
            else:
                before = costs[one.leftmost[place] - left][other.leftmost[other_place] - other_left]
                costs[row][column] = min(gap, before + found[place][other_place])


def _change(one: Node, other: Node) -> float:
    if one.tag != other.tag or one.spans != other.spans:
        return 1.0
    if one.text == other.text:
        return 0.0
    return distance(one.text, other.text) / max(len(one.text), len(other.text))
