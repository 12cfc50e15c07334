"""What the routing tests share."""

import pytest

from routing.search_process import warm


@pytest.fixture(scope="session", autouse=True)
def search_is_loaded():
    """Compile the search once, so that no test spends its time limit on it."""
    assert warm(300)
