"""Faces to emotions: one small interface, several classifiers behind it."""
