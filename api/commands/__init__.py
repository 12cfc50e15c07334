"""The command line, one file a group of commands. Each command calls one use case."""
