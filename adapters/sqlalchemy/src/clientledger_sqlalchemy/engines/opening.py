"""An address to an engine."""

from collections.abc import Callable, Mapping
from importlib import import_module

import attrs
import sqlalchemy as sa

from clientledger import InvalidValue, PluginError
from clientledger_sqlalchemy.engines.engine import Engine
from clientledger_sqlalchemy.engines.options import Options, read_url

__all__ = ["SCHEMES", "engine_for"]

Opener = Callable[[sa.URL, Options, bool], Engine]

_MODULES: Mapping[str, tuple[str, str]] = {
    "sqlite": ("sqlite", ""),
    "postgresql": ("postgresql", "psycopg"),
    "postgresql+psycopg": ("postgresql", "psycopg"),
    "mariadb": ("mariadb", "pymysql"),
    "mariadb+pymysql": ("mariadb", "pymysql"),
    "mysql": ("mariadb", "pymysql"),
    "mysql+pymysql": ("mariadb", "pymysql"),
}

SCHEMES = tuple(_MODULES)


def engine_for(address: str, *, read_only: bool, older: bool = False) -> tuple[Engine, Options]:
    """Connect to the database that an address names; nothing is written.

    Args:
        older: let a book of an older version pass, which is there to be upgraded.

    Raises:
        InvalidValue: not the address of a database that we know.
        PluginError: its driver is not installed.
        StoreError: it cannot be reached, or is something else.
    """
    url, options = read_url(address)
    options = attrs.evolve(options, older=older)
    if url.drivername not in _MODULES:
        raise InvalidValue(
            "no such database", field="url", value=url.drivername, remedy=", ".join(SCHEMES)
        )
    name, driver = _MODULES[url.drivername]
    try:
        if driver:
            import_module(driver)
    except ImportError as error:
        raise PluginError(
            f"{url.drivername}: books need the driver {driver}, which cannot be loaded: {error}",
            field="plugin",
            value=driver,
            remedy=f"install clientledger-sqlalchemy[{name}]",
        ) from error
    connect: Opener = import_module(f"clientledger_sqlalchemy.engines.{name}").connect
    return connect(url, options, read_only), options
