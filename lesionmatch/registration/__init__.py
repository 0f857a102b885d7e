"""The MRI aligned with the PET/CT: how points correspond, and how far that may be off."""

from lesionmatch.registration.given import given, identity
from lesionmatch.registration.register import register
from lesionmatch.registration.result import Quality, Registration
from lesionmatch.registration.stages import METHODS, Method

__all__ = ["METHODS", "Method", "Quality", "Registration", "given", "identity", "register"]
