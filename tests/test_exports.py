"""What strangers may rely on: names, docstrings, and an import that loads little."""

import importlib
import importlib.resources
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import clientledger
from clientledger import codec, ports

NEVER = (
    "sqlalchemy",
    "clientledger_sqlalchemy",
    "clientledger_statements",
    "babel",
    "jinja2",
    "weasyprint",
    "xlsxwriter",
    "cyclopts",
    "rich",
    "pytest",
    "hypothesis",
    "_pytest",
    "phonenumbers",
    "email_validator",
    "iso4217",
)


def modules() -> Iterator[ModuleType]:
    yield clientledger
    for info in pkgutil.walk_packages(clientledger.__path__, "clientledger."):
        if not info.name.endswith("__main__") and ".demo" not in info.name:
            yield importlib.import_module(info.name)


def own(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The public classes and functions that a module defines, and their public methods."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            yield f"{module.__name__}.{name}", value


MODULES = list(modules())


@pytest.mark.parametrize("module", [clientledger, ports, codec], ids=lambda m: m.__name__)
def test_the_exported_names_are_sorted_and_there(module: ModuleType) -> None:
    names = module.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_front_page_hands_on_and_defines_nothing() -> None:
    assert list(own(clientledger)) == []
    public = {
        name
        for name, value in vars(clientledger).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(clientledger.__all__)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_module_says_what_it_is_and_what_it_hands_out(module: ModuleType) -> None:
    assert module.__doc__
    assert module.__doc__.strip().splitlines()[0].endswith((".", ":", "::"))
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), name


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_public_class_and_function_has_a_docstring(module: ModuleType) -> None:
    bare = [name for name, value in own(module) if not inspect.getdoc(value)]
    for name, value in own(module):
        # The kit's methods are tests, named by what holds.
        if inspect.isclass(value) and not module.__name__.startswith("clientledger.testing"):
            bare += [
                f"{name}.{method}"
                for method, function in vars(value).items()
                if not method.startswith("_")
                and (inspect.isfunction(function) or isinstance(function, property | classmethod))
                and not inspect.getdoc(getattr(value, method))
            ]
    assert bare == []


def test_every_method_of_a_book_has_a_docstring_of_its_own() -> None:
    with clientledger.open_book("memory:") as book:
        for service in (
            "clients",
            "interactions",
            "agreements",
            "ledger",
            "insights",
            "tasks",
            "team",
        ):
            for name, method in inspect.getmembers(getattr(book, service), inspect.ismethod):
                if not name.startswith("_"):
                    assert inspect.getdoc(method), f"{service}.{name}"


def loaded(*code: str) -> list[str]:
    told = [*code, "import json, sys", "print(json.dumps(sorted(sys.modules)))"]
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(told)],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(outcome.stdout))


def test_the_import_loads_no_plugin_and_nothing_optional() -> None:
    before, after = loaded("pass"), loaded("import clientledger")
    assert [name for name in after if name.split(".")[0] in NEVER] == []
    ours = [name for name in after if name.startswith("clientledger")]
    assert 20 < len(ours) < 90, ours
    assert len(after) - len(before) < 350


def test_a_book_in_memory_needs_nothing_optional_either() -> None:
    after = loaded(
        "import clientledger",
        "with clientledger.open_book('memory:') as book:",
        "    client = book.clients.add('Acme')",
        "    book.ledger.record_sale(client, '5 EUR')",
        "    book.verify()",
    )
    optional = set(NEVER) - {"phonenumbers", "email_validator", "iso4217"}
    assert [name for name in after if name.split(".")[0] in optional] == []


def test_the_package_says_that_it_is_typed() -> None:
    assert (importlib.resources.files("clientledger") / "py.typed").is_file()


def test_the_ports_cannot_be_used_without_their_duties() -> None:
    abstract = {
        ports.Reading: {"get", "find"},
        ports.Scope: {"begin", "snapshot"},
        ports.UnitOfWork: {"get", "find", "begin", "post"},
        ports.Store: {"begin", "snapshot", "sequence", "close"},
    }
    for port, duties in abstract.items():
        assert set(port.__abstractmethods__) == duties
        with pytest.raises(TypeError):
            port()


def test_every_record_set_can_be_listed_and_dumped() -> None:
    with clientledger.open_book("memory:") as book, book._desk.scope.snapshot() as reading:
        for kind, query in ports.RECORD_SETS.items():
            assert query.record is kind
            assert reading.find(query()) == []
