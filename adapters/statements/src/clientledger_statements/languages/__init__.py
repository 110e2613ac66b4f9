"""The languages, by their ISO 639 codes."""

from collections.abc import Mapping

from clientledger_statements.languages import english, german, russian, ukrainian
from clientledger_statements.texts import Texts

__all__ = ["LANGUAGES", "TEXTS"]

TEXTS: Mapping[str, Texts] = {
    "en": english.TEXTS,
    "uk": ukrainian.TEXTS,
    "ru": russian.TEXTS,
    "de": german.TEXTS,
}
LANGUAGES: tuple[str, ...] = tuple(TEXTS)
"""The languages that a statement can be written in."""
