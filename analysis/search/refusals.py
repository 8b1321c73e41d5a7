"""Why a question is not answered: a stable code, a sentence, and what may have been meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.search.lexicon import Named, Registry, meaning_of

LEAST_WORD = 4  # letters of a word of a name that may be meant alone


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is stable; ``nearest``: slugs that may have been meant."""

    code: str
    message: str
    words: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()


class Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def nobody_called(said: str, registry: Registry) -> Refusal:
    nearest = nearest_names(said, registry.characters)
    names = [c.name for slug in nearest if (c := registry.character(slug)) is not None]
    offer = f" The nearest {'is' if len(names) == 1 else 'are'} {', '.join(names)}." if names else ""
    message = f"I know no character and no emotion called “{said}”.{offer}"
    return Refusal("unknown_character", message, (said,), nearest)


def no_series_called(said: str, registry: Registry) -> Refusal:
    return Refusal(
        "unknown_series", f"There is no series called “{said}”.", (said,), nearest_names(said, registry.series)
    )


def not_understood(what: str, *words: str) -> Refusal:
    message = f"Search does not understand {what}. Leave it out, or say it in another way."
    return Refusal("not_understood", message, words)


def no_length(said: str) -> Refusal:
    message = (
        f"Search cannot read the length “{said}”; write one like 90 seconds, 1.5 minutes or 1 hour 20 minutes, "
        "from 1 ms to 24 hours."
    )
    return Refusal("not_understood", message, (said,))


def no_share(said: str) -> Refusal:
    message = f"Search cannot read the share “{said}”; write a whole percent from 0 to 100 that can be met, like 20 %."
    return Refusal("not_understood", message, (said,))


def length_alone(said: str) -> Refusal:
    message = f"Say how long “{said}” is meant: under {said}, over {said}, at least {said} or at most {said}."
    return Refusal("not_understood", message, (said,))


def too_much(said: str) -> Refusal:
    message = (
        f"How much is “{said}” is for you to say: ask with a number, like “scared at most 5 %”, or with “never”, or "
        "set limits."
    )
    return Refusal("not_understood", message, (said,))


def nothing_understood(unused: tuple[str, ...]) -> Refusal:
    for said in unused:
        if (meaning_of(said.casefold()) or ("",))[0] == "audience":
            message = (
                f"Search cannot say what is right for “{said}”. Say what nobody may show, like “episodes where nobody "
                "is scared”, or set limits."
            )
            return Refusal("nothing_understood", message)
    rest = f" I could not use {', '.join(f'“{w}”' for w in unused)}." if unused else ""
    return Refusal("nothing_understood", f"Say which emotion or which character you are looking for.{rest}")


def nearest_names(said: str, known: tuple[Named, ...], most: int = 3) -> tuple[str, ...]:
    """Slugs, the likeliest first, of names (or their longer words) that are few letters away; the order is total."""
    typed = said.casefold()
    found = []
    for entry in known:
        names = [n.casefold() for n in (entry.name, *entry.aliases)]
        names += [word for n in names for word in n.split() if len(word) >= LEAST_WORD]
        away = [
            d
            for n in names
            if abs(len(typed) - len(n)) <= (most_apart := _most_apart(max(len(typed), len(n))))
            and (d := letters_apart(typed, n)) <= most_apart
        ]
        if away:
            found.append((min(away), entry.slug))
    return tuple(slug for _, slug in sorted(found)[:most])


def _most_apart(letters: int) -> int:
    return 1 if letters < 5 else 2 if letters < 8 else 3


def letters_apart(a: str, b: str) -> int:
    """Letters to add, leave out or change to make one of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]
