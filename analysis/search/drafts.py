"""What a question says of whom, gathered word by word, and made into conditions at its end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.search.query import (
    Atom,
    Condition,
    How,
    Lasts,
    MoreThan,
    Of,
    Op,
    Relation,
    ShareOf,
    Shows,
    Target,
    Together,
)
from ml.types import Emotion

_OPPOSITE = {Op.GT: Op.LE, Op.GE: Op.LT}


class Unclear(ValueError):
    """What was said has no one meaning; ``str`` says what it was."""


@dataclass(slots=True)
class Draft:
    """A subject, an emotion and what is said of them. ``link``: how it stands to the draft before it."""

    character: str | None = None
    subject: str | None = None  # somebody, nobody, everybody, cast
    emotion: Emotion | None = None
    superlative: bool = False
    how: How | None = None
    share: tuple[Op, int] | None = None
    lasts: tuple[Op, int] | None = None
    negated: bool = False
    degree: str | None = None  # more, less
    than: str | None = None
    link: tuple[Relation, int | None] | None = None
    noun: Target | None = None
    after_and: bool = False  # begun by "and" without a subject of its own
    joined: bool = False  # begun by "and", with a subject of its own
    either: bool = False  # begun by "or", after what never happens
    said: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.character or self.subject or self.emotion or self.modified)

    @property
    def modified(self) -> bool:
        return bool(self.how or self.share or self.lasts or self.negated or self.degree or self.than) or (
            self.subject in ("nobody", "everybody", "cast")
        )

    @property
    def words(self) -> str:
        return f"“{' '.join(self.said)}”"


@dataclass(slots=True)
class Drafts:
    """``boundary``: a word such as "where" or "and" came, so that what follows may be about somebody else."""

    found: list[Draft] = field(default_factory=lambda: [Draft()])
    boundary: str | None = None
    expect_than: bool = False

    @property
    def now(self) -> Draft:
        return self.found[-1]

    def begin(self, noun: Target | None, *, inherit: bool = False) -> Draft:
        """The draft for what comes next: a new one, unless the last is empty still."""
        last = self.now
        if last.empty and last.link is None:
            last.noun = noun
            return last
        draft = Draft(noun=noun)
        if inherit:
            draft.character, draft.subject, draft.after_and = last.character, last.subject, True
        if self.boundary == "or":  # never this or that: never this, and never that
            draft.how, draft.negated, draft.either = last.how, last.negated, True
        self.found.append(draft)
        return draft

    def subject(self, said: str, noun: Target | None, *, character: str | None = None, word: str | None = None) -> None:
        """Somebody is named. Raises Unclear."""
        if self.expect_than:
            if character is None:
                raise Unclear(f"“than {said}”")
            self.expect_than = False
            self.now.than = character
            self.now.said.append(said)
            return
        if self.boundary == "or":
            raise Unclear(f"“or {said}”")
        draft = self.now
        if self.boundary == "and" and draft.emotion is None and (draft.character or draft.subject):
            raise Unclear("more than one character")  # "Tom and Jerry are never angry"
        if draft.empty or (self.boundary is not None and not (draft.link and not draft.emotion)):
            draft = self._open(noun)
            draft.joined = self.boundary == "and" and draft is not self.found[0]
        if draft.character not in (None, character) or draft.subject not in (None, word):
            raise Unclear("more than one character")
        draft.character, draft.subject = character or draft.character, word or draft.subject
        draft.said.append(said)
        self.boundary = None

    def _open(self, noun: Target | None) -> Draft:
        draft = self.now
        if not draft.empty:
            return self.begin(noun)
        draft.noun = draft.noun or noun
        return draft

    def predicate(self, said: str, noun: Target | None) -> Draft:
        """Something is said of the subject: the draft that it belongs to."""
        draft = self.now
        if draft.empty:
            draft.noun = draft.noun or noun
        elif self.boundary is not None and draft.emotion is not None:
            draft = self.begin(draft.noun if self.boundary == "or" else noun, inherit=self.boundary in ("and", "or"))
        self.boundary = None
        draft.said.append(said)
        return draft

    def emotion(self, said: str, emotion: Emotion, noun: Target | None, *, superlative: bool) -> None:
        """Raises Unclear."""
        draft = self.predicate(said, noun)
        if draft.emotion not in (None, emotion):
            raise Unclear("more than one emotion")
        draft.emotion = emotion
        draft.superlative = draft.superlative or superlative

    def how(self, said: str, how: How, noun: Target | None) -> None:
        """Raises Unclear."""
        if how is How.EVER and (self.now.superlative or self.now.how is How.NEVER) and self.boundary is None:
            return  # "happiest ever", "never ever"
        draft = self.predicate(said, noun)
        if draft.how not in (None, how):
            raise Unclear(f"“{draft.how}” together with “{how}”")
        draft.how = how

    def relate(self, said: str, relation: Relation, ms: int | None, noun: Target | None) -> None:
        """Raises Unclear."""
        draft = self.now
        if draft.emotion is None or not (draft.character or draft.subject) or draft.modified or draft.superlative:
            raise Unclear(f"“{said}” without somebody and what they show before it")
        if draft.link is not None:
            raise Unclear(f"a second “{said}”")
        self.found.append(Draft(link=(relation, ms), noun=draft.noun or noun, said=[said]))
        self.boundary = None


@dataclass(frozen=True, slots=True)
class Said:
    """What all drafts say together: what is ranked or looked for, and the conditions."""

    emotion: Emotion | None
    character: str | None
    where: tuple[Condition, ...]


def finish(drafts: Sequence[Draft], target: Target) -> Said:
    """Raises Unclear."""
    plain: list[Draft] = []
    where: list[Condition] = []
    skip = False
    for draft, following in zip(drafts, [*drafts[1:], None], strict=True):
        if skip:
            skip = False
        elif following is not None and following.link is not None:
            where.append(_together(draft, following, target))
            skip = True
        elif draft.modified:
            where.append(_condition(draft, target))
        elif not draft.empty:
            if draft.after_and and draft is not drafts[0]:
                _no_ambiguity(drafts, draft)
            if draft.joined and draft.emotion is None:
                raise Unclear(f"“and {draft.words[1:]}, without saying what they show")
            plain.append(draft)
    emotions = {d.emotion for d in plain if d.emotion is not None}
    characters = {d.character for d in plain if d.character is not None}
    if len(emotions) > 1 or len(characters) > 1:
        raise Unclear("more than one emotion" if len(emotions) > 1 else "more than one character")
    for draft in plain if target in (Target.SCENES, Target.MOMENTS) else []:
        if draft.noun is Target.EPISODES and draft.emotion is not None:
            raise Unclear(f"{draft.words} of whole episodes (say ever, mostly or never)")
    return Said(next(iter(emotions), None), next(iter(characters), None), tuple(where))


def _no_ambiguity(drafts: Sequence[Draft], draft: Draft) -> None:
    """``never angry and sad`` may mean either, neither or only the first."""
    before = drafts[list(drafts).index(draft) - 1]
    if before.modified:
        raise Unclear(f"{draft.words} after “and”, without saying it of each")


def _of(draft: Draft, target: Target) -> Of:
    scenes = target in (Target.SCENES, Target.MOMENTS)
    return Of.RESULT if scenes and draft.noun is not Target.EPISODES else Of.EPISODE


def _together(first: Draft, second: Draft, target: Target) -> Together:
    if second.emotion is None or not (second.character or second.subject) or second.modified or second.superlative:
        raise Unclear(f"{second.words}: it needs somebody and what they show after it")
    assert first.emotion is not None  # relate() has seen to it
    assert second.link is not None
    relation, ms = second.link
    return Together(
        _of(first, target), Atom(first.character, first.emotion), relation, Atom(second.character, second.emotion), ms
    )


def _condition(draft: Draft, target: Target) -> Condition:
    if draft.emotion is None or draft.superlative:
        raise Unclear(draft.words)
    if sum(map(bool, (draft.share, draft.lasts, draft.than))) > 1:
        raise Unclear(f"{draft.words}, which are several conditions in one")
    atom = Atom(draft.character, draft.emotion)
    if draft.than is not None:
        return _more_than(draft, atom, target)
    if draft.degree is not None:
        raise Unclear(f"“{draft.degree}” without “than”")
    how = _how(draft)
    if draft.share is not None:
        if how is not None or draft.subject in ("somebody", "everybody"):
            raise Unclear(draft.words)
        return ShareOf(_of(draft, target), atom, *draft.share)
    if draft.lasts is not None:
        return _lasts(draft, atom, how, target)
    if how is None or draft.subject == "cast":
        raise Unclear(draft.words)
    if draft.subject in {How.NEVER: ("somebody",), How.EVER: ("everybody",), How.ALWAYS: ("somebody",)}[how]:
        raise Unclear(draft.words)
    if _of(draft, target) is Of.RESULT:
        raise Unclear(
            f"“{how}” of scenes: it is about whole episodes (episodes where ..., or scenes in episodes where ...)"
        )
    return Shows(how, atom)


def _how(draft: Draft) -> How | None:
    """Never, also where it is said as "nobody", "nobody ever" or "not at all"."""
    if draft.subject == "nobody" and draft.after_and and draft.how is None and not draft.either:
        raise Unclear(f"{draft.words} after “and”, without saying it of each")
    if draft.negated or draft.subject == "nobody":
        if draft.how not in (None, How.EVER) or (draft.negated and (draft.how is None or draft.subject is not None)):
            raise Unclear(draft.words)
        return How.NEVER
    return draft.how


def _lasts(draft: Draft, atom: Atom, how: How | None, target: Target) -> Lasts:
    assert draft.lasts is not None
    op, ms = draft.lasts
    if op not in _OPPOSITE or how is How.ALWAYS or draft.subject in ("everybody", "cast"):
        raise Unclear(draft.words)
    if how is How.NEVER and draft.subject != "somebody":
        return Lasts(_of(draft, target), atom, _OPPOSITE[op], ms)
    if how is How.NEVER:
        raise Unclear(draft.words)
    return Lasts(_of(draft, target), atom, op, ms)


def _more_than(draft: Draft, atom: Atom, target: Target) -> MoreThan:
    if draft.how or draft.negated or draft.share or draft.lasts or atom.character is None:
        raise Unclear(draft.words)
    assert draft.than is not None
    if draft.degree == "less":
        return MoreThan(_of(draft, target), Atom(draft.than, atom.emotion), atom.character)
    return MoreThan(_of(draft, target), atom, draft.than)
