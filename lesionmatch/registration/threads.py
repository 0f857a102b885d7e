"""Steps that do not wait for each other, run beside each other.

numpy, scipy and ITK let go of the interpreter while they compute, so two threads keep two cores
busy. Each step has to draw its random numbers from a generator of its own and write nothing that
another reads: then who is first changes nothing.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 2
"""As many as the cores a study is promised to be quick on."""

Given = TypeVar("Given")
Made = TypeVar("Made")
Other = TypeVar("Other")


def beside(step: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """What `step` makes of each of `given`, in their order."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(step, given))


def both(first: Callable[[], Made], second: Callable[[], Other]) -> tuple[Made, Other]:
    """What two steps make."""
    with ThreadPoolExecutor(THREADS) as threads:
        made, other = threads.submit(first), threads.submit(second)
        return made.result(), other.result()
