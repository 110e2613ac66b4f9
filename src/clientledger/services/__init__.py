"""What a book can do: one module a capability, each command one unit of work."""
