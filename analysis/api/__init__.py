"""The REST API, version 1. Anybody may read what is published; staff may also ask for work."""
