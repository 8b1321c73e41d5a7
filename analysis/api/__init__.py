"""The REST API, version 1. Anybody may read what is published; what else one may goes by roles and scopes."""
