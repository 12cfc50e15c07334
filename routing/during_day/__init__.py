"""A plan while it is under way: facts, changes, the rest of the day."""
