"""The client base that knows the money."""
