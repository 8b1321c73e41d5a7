"""From a bundle and a few labelled drawings of a show to a bundle for that show."""
