"""Open questions about reading emotions: every module is one idea, measured; docs/research has what came out."""
