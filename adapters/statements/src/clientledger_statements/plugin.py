"""The plugin that writes statements: ``text``, ``html``, ``pdf`` and ``xlsx``."""

from clientledger import Exporter, RegisterExporter, Statement, hookimpl
from clientledger_statements.rendering import FORMATS, render

__all__ = ["register_exporters"]


@hookimpl
def register_exporters(register: RegisterExporter) -> None:
    """Supply an exporter for each format."""
    for name in FORMATS:
        register(name, _exporter(name))


def _exporter(name: str) -> Exporter:
    def export(statement: Statement, *, locale: str, layout: str) -> bytes:
        return render(statement, name, locale=locale, layout=layout)

    return export
