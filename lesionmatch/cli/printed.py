"""What `inspect` and `suv` print for a person: lines of text, as narrow as they can be.

Printed are UIDs, numbers and our own words; descriptions of headers with ``phi`` alone.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from lesionmatch.dicom.drawn.segmentations import DrawnFile
from lesionmatch.dicom.inspection import Inspection
from lesionmatch.dicom.series.records import SeriesRecord
from lesionmatch.dicom.suv.facts import SuvFacts
from lesionmatch.dicom.suv_study import SuvMap
from lesionmatch.segments import Kind, Segment
from lesionmatch.wording import number_of

WIDTH = 100
UNITS = {"BQML": "Bq/ml", "CNTS": "count", "GML": "g/ml", "CM2ML": "cm2/ml"}
DECAY = {
    "START": "corrected for decay to the start of imaging",
    "ADMIN": "corrected for decay to the injection",
    "NONE": "not corrected for decay",
}


def inspection_page(found: Inspection, *, phi: bool = False) -> str:
    """Everything found: a table of the series, what would be taken, and why."""
    inventory = found.inventory
    studies = {record.study_uid for record in inventory.series}
    heading = (
        f"{number_of(inventory.files, 'file')}: {len(inventory.series)} series in "
        f"{number_of(len(studies), 'study')}"
    )
    parts = [
        [heading],
        _lines("warning: ", found.warnings),
        *_studies(found, phi=phi),
        _taken(found),
        _suv_of_each(found),
        _drawn(found),
        _why(inventory.series),
        _passed_over(found),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def suv_page(made: SuvMap, *, out: str | None, phi: bool = False) -> str:
    """How an SUV map came about, and where it was written."""
    grid, values = made.image.grid, made.values
    rows = [*_facts(made.facts), *_reconstructed(made)]
    if made.size.value != "BW":
        unit = "cm2" if made.size.value == "BSA" else "kg"
        rows.append(("body size", f"{made.size_value:.4g} {unit}, {made.size.says}"))
    rows += [
        ("map", f"{_by(grid.shape)} voxels of {_by(grid.spacing_mm, '.2f')} mm"),
        ("values", f"{values['least']:.3g} to {values['most']:.4g} {made.size.unit}"),
    ]
    if values["negative_voxels"]:
        rows.append(("negative", f"{values['negative_voxels']} voxels, kept as they are"))
    parts = [
        [f"SUV by {made.size.says}, of series {made.used.key}", *_pairs(rows)],
        _references(made.facts),
        _lines("assumed: ", made.assumptions),
        _others(made, phi=phi),
        [f"written to {out}" if out else "not written; give -o FILE.nii.gz"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _by(values: Iterable[float], form: str = "") -> str:
    return " x ".join(format(value, form) for value in values)


def _lines(label: str, texts: Iterable[str], indent: str = "") -> list[str]:
    """Each text after a label, wrapped under itself."""
    hang = indent + " " * len(label)
    return [
        line
        for said in texts
        for line in textwrap.wrap(
            said,
            WIDTH,
            initial_indent=indent + label,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows) + 2
    return [line for name, value in rows for line in _lines(name.ljust(width), [value], "  ")]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, each column as wide as its longest cell."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [heads, tuple("-" * width for width in widths), *rows]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _studies(found: Inspection, *, phi: bool) -> list[list[str]]:
    """A table of the series of each study, in the order of their numbers."""
    by_study: dict[str, list[SeriesRecord]] = {}
    for record in found.inventory.series:
        by_study.setdefault(record.study_uid, []).append(record)
    heads = ["no.", "kind", "taken for", "use", "files", "size", "voxel mm", "series UID"]
    heads += ["description"] if phi else []
    parts = []
    for uid, records in by_study.items():
        rows = [_row(r, found.uses.get(r.key), phi=phi) for r in sorted(records, key=_order)]
        parts.append([f"study {uid}", *table(heads, rows)])
    return parts


def _order(record: SeriesRecord) -> tuple[bool, int, str, int]:
    number = record.number
    return (number is None, number or 0, record.uid, record.part)


def _row(record: SeriesRecord, use: str | None, *, phi: bool) -> tuple[str, ...]:
    grid = record.stack.grid if record.stack else None
    if use is not None:
        use = f"taken as {use}"
    elif record.set_aside:
        use = "set aside"
    else:
        use = "drawing" if record.role in ("SEG", "RTSTRUCT") else "not taken"
    description = (record.description,) if phi else ()
    return (
        _number(record),
        record.modality,
        record.role if record.score is None else f"{record.role}, {_points(record.score)}",
        use,
        str(record.files),
        _by(grid.shape) if grid else "",
        _by(grid.spacing_mm, ".2f") if grid else "",
        record.key,
        *description,
    )


def _number(record: SeriesRecord) -> str:
    number = "?" if record.number is None else str(record.number)
    return f"{number}#{record.part}" if record.part else number


def _names(series: Sequence[SeriesRecord]) -> dict[str, str]:
    """What the rest of the page calls series, by their keys: kind and number, such as ``MR 20``,
    with the end of the UID where that is not one series alone."""
    plain = {record.key: f"{record.modality} {_number(record)}" for record in series}
    taken = Counter(plain.values())
    return {
        record.key: plain[record.key]
        if taken[plain[record.key]] == 1
        else f"{plain[record.key]} (..{record.uid[-6:]})"
        for record in series
    }


def _points(score: float) -> str:
    return f"{score:g} point{'' if score == 1 else 's'}"


def _taken(found: Inspection) -> list[str]:
    """What a comparison would take, or why it would refuse."""
    names = _names(found.inventory.series)
    rows = []
    for name, choice in (("PET", found.pet), ("CT", found.ct), ("HBP", found.mri)):
        if choice is None:
            continue
        if choice.refusal:
            rows.append((name, choice.refusal))
        elif choice.chosen is not None:
            points = "" if choice.chosen.score is None else f" with {_points(choice.chosen.score)}"
            rows.append((name, f"series {names[choice.chosen.key]}{points}"))
        rows += [(name, note) for note in choice.notes]
    return ["a comparison would take", *_pairs(rows)] if rows else []


def _suv_of_each(found: Inspection) -> list[str]:
    names = _names(found.inventory.series)
    lines = ["SUV"] if found.suv else []
    for one in found.suv:
        name = f"{names[one.record.key]}: "
        if one.scale is None:
            lines += _lines(name, [f"none; {one.refusal}"], "  ")
        else:
            lines += _lines(name, [_in_short(one.scale.facts)], "  ")
            lines += _lines("assumed: ", one.scale.assumptions, "    ")
    return lines


def _in_short(facts: SuvFacts) -> str:
    parts = [
        f"SUV {_factor(facts)} for 1 {UNITS.get(facts.units, facts.units)}",
        None if facts.weight_kg is None else f"{facts.weight_kg:g} kg",
        None if facts.dose_mbq is None else f"{facts.dose_mbq:g} MBq {facts.nuclide or ''}".strip(),
        None if facts.uptake_min is None else f"imaged {facts.uptake_min:.0f} min after injection",
        f"by {facts.reference}",
    ]
    return ", ".join(part for part in parts if part)


def _factor(facts: SuvFacts) -> str:
    if facts.most_factor - facts.least_factor < 1e-6 * facts.most_factor:
        return f"{facts.most_factor:.6g}"
    return f"{facts.least_factor:.6g} to {facts.most_factor:.6g}"


def _facts(facts: SuvFacts) -> list[tuple[str, str]]:
    rows = [("units", f"{facts.units}, {DECAY.get(facts.decay_correction, 'decay not stated')}")]
    if facts.weight_kg is not None:
        rows.append(("weight", f"{facts.weight_kg:g} kg"))
    if facts.dose_mbq is not None:
        rows.append(("dose", f"{facts.dose_mbq:g} MBq ({facts.dose_from})"))
    if facts.half_life_s is not None:
        rows.append(
            ("half-life", f"{facts.half_life_s:g} s ({facts.nuclide or 'nuclide unknown'})")
        )
    if facts.uptake_min is not None:
        rows.append(
            ("injection", f"{facts.uptake_min:.1f} min before imaging ({facts.injected_from})")
        )
    rows.append(
        ("factor", f"SUV by weight is {_factor(facts)} for 1 {UNITS.get(facts.units, facts.units)}")
    )
    return rows


def _reconstructed(made: SuvMap) -> list[tuple[str, str]]:
    how = made.reconstruction
    said = [
        how.method,
        "" if how.filter_fwhm_mm is None else f"filter of {how.filter_fwhm_mm:g} mm",
        "resolution modelled" if how.has_psf else "",
    ]
    return [("reconstruction", ", ".join(filter(None, said)))] if any(said) else []


def _references(facts: SuvFacts) -> list[str]:
    """Every time the image may be decay-corrected to, with the SUV it would make of the same."""
    if not facts.references_s:
        return [f"reference: {facts.reference}"]
    used = facts.references_s[facts.reference]
    rows = []
    for name, seconds in facts.references_s.items():
        times = 2.0 ** ((seconds - used) / facts.half_life_s) if facts.half_life_s else 1.0
        mark = "used" if name == facts.reference else ""
        rows.append((name, f"{seconds / 60.0:.2f}", f"{100.0 * (times - 1.0):+.1f} %", mark))
    return table(("time of decay correction", "min after injection", "SUV", ""), rows)


def _others(made: SuvMap, *, phi: bool) -> list[str]:
    """The other PET series, where there are any."""
    others = [one for one in made.series if one.record is not made.used]
    if not others:
        return []
    lines = ["other PET series"]
    for one in others:
        said = f"none; {one.refusal}" if one.scale is None else _in_short(one.scale.facts)
        name = f" ({one.record.description})" if phi and one.record.description else ""
        lines += _lines("", [f"{one.record.key}{name}"], "  ") + _lines("SUV: ", [said], "    ")
    return lines


def _drawn(found: Inspection) -> list[str]:
    """What is drawn in every file, and what could not be read."""
    rows, notes = [], []
    names = _names(found.inventory.series)
    for file in found.drawn:
        name = names.get(file.series or "", file.form)
        rows += [_segment_row(name, one, found.drawn_on(one), file) for one in file.segments]
        notes += [f"{name}: {note}" for note in file.notes]
        notes += [f"{name} cannot be used: {file.refusal}"] if file.refusal else []
    heads = ("drawn in", "segment", "label", "depicts", "volume ml", "drawn on")
    lines = [*table(heads, rows)] if rows else []
    return [*lines, *_lines("note: ", notes)]


def _segment_row(name: str, segment: Segment, on: str, file: DrawnFile) -> tuple[str, ...]:
    kind = "lesion: " if isinstance(segment.meaning, Kind) else ""
    return (
        name,
        segment.source.removeprefix(f"{file.form} ").removeprefix("segment ").removeprefix("ROI "),
        segment.label,
        f"{kind}{segment.meaning.value}".replace("_", " "),
        f"{segment.mask.volume_ml:.3f}",
        on,
    )


def _why(series: Sequence[SeriesRecord]) -> list[str]:
    """The evidence for and against each series."""
    lines, names = [], _names(series)
    for record in sorted(series, key=_order):
        said = _lines("set aside: ", [record.set_aside] if record.set_aside else [], "    ")
        for label, sign in (("for: ", "(+"), ("against: ", "(-"), ("", None)):
            told = [e for e in record.evidence if _sign(e) == sign and e not in BARE]
            said += _lines(label, ["; ".join(told)] if told else [], "    ")
        if said:
            points = "" if record.score is None else f", {_points(record.score)}"
            lines += [f"  {names[record.key]}: {record.role}{points}", *said]
    return ["why", *lines] if lines else []


BARE = frozenset({"SOP class", "corrected for attenuation", "not corrected for attenuation"})
"""Evidence that says no more than the role itself."""


def _sign(evidence: str) -> str | None:
    return next((sign for sign in ("(+", "(-") if sign in evidence.rsplit(" ", 1)[-1]), None)


def _passed_over(found: Inspection) -> list[str]:
    inventory = found.inventory
    lines = [f"  {number_of(count, 'file')}: {why}" for why, count in inventory.skipped.items()]
    return ["passed over", *lines] if lines else []
