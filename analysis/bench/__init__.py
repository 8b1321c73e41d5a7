"""How fast the catalogue answers: ``questions`` to ask, ``clock`` to time them with, ``pages`` that are opened."""
