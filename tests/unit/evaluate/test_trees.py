"""TEDS: held against the definition, worked out without any cleverness, and against known answers."""

from __future__ import annotations

import random
from functools import cache

import pytest

from runtime.evaluate.measures import distance
from runtime.evaluate.trees import Node, first_table, teds

Tree = tuple[str, tuple["Tree", ...]]
SMALL = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"


def row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


@pytest.mark.parametrize(
    ("truth", "read", "nodes_wrong", "nodes"),
    [
        (SMALL, SMALL, 0, 7),
        (
            SMALL,
            f"<p>x</p><table><thead>{row('a', 'b')}</thead><tbody>{row('c', 'd')}</tbody></table>y",
            0,
            7,
        ),
        (SMALL, f"<table>{row('a', 'b')}{row('c', 'x')}</table>", 1, 7),
        (SMALL, f"<table>{row('a', 'b')}</table>", 3, 7),
        (SMALL, f"<table>{row('a', 'b')}{row('c')}</table>", 1, 7),
        (SMALL, f"<table>{row('a', 'b')}{row('n', 'm')}{row('c', 'd')}</table>", 3, 10),
        (SMALL, SMALL.replace("<td>d", '<td colspan="2">d'), 1, 7),
        (SMALL.replace(">d<", ">long<"), SMALL.replace(">d<", ">lone<"), 0.25, 7),
        (SMALL, "<table></table>", 6, 7),
    ],
)
def test_known_tables(truth: str, read: str, nodes_wrong: float, nodes: int) -> None:
    assert teds(truth, read) == pytest.approx(1 - nodes_wrong / nodes)
    assert teds(read, truth) == pytest.approx(1 - nodes_wrong / nodes)


def test_no_table_is_like_no_table_and_unlike_any() -> None:
    assert teds("none", "none either") == 1.0
    assert teds(SMALL, "none") == 0.0


def test_it_is_the_cheapest_way_between_the_trees() -> None:
    chance = random.Random(3)
    for _ in range(150):
        one, other = _random_table(chance), _random_table(chance)
        trees = _tree(first_table(one)), _tree(first_table(other))
        larger = max(map(_size, trees))
        assert teds(one, other) == pytest.approx(1 - _cheapest((trees[0],), (trees[1],)) / larger), (one, other)


def _random_table(chance: random.Random) -> str:
    rows = ["".join(chance.choices("ab", k=chance.randint(1, 3))) for _ in range(chance.randint(0, 3))]
    return (
        "<table>" + "".join(row(*chance.choices(["", "a", "ab", "abc"], k=len(cells))) for cells in rows) + "</table>"
    )


def _tree(node: Node | None) -> Tree:
    assert node is not None
    return f"{node.tag}:{node.text}", tuple(_tree(child) for child in node.children)


def _size(tree: Tree) -> int:
    return 1 + sum(map(_size, tree[1]))


@cache
def _cheapest(one: tuple[Tree, ...], other: tuple[Tree, ...]) -> float:
    """The definition over forests: the last tree's root is deleted, inserted or changed."""
    if not one or not other:
        return float(sum(map(_size, one or other)))
    (label, below), (other_label, other_below) = one[-1], other[-1]
    return min(
        1 + _cheapest((*one[:-1], *below), other),
        1 + _cheapest(one, (*other[:-1], *other_below)),
        _cheapest(one[:-1], other[:-1]) + _cheapest(below, other_below) + _renamed(label, other_label),
    )


def _renamed(label: str, other: str) -> float:
    (tag, _, text), (other_tag, _, other_text) = label.partition(":"), other.partition(":")
    if tag != other_tag:
        return 1.0
    return distance(text, other_text) / max(1, len(text), len(other_text))
