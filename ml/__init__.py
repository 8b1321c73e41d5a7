"""Cartoon video in, faces and emotions out. Plain Python and PyTorch; usable without the site: ``python -m ml``.

Importing this package is cheap: nothing heavy is imported until it is used.
"""
