"""Files and headers: what lies in a folder, a zip or a DICOMDIR, and one dataset's values."""
