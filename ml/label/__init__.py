"""A local page to label faces: outlines, characters and emotions on frames of videos and on pictures."""
