"""OR-Tools as the search where our own is not to be had."""
