"""Requests and answers in the shape of Google's Route Optimization."""
