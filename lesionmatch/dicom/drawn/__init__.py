"""What readers drew: SEG, RTSTRUCT and label maps as segments."""
