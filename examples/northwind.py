"""The demo: a year of the Northwind shop on a fresh book."""
