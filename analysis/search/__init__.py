"""Search in plain words: text -> parse -> Query (JSON) -> SQL -> results. No language model, nothing dropped silently."""
