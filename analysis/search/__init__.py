"""Search in plain words: text -> Query (JSON) -> SQL -> results. No language model; no word is dropped silently."""
