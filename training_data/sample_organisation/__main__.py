"""Prints counts and checksum of a sample: ``python -m training_data.sample_organisation 2026-10-31``."""

from __future__ import annotations

import sys
from datetime import date

from training_data.sample_organisation.make import make_sample


def main(arguments: list[str]) -> int:
    """Print what the sample that ends on the day given as the only argument holds, and return the exit status."""
    try:
        (day,) = arguments
        end = date.fromisoformat(day)
    except ValueError:
        print("usage: python -m training_data.sample_organisation YYYY-MM-DD", file=sys.stderr)
        return 2
    sample = make_sample(end)
    for name, count in sample.counts().items():
        print(f"{name:20} {count:7d}")
    print(f"{'sha256':20} {sample.checksum()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
