"""Frames to faces: one small interface, several detectors behind it."""
