"""Sentences that count: one of a thing or several, and many alike said once."""

from collections import Counter
from collections.abc import Iterable, Sequence

IRREGULAR = {"focus": "foci", "metastasis": "metastases", "study": "studies"}


def number_of(n: int, noun: str) -> str:
    """How many, in figures, with the noun in its number.

    >>> number_of(1, "lesion"), number_of(2, "PET study"), number_of(1200, "focus")
    ('1 lesion', '2 PET studies', '1,200 foci')
    """
    return f"{n:,} {noun if n == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Several of a thing, by the last word of its name.

    >>> plural("PET study"), plural("pair")
    ('PET studies', 'pairs')
    """
    before, space, last = noun.rpartition(" ")
    return f"{before}{space}{IRREGULAR.get(last, f'{last}s')}"


def was_or_were(n: int) -> str:
    """The verb that goes with so many.

    >>> was_or_were(1), was_or_were(2)
    ('was', 'were')
    """
    return "was" if n == 1 else "were"


def enumerated(names: Sequence[str]) -> str:
    """Names in a row.

    >>> enumerated(["1"]), enumerated(["1", "2"]), enumerated(["1", "2", "5"])
    ('1', '1 and 2', '1, 2 and 5')
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def begun(text: str) -> str:
    """A text as a sentence begins; what is in capitals further on stays so.

    >>> begun("seen by PET alone"), begun("")
    ('Seen by PET alone', '')
    """
    return text[:1].upper() + text[1:]


def plain(word: str) -> str:
    """A term as the tables write it, however a person does.

    >>> plain("Not involved"), plain("near-vessel")
    ('not_involved', 'near_vessel')
    """
    return word.lower().replace(" ", "_").replace("-", "_")


def said_once(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes in their order; those that say the same are one, with how often it holds.

    >>> said_once(["a file is empty", "no CT was found", "a file is empty"])
    ('a file is empty (2 times)', 'no CT was found')
    """
    return tuple(f"{note} ({n} times)" if n > 1 else note for note, n in Counter(notes).items())
