"""Labels that people made: read from the formats in use, checked, written back."""
