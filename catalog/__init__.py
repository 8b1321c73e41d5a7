"""What exists: series, episodes, characters, source files. Imports nothing of ours."""
