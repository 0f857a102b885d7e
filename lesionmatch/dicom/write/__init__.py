"""Writes DICOM as a scanner and a reader's workstation would."""
