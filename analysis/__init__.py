"""What was found: runs, detections, scenes, profiles; and what is asked of them. Imports no torch."""
