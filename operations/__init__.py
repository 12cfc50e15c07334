"""The organisation's records, rules and use cases; the only package that opens a transaction."""
