"""The chance of detection as a smooth function of size.

A logistic regression on the logarithm of the size, fitted with observations as they are
and its error taken between patients (generalised estimating equations with working
independence: the weights of the plain fit, the robust error of the clusters).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from lesionmatch.accuracy.values import Undefined

LEAST_EACH, LEAST_PATIENTS, LEAST_OVERLAP = 10, 5, 3
"""What a fit must rest on: found and missed, patients, and lesions of each on the wrong side."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """P(detected) = expit(intercept + slope ln(size)), with the parameters' covariance."""

    intercept: float
    slope: float
    covariance: NDArray[np.float64]

    def at(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chance of detection at each size > 0."""
        return np.asarray(expit(self.intercept + self.slope * np.log(size)))

    def band(
        self, size: NDArray[np.float64], level: float = 0.95
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pointwise lower and upper bound of the chance at each size."""
        design = np.column_stack([np.ones_like(size), np.log(size)])
        variance = np.einsum("ij,jk,ik->i", design, self.covariance, design)
        error = np.sqrt(np.maximum(variance, 0.0))
        centre = design @ np.array([self.intercept, self.slope])
        reach = norm.ppf((1.0 + level) / 2.0) * error
        return np.asarray(expit(centre - reach)), np.asarray(expit(centre + reach))

    def size_for(self, chance: float) -> float | Undefined:
        """The size at which detection has this chance."""
        if self.slope <= 0.0:
            return Undefined("detection does not grow with size")
        return float(np.exp((np.log(chance / (1.0 - chance)) - self.intercept) / self.slope))


def detection_curve(
    size: NDArray[np.float64], detected: NDArray[np.bool_], cluster: NDArray[np.int64]
) -> Curve | Undefined:
    """Fit the curve to sizes > 0; `cluster` numbers the patients.

    Undefined with fewer than 10 found or 10 missed (five for each of the two parameters),
    fewer than 5 patients, or where size parts found from missed but for a lesion or two:
    the best fit is then a step, which has neither a slope nor an error.
    """
    found = int(detected.sum())
    if min(found, len(detected) - found) < LEAST_EACH:
        return Undefined(f"fewer than {LEAST_EACH} found or fewer than {LEAST_EACH} missed")
    if len(np.unique(cluster)) < LEAST_PATIENTS:
        return Undefined(f"fewer than {LEAST_PATIENTS} patients")
    overlap = min(_crossing(size, detected), _crossing(-size, detected))
    if overlap < LEAST_OVERLAP:
        return Undefined("size parts found from missed, or does not vary")
    return _fitted(size, detected, cluster)


def _crossing(size: NDArray[np.float64], detected: NDArray[np.bool_]) -> int:
    """How many stand on the wrong side for detection to grow with size."""
    below = int((size[detected] < size[~detected].max()).sum())
    above = int((size[~detected] > size[detected].min()).sum())
    return min(below, above)


def _fitted(
    size: NDArray[np.float64], detected: NDArray[np.bool_], cluster: NDArray[np.int64]
) -> Curve | Undefined:
    # Loaded here: the regression is slow to load, and most tables need none.
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    order = np.argsort(cluster, kind="stable")
    design = np.column_stack([np.ones(len(size)), np.log(size)])
    model = GEE(detected[order].astype(float), design[order], cluster[order], family=Binomial())
    with warnings.catch_warnings():
        # Its way of saying that a fit did not converge.
        warnings.simplefilter("error")
        try:
            result = model.fit()
            covariance = np.asarray(result.cov_params())
        except (Warning, np.linalg.LinAlgError, ValueError):
            return Undefined("the fit did not converge")
    intercept, slope = (float(value) for value in result.params)
    if not np.isfinite([intercept, slope, *covariance.ravel()]).all():
        return Undefined("the fit did not converge")
    return Curve(intercept, slope, covariance)
