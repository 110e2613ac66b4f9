"""What random histories have done: steps, commands accepted and refused, answers compared."""

from collections import Counter

import attrs
from hypothesis import event

__all__ = ["Tally"]


@attrs.define
class Tally:
    """Counts what happens in histories, over all that are run in this process.

    Attributes:
        steps: how many rules were run.
        accepted: how often each command was.
        refused: how often each command was, by class of error.
        compared: how many answers of each kind were compared with what is right.
    """

    histories: int = 0
    steps: int = 0
    accepted: Counter[str] = attrs.field(factory=Counter)
    refused: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    compared: Counter[str] = attrs.field(factory=Counter)

    def accept(self, command: str) -> None:
        """Count a command that was accepted."""
        self.accepted[command] += 1

    def refuse(self, command: str, error: Exception) -> None:
        """Count a refusal, for Hypothesis's own statistics too."""
        name = type(error).__name__
        self.refused[command, name] += 1
        event(f"refused: {name}")

    def __str__(self) -> str:
        """All counts, a table each."""
        refusals = Counter[str]()
        by_command: dict[str, list[str]] = {}
        for (command, name), times in sorted(self.refused.items()):
            refusals[name] += times
            by_command.setdefault(command, []).append(f"{name} {times}")
        commands = [
            f"  {name:<28}{self.accepted[name]:>9} accepted; {', '.join(by_command.get(name, []))}"
            for name in sorted({*self.accepted, *by_command})
        ]
        return "\n".join(
            [
                f"{self.histories} histories, {self.steps} steps",
                f"{self.accepted.total()} commands accepted, {self.refused.total()} refused",
                "commands:",
                *commands,
                "refusals:",
                *_rows(refusals),
                "answers compared:",
                *_rows(self.compared),
            ]
        )


def _rows(counts: Counter[str]) -> list[str]:
    return [f"  {name:<28}{times:>9}" for name, times in counts.most_common()]
