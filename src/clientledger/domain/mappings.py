"""Mappings inside frozen values: read-only, and left out of the hash."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

__all__ = ["mapping_field"]


def _frozen(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


def mapping_field() -> Any:
    """A read-only mapping field of an attrs class, empty by default, not part of the hash."""
    return attrs.field(factory=dict, converter=_frozen, hash=False)
