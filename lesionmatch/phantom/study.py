"""A simulated study: images, outlines, and everything that is true of them."""

from dataclasses import dataclass

from lesionmatch.errors import InvalidOption
from lesionmatch.image import Image, Mask
from lesionmatch.phantom import analytic, scanners
from lesionmatch.phantom.body import Body
from lesionmatch.phantom.placing import Placed, place_lesions, place_spots
from lesionmatch.phantom.recipe import Anatomy, Recipe
from lesionmatch.phantom.setup import Scene, scene
from lesionmatch.phantom.tissues import Tissues, tissues
from lesionmatch.phantom.truth import Truth, describe
from lesionmatch.segments import Kind, Segment


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedStudy:
    """One patient's SSR-PET/CT and hepatobiliary MRI with their truth."""

    recipe: Recipe
    suv: Image
    ct: Image
    hbp: Image
    liver: Mask
    """On the HBP grid; vessels and lesions belong to it."""
    liver_on_pet: Mask
    """Where the liver lies on the PET."""
    segments: tuple[Segment, ...]
    """The lesions the MRI covers, as a reader would outline them."""
    truth: Truth
    body: Body
    scene: Scene
    tissues: Tissues


def anatomy(recipe: Recipe) -> Body:
    """The body a recipe asks for."""
    if recipe.anatomy is Anatomy.ANALYTIC:
        return analytic.body(recipe)
    raise InvalidOption("anatomy: wanted analytic, got patient; not available")


def simulate(recipe: Recipe) -> SimulatedStudy:
    """Images and truth of a recipe; the same recipe gives the same voxels."""
    body = anatomy(recipe)
    values = tissues(recipe)
    placed = place_lesions(body, recipe)
    spots = place_spots(body, recipe, placed)
    view = scene(recipe, body)
    ct = scanners.ct_image(recipe, body, values, placed, view.ct_grid, view.ct_pose)
    pet = scanners.pet_image(recipe, body, values, (*placed, *spots), view.pet_grid, view.pet_pose)
    hbp = scanners.hbp_image(recipe, body, values, placed, view.hbp_grid, view.mri_pose)
    return SimulatedStudy(
        recipe=recipe,
        suv=pet.suv,
        ct=ct,
        hbp=hbp.image,
        liver=hbp.liver,
        liver_on_pet=Mask(view.pet_grid, pet.liver_share >= 0.5),
        segments=_segments(placed, hbp.lesions),
        truth=describe(recipe, body, view, values, placed, spots, hbp),
        body=body,
        scene=view,
        tissues=values,
    )


LABELS = {
    Kind.METASTASIS: "Metastasis",
    Kind.HAEMANGIOMA: "Haemangioma",
    Kind.CYST: "Cyst",
    Kind.OTHER_BENIGN: "FNH",
    Kind.UNSPECIFIED: "Lesion",
}


def _segments(placed: tuple[Placed, ...], masks: tuple[Mask | None, ...]) -> tuple[Segment, ...]:
    drawn = [(p, m) for p, m in zip(placed, masks, strict=True) if m is not None]
    return tuple(
        Segment(f"{LABELS[p.recipe.kind]} {n}", p.recipe.kind, mask, f"phantom lesion {n}")
        for n, (p, mask) in enumerate(drawn, 1)
    )
