"""The databases that a book can live on: how each is opened and begun, and what its errors mean."""

from clientledger_sqlalchemy.engines.engine import Engine
from clientledger_sqlalchemy.engines.opening import SCHEMES, engine_for

__all__ = ["SCHEMES", "Engine", "engine_for"]
