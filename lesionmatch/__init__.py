"""lesionmatch: where SSR-PET/CT and hepatobiliary-phase MRI of the liver disagree, and why."""

__version__ = "0.1.0"
