"""A liver MRI study from its files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lesionmatch.dicom.drawn.segmentations import Drawn, Scene, read_lesions
from lesionmatch.dicom.hbp_signal import weighed
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pixels.volume import rescale, volume
from lesionmatch.dicom.series.agreement import (
    PIXELS,
    require_agreement,
    require_sane_intercepts,
    require_sane_slopes,
)
from lesionmatch.dicom.series.asked import asked_for, instead, require_dicom
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.patient import identity, of_one_patient, same_patient_note
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.series.whole import require_whole
from lesionmatch.dicom.study import MriStudy, PetStudy
from lesionmatch.errors import AmbiguousSeries, NothingFound
from lesionmatch.geometry import Frame
from lesionmatch.image import Image, Mask, Quantity

SHOWN_CANDIDATES = 4


def read_mri_study(
    paths: Sequence[Path], options: ReadOptions | None = None, *, pet: PetStudy | None = None
) -> MriStudy:
    """The hepatobiliary phase and the segments of `paths`.

    With `pet`, what was drawn on the PET/CT is accepted too, in the PET's frame, and both
    must be of one patient. Raises `NothingFound` without DICOM, without such a series or
    without any segmentation, `AmbiguousSeries` where a person must choose.
    """
    options = options or ReadOptions()
    inventory = scan(paths, options.protocol)
    require_dicom(inventory, paths)
    inventory, chosen, notes = _the_hbp(inventory, options)
    who = identity(chosen.header)
    if pet is not None:
        note = same_patient_note(pet.identity, who, different_ids=options.different_ids)
        notes = (*notes, note) if note else notes
    hbp, drawn = _with_drawn(read_signal(chosen, options), inventory, pet, options)
    return MriStudy(
        hbp=hbp,
        segments=drawn.segments,
        assumptions=(*inventory.broken, *notes, *drawn.assumptions),
        hbp_series=chosen,
        drawn=drawn,
        inventory=inventory,
        identity=who,
    )


def _the_hbp(
    inventory: Inventory, options: ReadOptions
) -> tuple[Inventory, SeriesRecord, tuple[str, ...]]:
    """The files of one patient, the hepatobiliary series to use, and what was assumed."""
    inventory, strangers = of_one_patient(inventory, options.mri_series)
    if options.mri_series is None:
        inventory = weighed(inventory, options)
    chosen = choose_hbp(inventory, options)
    gaps = require_whole(chosen, inventory, with_drawn=options.lesions is None)
    return inventory, chosen, (*strangers, *gaps)


def _with_drawn(
    hbp: Image, inventory: Inventory, pet: PetStudy | None, options: ReadOptions
) -> tuple[Image, Drawn]:
    """The image, and what was drawn on it or, with `pet`, on the PET/CT."""
    # Where something was drawn cannot be told by a frame of reference that both have.
    is_shared = pet is not None and pet.frame == hbp.frame
    beside = None if is_shared else pet
    scene = Scene(
        reference=hbp.grid,
        inventories=(inventory,) if beside is None else (inventory, beside.inventory),
        frames=(hbp.frame,) if beside is None else (hbp.frame, beside.frame),
        protocol=options.protocol,
    )
    drawn = read_lesions(inventory, scene, options)
    return _in_own_frame(hbp, drawn) if is_shared else (hbp, drawn)


def _in_own_frame(hbp: Image, drawn: Drawn) -> tuple[Image, Drawn]:
    """The image and all that was drawn in a frame that is not the PET's, and a note on it.

    Two studies name one frame of reference where one scanner made both at once, or where it
    was taken out or made the same by de-identification. The patient has breathed or moved in
    between, if it is the same place at all, so each has its own and they are registered.
    """
    frame = Frame(f"MRI {hbp.frame}".rstrip())
    segments = tuple(
        replace(one, mask=Mask(replace(one.mask.grid, frame=frame), one.mask.array))
        for one in drawn.segments
    )
    note = (
        f"PET and MRI name {'the same' if hbp.frame else 'no'} frame of reference; they were taken "
        "to lie apart, and what was drawn was taken to lie on the MRI"
    )
    own = replace(drawn, segments=segments, assumptions=(note, *drawn.assumptions))
    return Image(replace(hbp.grid, frame=frame), hbp.array, hbp.quantity), own


def choose_hbp(inventory: Inventory, options: ReadOptions) -> SeriesRecord:
    """The hepatobiliary phase: the series with most points, if it has enough of them and clearly
    more than the next. Raises `NothingFound` or `AmbiguousSeries` with the candidates."""
    series = inventory.of_modality("MR")
    if options.mri_series:
        return asked_for(series, options.mri_series, "--mri-series")
    if not series:
        raise NothingFound(
            f"MRI: wanted an MR series, got {instead(inventory)}; name the folder of the liver MRI"
        )
    rules = options.protocol.series
    ranked = sorted(
        (record for record in series if record.score is not None),
        key=lambda record: (-(record.score or 0.0), record.key),
    )
    if not ranked or (ranked[0].score or 0.0) < rules.hbp_least_score:
        raise NothingFound(
            f"MRI: wanted a series in the hepatobiliary phase, got none with "
            f"{rules.hbp_least_score:g} points or more ({candidates(ranked)}); "
            "see lesionmatch inspect, and give --mri-series"
        )
    if len(ranked) > 1 and (ranked[0].score or 0) - (ranked[1].score or 0) < rules.hbp_margin:
        raise AmbiguousSeries(
            f"MRI: wanted one series in the hepatobiliary phase, got several as likely "
            f"({candidates(ranked)}); see lesionmatch inspect, and give --mri-series"
        )
    return ranked[0]


def candidates(ranked: Sequence[SeriesRecord]) -> str:
    """The likeliest series with their points, for a message."""
    shown = [f"{record.key}: {record.score:g}" for record in ranked[:SHOWN_CANDIDATES]]
    return ", ".join(shown) or "no MR volume at all"


def read_signal(record: SeriesRecord, options: ReadOptions) -> Image:
    """The signal of an MR series. Raises `InvalidInput`."""
    stack = record.usable_stack()
    headers = [plane.header for plane in stack.planes]
    require_agreement(headers, PIXELS, record.what)
    require_sane_slopes(headers, record.what)
    require_sane_intercepts(headers, record.what)
    array = volume(stack, rescale, options.protocol.input, record.what)
    return Image(stack.grid, array, Quantity.ARBITRARY)
