"""Facts and rules: pure, frozen, no I/O, no clock."""
