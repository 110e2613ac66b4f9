"""Some order of all calls explains what every caller was told; a history without one is refused."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.faults.linear import Linear, Run
from tests.faults.orders import Call, account_step, explained, parts

PROCESSES, CALLS = 3, 30


def call(what: str, begin: float, end: float, minor: int = 0, result: Any = "done") -> Call:
    return Call(account="acme", what=what, begin=begin, end=end, minor=minor, result=result)


def read(begin: float, end: float, owed: int, prepaid: int = 0) -> Call:
    return call("read", begin, end, result=(owed, prepaid))


def ok(*calls: Call) -> bool:
    return explained(calls, account_step).ok


# ------------------------------------------------------------ histories by hand
def test_a_read_may_come_before_or_after_what_runs_beside_it() -> None:
    sale = call("sale", 0, 5, 100)
    assert ok(sale, read(1, 2, 0), read(3, 4, 100))
    assert ok(sale, read(1, 2, 0), read(3, 4, 0))
    assert not ok(sale, read(1, 2, 100), read(3, 4, 0)), "what was seen once stays"


def test_a_stale_read_is_refused() -> None:
    found = explained([call("sale", 0, 1, 100), read(2, 3, 0)], account_step)
    assert [one.what for one in found.unexplained] == ["read"]
    assert found.after == (100, 0)


def test_a_stale_read_is_refused_in_the_midst_of_others() -> None:
    busy = [call("sale", n, n + 1.5, 10) for n in range(8)]
    assert ok(*busy, read(4.6, 4.9, 40))
    assert ok(*busy, read(4.6, 4.9, 50))
    assert not ok(*busy, read(4.6, 4.9, 30)), "four had ended before it began"
    assert not ok(*busy, read(4.6, 4.9, 60)), "the sixth begins after it has ended"


def test_a_lost_update_is_refused() -> None:
    both = (call("sale", 0, 2, 100), call("sale", 1, 3, 100))
    assert ok(*both, read(4, 5, 200))
    assert not ok(*both, read(4, 5, 100))


def test_a_refusal_needs_a_reason() -> None:
    paid = call("payment", 0, 1, 100)
    refused = call("refund", 2, 3, 100, "refused")
    assert not ok(paid, refused)
    assert ok(paid, call("refund", 2, 3, 100), call("refund", 2, 3, 100, "refused"))
    assert not ok(paid, call("refund", 2, 3, 100), call("refund", 2, 3, 100)), "given back twice"
    assert not ok(call("sale", 0, 1, 50), call("write-off", 2, 3, 51))


def test_a_sale_uses_what_is_prepaid_unless_it_is_told_not_to() -> None:
    paid = call("payment", 0, 1, 100)
    assert ok(paid, call("sale", 2, 3, 70), read(4, 5, 0, 30))
    assert ok(paid, call("sale apart", 2, 3, 70), read(4, 5, 70, 100))
    assert ok(call("sale", 0, 1, 70), call("payment apart", 2, 3, 100), read(4, 5, 70, 100))
    assert ok(call("sale", 0, 1, 70), call("payment", 2, 3, 100), read(4, 5, 0, 30))


def test_what_nobody_was_told_of_may_be_done_at_any_time_or_never() -> None:
    lost = call("sale", 0, math.inf, 100)
    assert ok(lost)
    assert ok(lost, read(1, 2, 0), read(3, 4, 100))
    assert not ok(lost, read(1, 2, 100), read(3, 4, 0))
    assert not ok(read(0, 1, 100), call("sale", 2, math.inf, 100)), "before it was given"


def test_a_history_is_split_where_nothing_is_under_way() -> None:
    calls = [call("sale", 3 * n, 3 * n + 2, 1) for n in range(5)]
    assert [len(part) for part in parts(calls)] == [1] * 5
    assert [len(part) for part in parts([*calls, read(1, 4, 1)])] == [3, 1, 1, 1]
    both = call("sale", 0, 2, 100), call("refund", 1, 3, 100, "refused")
    found = explained([*both, read(4, 5, 100)], account_step)
    assert (found.ok, found.parts, found.longest) == (True, 2, 2)


# ------------------------------------------------------------ books
def linear(urls: Sequence[str], folder: Path, *, lag: bool = False, **options: str) -> Linear:
    run = Run(
        urls=urls,
        processes=PROCESSES,
        calls=CALLS,
        accounts=1,
        seed=20261125,
        lag=lag,
        options=options,
    )
    found = Linear(run, folder)
    found.go()
    return found


def shown(found: Linear) -> None:
    assert found.problems == []
    assert found.counts["done"] > PROCESSES * CALLS / 4, "hardly anything was done"
    assert max(verdict.longest for verdict in found.verdicts) > 2, "nothing ran beside another"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_an_order_explains_all_that_was_told(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sqlite = kind == "sqlite"
    url = f"sqlite:///{tmp_path / 'b.db'}" if sqlite else request.getfixturevalue(f"{kind}_url")
    shown(linear([url], tmp_path))


def test_an_order_explains_what_is_read_on_another_node(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    shown(linear(galera_urls, tmp_path))


def test_an_order_explains_what_is_read_on_a_node_that_lags(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    shown(linear(galera_urls, tmp_path, lag=True))


def test_a_node_that_lags_and_is_not_waited_for_is_noticed(
    galera_urls: tuple[str, str, str], tmp_path: Path
) -> None:
    [problem] = linear(galera_urls, tmp_path, lag=True, sync="off").problems
    assert "none of these can come next" in problem
