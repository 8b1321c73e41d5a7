"""How dates are written, by language. Read by Django through ``FORMAT_MODULE_PATH``."""
