"""Draws cartoons with known truth: whole episodes as video files, and single frames to train on.

One engine (canvas, design, expression, head, body) draws the sample cast and characters nobody has seen before.
Everything is seeded: the same seed gives the same pixels.
"""
