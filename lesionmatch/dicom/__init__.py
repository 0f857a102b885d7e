"""DICOM in and out: the only part that knows pydicom and highdicom."""
