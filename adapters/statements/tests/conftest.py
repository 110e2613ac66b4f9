import pytest
from adapters.statements.tests.statements import every_kind, plain

from clientledger import PluginError, Statement
from clientledger_statements import render


@pytest.fixture(scope="session")
def everything() -> Statement:
    """Give a statement with a document of each kind, in EUR."""
    return every_kind("EUR")


@pytest.fixture(scope="session")
def two_documents() -> Statement:
    """Give a statement of one sale and one payment."""
    return plain()


@pytest.fixture(scope="session")
def pango(two_documents: Statement) -> None:
    """Skip where PDF cannot be made at all."""
    try:
        render(two_documents, "pdf")
    except PluginError as error:
        pytest.skip(str(error))
