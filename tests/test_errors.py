"""The errors: their tree, what strangers catch, and what a message shows."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientledger import ClientLedgerError, Conflict, InvalidValue, Money, NotFound, errors

Kind = type[ClientLedgerError]


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """The tree of the docstring: each class with its parent and the builtin beside it."""
    found: dict[str, tuple[str | None, str | None]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(
            r" {4}(?P<bars>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: \((?P<builtin>\w+)\))?",
            line,
        )
        if match:
            depth = len(match["bars"]) // 4
            path[depth:] = [match["name"]]
            found[match["name"]] = (path[depth - 1] if depth else None, match["builtin"])
    return found


def real() -> dict[str, tuple[str | None, str | None]]:
    found = {}
    for name in errors.__all__:
        ours = [b for b in getattr(errors, name).__bases__ if issubclass(b, ClientLedgerError)]
        others = [b for b in getattr(errors, name).__bases__ if b not in (*ours, Exception)]
        assert len(ours) <= 1
        assert len(others) <= 1
        found[name] = (
            ours[0].__name__ if ours else None,
            others[0].__name__ if others else None,
        )
    return found


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn() == real()
    assert len(drawn()) > 20


def test_the_classes_stand_in_the_docstring_in_the_order_in_which_they_are_defined() -> None:
    lines = {
        name: getattr(errors, name).__init__.__code__.co_firstlineno for name in errors.__all__
    }
    assert lines["ClientLedgerError"] < lines["Conflict"]
    defined = [name for name, kind in vars(errors).items() if isinstance(kind, type)]
    assert [
        name for name in defined if issubclass(getattr(errors, name), ClientLedgerError)
    ] == list(drawn())


def test_all_errors_are_exported_by_name() -> None:
    import clientledger

    assert errors.__all__ == sorted(errors.__all__)
    for name in errors.__all__:
        assert getattr(clientledger, name) is getattr(errors, name)
        assert name in clientledger.__all__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [("InvalidValue", ValueError), ("NotFound", LookupError), ("NotAllowed", PermissionError)],
)
def test_a_stranger_catches_what_a_stranger_knows(kind: str, builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise getattr(errors, kind)("no")


def test_a_message_names_field_value_and_remedy() -> None:
    error = InvalidValue("not a name", field="name", value="x\n", remedy="give a str")
    assert str(error) == "name: not a name (got 'x\\n'); give a str"
    assert (error.message, error.field, error.value) == ("not a name", "name", "x\n")
    assert str(NotFound("no such client")) == "no such client"
    assert str(Conflict("x", value=Money("5", "EUR"))) == "x (got 5.00 EUR)"


def test_a_conflict_says_whether_it_may_pass() -> None:
    assert not Conflict("x").passing
    assert Conflict("x", passing=True).passing


class Rude:
    """Shows nothing of itself."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@given(
    st.one_of(
        st.text(st.characters()),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.binary(),
        st.lists(st.text(st.characters())),
        st.builds(Rude),
        st.sampled_from(["9" * 5000, 10**5000, -(10**5000), Decimal("1E+999999"), "\ud800" * 200]),
    )
)
def test_a_value_is_shown_in_ascii_and_in_short(value: Any) -> None:
    text = str(InvalidValue("wrong", field="x", value=value))
    assert text.isascii() or "…" in text
    assert text.replace("…", "").isascii()
    assert "\n" not in text
    assert len(text) < 1000
