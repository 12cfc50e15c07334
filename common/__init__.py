"""Errors, clock, places, units and text files that every package shares. Standard library only."""
