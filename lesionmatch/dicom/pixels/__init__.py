"""Stored pixels, compressed or not, as arrays of numbers."""
