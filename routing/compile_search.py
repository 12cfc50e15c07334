"""Compiles the search ahead of its first use: ``python -m routing.compile_search``, about a minute, once."""

from __future__ import annotations


def compile_search() -> None:
    """Compile what the search needs, or load it from the disk; a second call costs nothing."""
    from routing import ruin_recreate
    from routing.proof import proving as proof

    ruin_recreate.warm()
    proof.warm()


if __name__ == "__main__":
    compile_search()
