"""The ways in: HTTP, command line, jobs and console. Each parses, calls one use case and renders."""
