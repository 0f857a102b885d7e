"""The chance of detection as a smooth function of size.

A logistic regression on the logarithm of the size, fitted with observations as they are
and its error taken between patients (generalised estimating equations with working
independence: the weights of the plain fit, the robust error of the clusters).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lesionmatch.accuracy.values import Undefined


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """P(detected) = expit(intercept + slope ln(size)), with the parameters' covariance."""

    intercept: float
    slope: float
    covariance: NDArray[np.float64]

    def at(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chance of detection at each size > 0."""
        return np.asarray(_expit(self.intercept + self.slope * np.log(size)))

    def band(
        self, size: NDArray[np.float64], level: float = 0.95
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pointwise lower and upper bound of the chance at each size."""
        design = np.column_stack([np.ones_like(size), np.log(size)])
        error = np.sqrt(np.einsum("ij,jk,ik->i", design, self.covariance, design))
        centre = design @ np.array([self.intercept, self.slope])
        reach = norm.ppf((1.0 + level) / 2.0) * error
        return np.asarray(_expit(centre - reach)), np.asarray(_expit(centre + reach))

    def size_for(self, chance: float) -> float | Undefined:
        """The size at which detection has this chance."""
        if self.slope <= 0.0:
            return Undefined("detection does not grow with size")
        return float(np.exp((np.log(chance / (1.0 - chance)) - self.intercept) / self.slope))


def detection_curve(
    size: NDArray[np.float64], detected: NDArray[np.bool_], cluster: NDArray[np.int64]
) -> Curve | Undefined:
    """Fit the curve to sizes > 0; `cluster` numbers the patients.

    Undefined with fewer than 10 found or 10 missed (one error for each of two parameters
    and then some), fewer than 5 patients, or where a size parts found from missed.
    """
    found = int(detected.sum())
    if min(found, len(detected) - found) < 10:
        return Undefined("fewer than 10 found or fewer than 10 missed")
    if len(np.unique(cluster)) < 5:
        return Undefined("fewer than 5 patients")
    found_sizes, missed_sizes = size[detected], size[~detected]
    if found_sizes.min() > missed_sizes.max() or found_sizes.max() < missed_sizes.min():
        return Undefined("one size parts all found from all missed")
    # Loaded here: the regression is slow to load, and most tables need none.
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    order = np.argsort(cluster, kind="stable")
    design = np.column_stack([np.ones(len(size)), np.log(size)])
    model = GEE(detected[order].astype(float), design[order], cluster[order], family=Binomial())
    result = model.fit()
    intercept, slope = (float(value) for value in result.params)
    return Curve(intercept, slope, np.asarray(result.cov_params()))


def _expit(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-value)))
