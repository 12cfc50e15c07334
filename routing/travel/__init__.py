"""Where travel times come from, besides the great circle and given matrices."""
