"""Faults for the tests to make."""
