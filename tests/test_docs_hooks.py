"""The page for plugin authors is true: exact signatures, and a whole plugin that works."""

import ast
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from clientledger import hookspecs, open_book
from clientledger.ports import Store
from clientledger.testing import StoreContract

PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
PROVIDERS = [
    (hookspecs.StoreFactory, "RegisterStore"),
    (hookspecs.Upgrader, "RegisterUpgrader"),
    (hookspecs.Exporter, "RegisterExporter"),
]
HOOKS = [name for name, found in vars(hookspecs).items() if hasattr(found, "clientledger_spec")]


def block(after: str) -> str:
    """Give the first block of code after a line of the page."""
    found = re.search(r"```\w+\n(.*?)```", PAGE[PAGE.index(f"\n{after}\n") :], re.DOTALL)
    assert found is not None
    return found[1]


def signature(function: object) -> str:
    """Give the signature of a function as its source has it."""
    (node,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function))).body  # type: ignore[arg-type]  # a function
    assert isinstance(node, ast.FunctionDef)
    assert node.returns is not None
    return f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_has_the_exact_signature_of_each_hook(hook: str) -> None:
    assert signature(getattr(hookspecs, hook)) in PAGE.splitlines()


def test_the_page_has_no_signature_of_a_hook_that_is_not_there() -> None:
    shown = re.findall(r"^def (\w+)\(.*\) -> .*[^:]$", PAGE, re.MULTILINE)
    assert sorted(shown) == sorted([*HOOKS, *["__call__"] * len(PROVIDERS)])


@pytest.mark.parametrize(
    ("provider", "name"),
    PROVIDERS,
)
def test_the_page_has_the_exact_signature_of_each_provider(provider: type, name: str) -> None:
    call = inspect.getsource(getattr(provider, "__call__")).strip().splitlines()[0]  # noqa: B004, B009 - the function itself
    assert call.removesuffix(":") in PAGE.splitlines()
    register = inspect.getsource(hookspecs).partition(f"\n{name} = ")[2].splitlines()[0]
    assert f"`{name}` is `{register}`" in PAGE


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Give the plugin of the page, laid out as an installer would."""
    project = tomllib.loads(block("`pyproject.toml`:"))["project"]
    ((name, module),) = project["entry-points"]["clientledger"].items()
    folder = tmp_path_factory.mktemp("site")
    (folder / f"{module}.py").write_text(block(f"`{module}.py`:"), encoding="utf-8")
    about = folder / f"{module}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n",
        encoding="utf-8",
    )
    (about / "entry_points.txt").write_text(
        f"[clientledger]\n{name} = {module}\n", encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module(module)
        del sys.modules[module]


def test_the_plugin_of_the_page_is_found_by_the_scheme(
    plugin: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    example, printed = re.findall(
        r"```(?:python|text)\n(.*?)```", PAGE[PAGE.index("`pip install .` in") :], re.DOTALL
    )[:2]
    exec(example, {})
    assert capsys.readouterr().out == printed


def test_the_plugin_of_the_page_is_found_when_given(plugin: ModuleType) -> None:
    with open_book("shared:given", plugins=[plugin]) as book:
        assert book.clients.find() == book.clients.find(archived=True)


class TestSharedStore(StoreContract):
    keeps_rows = False

    @pytest.fixture(autouse=True)
    def _installed(self, plugin: ModuleType) -> None:
        self.open_shared = plugin.open_shared

    def open_store(self, folder: Path) -> Store:
        store: Store = self.open_shared(f"shared:{folder}")
        return store
