"""Proves small days: the best of all plans."""
