"""What changes who may ask what, and what is kept of it."""
