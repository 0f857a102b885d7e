"""A simulated study: images, outlines, and everything that is true of them."""

from dataclasses import dataclass

import numpy as np

from lesionmatch.image import Image, Mask
from lesionmatch.phantom import analytic, patient, render, scanners
from lesionmatch.phantom.body import LARGE_RADIUS_MM, Body, Tissue
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
    mri_body: Body
    """The same, but for stomach and bowel where those differ at the MRI's visit."""
    scene: Scene
    tissues: Tissues


def vessels_on_mri(study: SimulatedStudy) -> Mask:
    """Large veins (portal, hepatic, cava) on the HBP grid, at least half a voxel filled."""
    veins = study.body.trees(Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CAVA)
    large = [vein for vein in veins if vein.stop_radius_mm >= LARGE_RADIUS_MM]
    array = np.zeros(study.hbp.grid.shape, bool)
    for part, view in render.slabs(study.hbp.grid, study.scene.mri_pose):
        found = render.tree_share(view, large)
        if found is not None:
            array[part][found[0]] = found[1] >= 0.5
    return Mask(study.hbp.grid, array)


def anatomy(recipe: Recipe) -> Body:
    """The body a recipe asks for. Raises `NothingFound` without the patient's label maps."""
    if recipe.anatomy is Anatomy.ANALYTIC:
        return analytic.body(recipe)
    return patient.body(recipe)


def simulate(recipe: Recipe) -> SimulatedStudy:
    """Images and truth of a recipe; the same recipe gives the same voxels."""
    body = anatomy(recipe)
    values = tissues(recipe)
    placed = place_lesions(body, recipe)
    spots = place_spots(body, recipe, placed)
    view = scene(recipe, body)
    ct = scanners.ct_image(recipe, body, values, placed, view.ct_grid, view.ct_pose)
    pet = scanners.pet_image(recipe, body, values, (*placed, *spots), view.pet_grid, view.pet_pose)
    mri_body = analytic.another_day(recipe, body) if _gut_differs(recipe) else body
    hbp = scanners.hbp_image(recipe, mri_body, values, placed, view.hbp_grid, view.mri_pose)
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
        mri_body=mri_body,
        scene=view,
        tissues=values,
    )


def _gut_differs(recipe: Recipe) -> bool:
    # The patient's bowel has no labels of its own that could be exchanged.
    return recipe.gut_differs and recipe.anatomy is Anatomy.ANALYTIC


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
