"""Lesions that are drawn more than once, of which one is kept.

Readers save their work anew, and tools write a segment of all lesions beside the single ones.
"""

from collections.abc import Sequence

import numpy as np

from lesionmatch.dicom.drawn.content import FromFile
from lesionmatch.segments import Kind, Segment
from lesionmatch.wording import enumerated


def drawn_once(files: Sequence[FromFile], same: float) -> tuple[tuple[Segment, ...], list[str]]:
    """The segments of all files without lesions that are drawn more than once, and notes on these.

    A lesion goes of which at least the share `same` is drawn in an earlier file too, or by smaller
    lesions of its own.
    """
    kept: list[Segment] = []
    again: list[str] = []
    sums: list[str] = []
    for file in files:
        earlier = [segment for segment in kept if isinstance(segment.meaning, Kind)]
        own = [
            s
            for s in file.segments
            if isinstance(s.meaning, Kind) and _share_drawn(s, earlier) < same
        ]
        single = _without_sums(own, same)
        for segment in file.segments:
            if not isinstance(segment.meaning, Kind) or segment in single:
                kept.append(segment)
            else:
                (sums if segment in own else again).append(segment.source)
    return tuple(kept), [
        *_said_of(again, "drawn in an earlier file too"),
        *_said_of(sums, "drawn by other segments of the same file too"),
    ]


def _said_of(sources: Sequence[str], how: str) -> list[str]:
    verbs = ("is", "was") if len(sources) == 1 else ("are", "were")
    said = f"{enumerated(sources)} {verbs[0]} {how} and {verbs[1]} left out"
    return [said] if sources else []


def _without_sums(lesions: Sequence[Segment], same: float) -> list[Segment]:
    """The lesions of a file without those that smaller ones make up together, as a segment of all
    lesions, or of another reader's; what lies in a larger one is a lesion of its own."""
    numbered = sorted(enumerate(lesions), key=lambda pair: (-pair[1].mask.volume_ml, -pair[0]))
    ordered = [segment for _, segment in numbered]
    sums = [one for n, one in enumerate(ordered) if _share_drawn(one, ordered[n + 1 :]) >= same]
    return [segment for segment in lesions if segment not in sums]


def _share_drawn(segment: Segment, others: Sequence[Segment]) -> float:
    """The share of a segment that others have too."""
    points = segment.mask.points_mm()
    inside = np.zeros(len(points), np.bool_)
    for other in others:
        if other.mask.frame == segment.mask.frame:
            inside |= other.mask.holds(points)
    return float(inside.mean())
