"""What is said when a machine lacks a server."""


class Absent(Exception):
    """Say that a server, or what it takes to start one, is not on this machine.

    The fixtures turn it into a skipped test.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
