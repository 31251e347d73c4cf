"""YAML with positions: plain values, and where in the file each key stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from builder.errors import ProfileError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A position in a profile file, 1-based as editors count."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass
class Document:
    """A parsed file: its value and the place of every key and list item."""

    file: Path
    value: dict[str, Any]
    places: dict[KeyPath, Place] = field(default_factory=dict)


def parse(file: Path) -> Document:
    """Read one YAML file. Raises ProfileError with the place of the mistake."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{file}: cannot be read: {error}") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        raise ProfileError(f"{place}: not valid YAML: {error.problem}", hint="check indentation and quotes") from None
    except yaml.YAMLError as error:
        raise ProfileError(f"{file}: not valid YAML: {error}") from None
    document = Document(file, {})
    if not isinstance(node, yaml.MappingNode):
        raise ProfileError(f"{file}:1:1: a profile is a mapping of keys to values")
    value = _plain(node, (), document)
    assert isinstance(value, dict)
    document.value = value
    return document


def _plain(node: yaml.Node, path: KeyPath, document: Document) -> Any:
    document.places.setdefault(path, _place(node, document.file))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), document) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: KeyPath, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(_scalar(key_node))
        here = _place(key_node, document.file)
        if key in result:
            first = document.places[(*path, key)]
            raise ProfileError(f"{here}: key '{key}' is given twice (first in line {first.line})")
        document.places[(*path, key)] = here
        result[key] = _plain(value_node, (*path, key), document)
    return result


def _scalar(node: yaml.Node) -> Any:
    # A loader of its own for each scalar: compose() gives nodes, and only a constructor knows
    # that `7860` is a number and `on` is true.
    constructor = yaml.constructor.SafeConstructor()
    return constructor.construct_object(node)


def _place(node: yaml.Node, file: Path) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
