"""VROOM's requests and answers."""
