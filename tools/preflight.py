"""Say in one line what stands in the way of setting up, before anything is installed.

Runs on any Python, also one that is too old for Fieldwise: keep the syntax plain.
"""

import os
import shutil
import sys

NEEDED = (3, 11)
# Measured: 3.1 GB with the CPU build of torch and the development tools, plus room for pip to unpack.
NEEDED_GB = 5


def main():
    """Exit with a line when this machine cannot set Fieldwise up."""
    if sys.version_info < NEEDED:
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(
            "fieldwise: Python 3.11 or newer is needed, this is %s (%s). "
            "Install one and run: make run PYTHON=python3.11" % (found, sys.executable)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sys.exit("fieldwise: this Python lacks venv or pip. On Debian and Ubuntu: apt install python3-venv python3-pip")
    free_gb = shutil.disk_usage(os.getcwd()).free / 1e9
    if not os.path.isdir(".venv") and free_gb < NEEDED_GB:
        sys.exit("fieldwise: %.1f GB are free here, %d GB are needed to set up" % (free_gb, NEEDED_GB))
    if not os.access(os.getcwd(), os.W_OK):
        sys.exit("fieldwise: this folder cannot be written to: %s" % os.getcwd())


if __name__ == "__main__":
    main()
