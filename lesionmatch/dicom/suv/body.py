"""The patient's weight, height and sex, made believable or refused.

Nothing is repaired in silence: what is taken other than as it stands is an assumption.
"""

from pydicom.dataset import Dataset

from lesionmatch.dicom.files.values import number, text
from lesionmatch.dicom.options import Override, ReadOptions
from lesionmatch.dicom.suv.said import Said, lenient
from lesionmatch.errors import InvalidInput, MissingAttribute
from lesionmatch.suv import Body


def body_of(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> Body:
    """The patient's body. Raises `InvalidInput` without a weight that can be believed."""
    weight_kg = _weight_kg(dataset, options, said, what)
    height_m = _height_m(dataset, options, said, what)
    return Body(weight_kg, height_m, _sex(dataset, options, said))


def _height_m(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> float | None:
    rules = options.protocol.suv
    height = lenient(dataset, "PatientSize")
    is_cm = height is not None and height > rules.centimetres_from
    if height is not None and is_cm:
        height /= 100.0
    if height is not None and not rules.least_height_m <= height <= rules.most_height_m:
        height = None
    if options.height_m is not None:
        if not rules.least_height_m <= options.height_m <= rules.most_height_m:
            raise InvalidInput(
                f"{what}: wanted a height of {rules.least_height_m:g} to "
                f"{rules.most_height_m:g} m, got {options.height_m:g}; give --height-m in metres"
            )
        said.given("patient's height", Override("--height-m", "m", options.height_m, height))
        return options.height_m
    if is_cm and height is not None:
        said.notes.append(
            f"PatientSize is above {rules.centimetres_from:g} and was taken as centimetres"
        )
    return height


def _sex(dataset: Dataset, options: ReadOptions, said: Said) -> str:
    stored = text(dataset, "PatientSex").upper()
    if options.sex is None:
        return stored
    said.given("patient's sex", Override("--sex", "", options.sex, stored or None))
    return options.sex


def _weight_kg(dataset: Dataset, options: ReadOptions, said: Said, what: str) -> float:
    rules = options.protocol.suv
    if options.weight_kg is not None:
        stored = lenient(dataset, "PatientWeight")
        said.given("patient's weight", Override("--weight-kg", "kg", options.weight_kg, stored))
        weight = options.weight_kg
    else:
        found = number(dataset, "PatientWeight")
        if found is None:
            raise MissingAttribute(
                f"{what}: wanted PatientWeight for SUV, got nothing; give --weight-kg"
            )
        weight = found
        if weight > rules.grams_from:
            weight /= 1000.0
            said.notes.append(f"PatientWeight is above {rules.grams_from:g} and was taken as grams")
    if not rules.least_weight_kg <= weight <= rules.most_weight_kg:
        raise InvalidInput(
            f"{what}: wanted a weight of {rules.least_weight_kg:g} to {rules.most_weight_kg:g} kg, "
            f"got {weight:g}; give --weight-kg"
        )
    return weight
