"""From a spoken objection to a talk track: library entries, encoder, index, ranking, hint."""
