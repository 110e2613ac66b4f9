"""What holds for every test: Hypothesis profiles, and no silent skips where they are forbidden."""

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

settings.register_profile("default", deadline=None)
# The same examples on every machine, so that what passed before a merge passes after it.
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


LONGEST = ("tests/faults/test_cluster", "adapters/sqlalchemy", "tests/faults", "tests/servers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes long come first, so that no worker ends long after the others."""

    def rank(item: pytest.Item) -> int:
        found = (n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start))
        return next(found, len(LONGEST))

    items.sort(key=rank)


class NoSkips:
    """Let the run fail when a test or a module was skipped, and say which."""

    def __init__(self) -> None:
        self._skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._skipped:
            terminalreporter.section("skips are forbidden (CLIENTLEDGER_NO_SKIP)", red=True)
            for name, reason in sorted(self._skipped.items()):
                terminalreporter.line(f"{name}: {reason}")

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            place = report.longrepr
            self._skipped[report.nodeid] = place[2] if isinstance(place, tuple) else str(place)


def pytest_configure(config: pytest.Config) -> None:
    # Under xdist the controller hears every report, so the workers need not judge.
    if os.environ.get("CLIENTLEDGER_NO_SKIP") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(NoSkips(), "clientledger-no-skips")
