"""Moments that look like a drawing: what *alike* means, the nearest faces, and the moments they make.

``alike`` and ``moments`` are pure; ``nearest`` is the one query. docs/find.md says what is measured.
"""
