"""Emotions as subtitles: what each character's face shows, as lines that can be read while the film runs.

``lines`` makes one character's spans steady, ``cues`` puts the lines of all characters on one screen, ``webvtt`` and
``srt`` write them down. All of it is pure: spans in, text out.
"""
