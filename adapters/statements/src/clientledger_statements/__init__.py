"""Statements of account and reconciliation acts of clientledger, as files."""

from clientledger_statements.languages import LANGUAGES
from clientledger_statements.rendering import FORMATS, LAYOUTS, render

__all__ = ["FORMATS", "LANGUAGES", "LAYOUTS", "render"]
