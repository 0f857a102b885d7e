"""What the head of a compressed frame says of itself: its size, and whether anything was lost.

A transfer syntax such as JPEG 2000 (.91) or JPEG-LS near-lossless (.81) allows loss without
saying whether there was any; the codestream does. Sizes are checked before a decoder sees the
frame, because a decoder takes as much memory as the codestream asks for.

Markers: ITU-T T.81 annexes B and H (JPEG), T.87 annex C (JPEG-LS), T.800 annex A (JPEG 2000).
"""

from dataclasses import dataclass

START_OF_IMAGE = b"\xff\xd8"
START_OF_CODESTREAM = b"\xff\x4f"
JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
SIZE, CODING_STYLE, COMPONENT_STYLE, START_OF_TILE = 0x51, 0x52, 0x53, 0x90
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
LOSSLESS_HUFFMAN, JPEG_LS, START_OF_SCAN = 0xC3, 0xF7, 0xDA
REVERSIBLE_WAVELET = 1
MOST_MARKERS = 1000


@dataclass(frozen=True, slots=True)
class Codestream:
    """A compressed frame by its own head."""

    rows: int
    columns: int
    components: int
    bits: int
    is_lossless: bool
    """Whether nothing was lost that this codestream could have kept."""


def codestream_of(data: bytes) -> Codestream:
    """The head of a JPEG, JPEG-LS or JPEG 2000 frame. Raises `ValueError` where it has none."""
    if data[:2] == START_OF_IMAGE:
        return _jpeg(data)
    at = data.find(START_OF_CODESTREAM + b"\xff\x51") if data[:8] == JP2_SIGNATURE else 0
    if at >= 0 and data[at : at + 2] == START_OF_CODESTREAM:
        return _jpeg_2000(data, at)
    raise ValueError("no codestream")


def _segments(data: bytes, at: int) -> list[tuple[int, bytes]]:
    """Markers with what they hold, up to the one after which the coded data begins."""
    found: list[tuple[int, bytes]] = []
    while len(found) < MOST_MARKERS:
        while data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF:
            raise ValueError("a codestream without its head")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        held = data[at + 4 : at + 2 + length]
        if length < 2 or len(held) != length - 2:
            raise ValueError("a codestream that is cut short")
        found.append((marker, held))
        if marker in (START_OF_SCAN, START_OF_TILE):
            return found
        at += 2 + length
    raise ValueError("a codestream of too many markers")


def _jpeg(data: bytes) -> Codestream:
    segments = _segments(data, 2)
    kind, frame = next(((m, held) for m, held in segments if m in FRAME_MARKERS), (0, b""))
    scan = segments[-1][1]
    if len(frame) < 6 or len(scan) < 4:
        raise ValueError("a JPEG frame without its head")
    first, second = scan[-3], scan[-1] & 0x0F
    # The first is the predictor in JPEG, and how far a pixel may be off in JPEG-LS; the second
    # is how many bits were shifted out before coding.
    is_lossless = second == 0 and (kind == LOSSLESS_HUFFMAN or (kind == JPEG_LS and first == 0))
    return Codestream(
        rows=int.from_bytes(frame[1:3], "big"),
        columns=int.from_bytes(frame[3:5], "big"),
        components=frame[5],
        bits=frame[0],
        is_lossless=is_lossless,
    )


def _jpeg_2000(data: bytes, at: int) -> Codestream:
    segments = _segments(data, at + 2)
    size = next((held for marker, held in segments if marker == SIZE), b"")
    styles = [held[9:10] for marker, held in segments if marker == CODING_STYLE]
    # A component's own style has a shorter head: index (1 byte below 257 components), style.
    styles += [held[6:7] for marker, held in segments if marker == COMPONENT_STYLE]
    if len(size) < 37 or not styles:
        raise ValueError("a JPEG 2000 frame without its head")
    right, bottom, left, top = (int.from_bytes(size[n : n + 4], "big") for n in (2, 6, 10, 14))
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        components=int.from_bytes(size[34:36], "big"),
        bits=(size[36] & 0x7F) + 1,
        is_lossless=all(style == bytes([REVERSIBLE_WAVELET]) for style in styles),
    )
