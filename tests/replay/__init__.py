"""Replays neutral cases of debts and payments: `python -m tests.replay FILE`.

Only the public API is used. What a case may say, and how it is understood, is in tests/README.md.
"""

from tests.replay.case import CaseError, Verdict, replay

__all__ = ["CaseError", "Verdict", "replay"]
