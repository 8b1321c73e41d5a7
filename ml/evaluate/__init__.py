"""How good a bundle is, counted against truth files."""
