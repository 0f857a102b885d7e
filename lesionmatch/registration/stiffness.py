"""How stiff the deformation is, and what each of its two fits trusts."""

from dataclasses import dataclass

from lesionmatch.protocol import RegistrationRules


@dataclass(frozen=True, slots=True)
class Level:
    """One pass, coarse to fine."""

    knot_mm: float
    smoothing_mm: float
    """Standard deviation of the Gaussian both images are smoothed by."""
    iterations: int
    drawn: float
    """Share of the region's voxels drawn at each iteration."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one of the two fits trusts."""

    outside_weight: float
    """What a voxel outside the liver counts for, where one deep inside counts for 1."""
    surface_weight: float
    """What a voxel at the liver's surface counts for; it rises to 1 at `SURFACE_MM`."""


@dataclass(frozen=True, slots=True)
class Stiffness:
    """How the deformation is found; defaults chosen on simulated studies not reported on."""

    opinions: tuple[Opinion, Opinion]
    levels: tuple[Level, ...] = (
        Level(60.0, 2.0, 4, 0.14),
        Level(50.0, 2.0, 5, 0.17),
        Level(40.0, 1.2, 5, 0.20),
        Level(30.0, 0.7, 7, 0.24),
    )
    """An edge pulls from no further than its smoothing, so later levels are sharper. A first one
    smoothed by 4 mm led livers of short bends where no later one found back (simulated)."""
    spacing_mm: float = 2.2
    """Finer voxels cost more than they tell: 2.0 mm made no better map than these."""
    cell_voxels: int = 4
    region_mm: float = 20.0
    """Samples come from the liver and this far around it."""
    margin_mm: float = 30.0
    """The grid reaches this far beyond the liver; u fades to nothing over its last part."""
    edge_weight: float = 5.0
    edge_per_mm: float = 0.010
    """Slopes well below this, in windows per mm, are noise and no edge."""
    mri_slope_per_mm: float | None = 0.04
    """How steep edges of tissue are on the MRI, where parenchyma is 1, by which its grain is
    taken off (see `grain`); with none it stays as it is."""
    target_slope_per_mm: float | None = 28.0
    """The same on the target, in its own unit."""
    bending: float = 0.75
    """Weight of the bending energy, in the first two levels or, where none is learned, in all."""
    curvature_per_mm2: float | None = 1.5e-4
    """Mean squared curvature of the field whose weight is 1."""
    least_bending: float = 0.6
    most_bending: float = 2.0
    conjugate_steps: int = 30
    largest_step_mm: float = 6.0
    smallest_step_mm: float = 0.1

    def learned_bending(self, found_per_mm2: float) -> float:
        """The weight that suits a field of this mean squared curvature."""
        if self.curvature_per_mm2 is None:
            return self.bending
        wanted = self.curvature_per_mm2 / max(found_per_mm2, 1e-9)
        return min(max(wanted, self.least_bending), self.most_bending)


PET_LEVELS = (
    Level(60.0, 4.0, 4, 0.20),
    Level(60.0, 2.0, 5, 0.25),
    Level(50.0, 1.2, 5, 0.30),
    Level(40.0, 0.7, 7, 0.35),
)


def stiffness(target: str, rules: RegistrationRules) -> Stiffness:
    """That of a deformation to a 'ct' or 'pet'.

    A PET shows the liver's outline and hot lesions blurred, so its edges say less, and no
    vessels, so there is no second witness to trust, and no short bend could be seen.
    """
    if target == "pet":
        alike = Opinion(rules.pet_outside_weight, 1.0)
        return Stiffness(
            (alike, alike),
            levels=PET_LEVELS,
            spacing_mm=2.5,
            cell_voxels=3,
            edge_weight=2.0,
            edge_per_mm=0.014,
            mri_slope_per_mm=None,
            target_slope_per_mm=None,
            bending=1.5,
            curvature_per_mm2=None,
        )
    surface = Opinion(rules.surface_fit_outside_weight, rules.surface_fit_surface_weight)
    vessels = Opinion(rules.vessel_fit_outside_weight, rules.vessel_fit_surface_weight)
    return Stiffness((surface, vessels))
