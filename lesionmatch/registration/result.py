"""A registration and what it rests on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesionmatch.geometry import Points, Transform
from lesionmatch.resample import PointMap


@dataclass(frozen=True, slots=True)
class Quality:
    """The numbers a registration is judged by; None where a stage was not run."""

    mutual_information: float | None = None
    """Of MRI and target over the liver and its shell, nats."""
    probe_ratio: float | None = None
    """That over the best of the same map shifted by 20 mm; 1 means nothing was found. None where
    a pattern is known."""
    pattern_errors: float | None = None
    """By how many standard deviations of the same map shifted vessels and lesions deep in the
    liver agree better; None without a CT."""
    pattern_half_errors: float | None = None
    """The same in that half of the liver in which they agree least."""
    peak_ratio: float | None = None
    """Second over first summit of the coarse search."""
    rotation_deg: float | None = None
    """Of the linear part, against the coordinate axes of both frames."""
    volume_ratio: float | None = None
    """Of the liver on the target over the liver on the MRI."""
    jacobian_min: float | None = None
    jacobian_max: float | None = None
    """Least and greatest local growth in the liver."""
    displacement_p95_mm: float | None = None
    """95th percentile, in the liver, of what the deformation adds to the linear map."""
    liver_on_target: float | None = None
    """Median of the target in the liver: HU on a CT, SUV on a PET."""
    coverage: float | None = None
    """Share of the liver that falls on the target."""
    cut_share: float | None = None
    """Share of the liver's volume that goes on beyond the end of the MRI."""
    cut_length_share: float | None = None
    """The same of its length, along the axis on which most is missing."""
    affine_gain_errors: float | None = None
    deformable_gain_errors: float | None = None
    """How surely unseen voxels prefer this stage to the one before, in standard errors."""
    pet_ct_offset_mm: tuple[float, float, float] | None = None
    """Where the middle of the liver lies on the PET from where it lies on its CT, (x, y, z)."""
    pet_ct_offset_applied: bool = False
    landmarks_shift_mm: float | None = None
    """How far it was moved afterwards, because lesions and foci fit each other there."""

    def as_dict(self) -> dict[str, object]:
        """For the result file."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How points of the MRI and of the PET/CT correspond, and how far that may be off."""

    mri_from_pet: PointMap
    """PET/CT points to MRI points: what resampling the MRI onto the PET asks for."""
    pet_from_mri: PointMap
    """MRI points to PET/CT points: how lesions are carried."""
    method: str
    """'rigid', 'affine', 'deformable', 'given' or 'identity'."""
    target: str
    """'ct' or 'pet': what the MRI was registered to."""
    quality: Quality
    doubts: tuple[str, ...]
    """A sentence each; none when it is trusted."""
    bound_mm: Callable[[Points], NDArray[np.float64]]
    """95 % bound of the error at MRI points."""
    pet_from_ct: Transform | None = None
    """What the maps hold of a liver that lies elsewhere on the PET than on its CT; None where
    nothing was corrected."""
    remarks: tuple[str, ...] = ()
    """What a reader should know of a map that may well be right."""

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.doubts

    def doubted(self, doubts: tuple[str, ...]) -> "Registration":
        """This registration with what else speaks against it."""
        return replace(self, doubts=(*self.doubts, *doubts))

    def moved(self, shift_mm: NDArray[np.float64]) -> "Registration":
        """This registration with all of the MRI shifted, (3,) on the PET, and the doubt it leaves.

        For one that missed by that much; its error bound stays what it was.
        """
        frame, there, back = self.pet_from_mri.target, np.eye(4), np.eye(4)
        length_mm = float(np.linalg.norm(shift_mm))
        there[:3, 3], back[:3, 3] = shift_mm, -shift_mm
        return replace(
            self,
            mri_from_pet=self.mri_from_pet.after(PointMap.affine(Transform(frame, frame, back))),
            pet_from_mri=PointMap.affine(Transform(frame, frame, there)).after(self.pet_from_mri),
            quality=replace(self.quality, landmarks_shift_mm=length_mm),
            doubts=(
                *self.doubts,
                f"lesions and foci fit each other {length_mm:.0f} mm off the registration, "
                "which was moved there",
            ),
        )

    def error_mm(self, points_mri_mm: ArrayLike) -> NDArray[np.float64]:
        """(N,) bound below which the error at each MRI point (N, 3) lies in 95 of 100 cases."""
        return self.bound_mm(np.asarray(points_mri_mm, np.float64).reshape(-1, 3))
