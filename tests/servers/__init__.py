"""Real database servers for the tests: those that already run, and some of our own to break."""

from tests.servers.absent import Absent
from tests.servers.connect import connect_mariadb, connect_postgresql
from tests.servers.fresh import mariadb_database, postgresql_database
from tests.servers.galera import Galera
from tests.servers.mariadb import PrivateMariadb
from tests.servers.postgres import PrivatePostgres, Replica, embedded, postgresql18_database

__all__ = [
    "Absent",
    "Galera",
    "PrivateMariadb",
    "PrivatePostgres",
    "Replica",
    "connect_mariadb",
    "connect_postgresql",
    "embedded",
    "mariadb_database",
    "postgresql18_database",
    "postgresql_database",
]
