"""XML as a small tree with line numbers. A file that defines an entity is refused, and nothing is ever fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MAX_DEPTH = 50
MAX_NODES = 200_000


class XmlBroken(ValueError):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(slots=True)
class Node:
    tag: str
    line: int
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Node]:
        return [c for c in self.children if c.tag == tag]

    def first(self, tag: str) -> Node | None:
        return next((c for c in self.children if c.tag == tag), None)

    def word(self, tag: str) -> str:
        """The text of the first child of that name, without the space around it; nothing where there is none."""
        child = self.first(tag)
        return child.text.strip() if child else ""


def parse_xml(text: str) -> Node:
    """The outermost element. Raises XmlBroken."""
    parser = expat.ParserCreate("utf-8")
    top = Node("", 0)
    stack = [top]
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > MAX_DEPTH or count > MAX_NODES:
            raise XmlBroken(parser.CurrentLineNumber, "is nested too deeply or has too many elements")
        node = Node(tag, parser.CurrentLineNumber)
        stack[-1].children.append(node)
        stack.append(node)

    def end(tag: str) -> None:
        stack.pop()

    def characters(data: str) -> None:
        stack[-1].text += data

    def refuse(*_: object) -> int:
        raise XmlBroken(parser.CurrentLineNumber, "defines an entity, which no label needs")

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise XmlBroken(error.lineno, f"is not XML: {expat.ErrorString(error.code)}") from error
    return top.children[0]
