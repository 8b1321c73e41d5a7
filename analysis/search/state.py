"""What is known of a question at a word of it: what the steps of the parser read and change."""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.search.drafts import Drafts
from analysis.search.lexicon import Registry, Token
from analysis.search.query import Clause, Order, Target

VERBS = ("is", "are", "was", "were", "looks", "look", "gets", "get", "feels", "feel", "seems", "being")


@dataclass(slots=True)
class State:
    tokens: list[Token]
    registry: Registry
    at: int = 0
    target: Target | None = None
    noun: Target | None = None  # the last target word, which a length or a condition belongs to
    order: Order | None = None
    most: bool = False  # "most" or "least" came, and its emotion is still to come
    said_last: str = ""  # emotion or target, whichever came last
    drafts: Drafts = field(default_factory=Drafts)
    clauses: list[Clause] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    feeling_named: str = ""  # what was said last for a feeling, where it is somebody's name too
    texts: list[str] = field(default_factory=list)  # free words that titles and synopses are searched for

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> str:
        return self.tokens[self.at - 1].norm if self.at else ""

    def said(self, used: int) -> str:
        return " ".join(t.said for t in self.tokens[self.at : self.at + used])
