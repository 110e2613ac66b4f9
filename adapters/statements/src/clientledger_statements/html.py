"""The page: one file, with nothing in it that would be fetched or run."""

from functools import lru_cache
from importlib.resources import files

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from clientledger_statements.document import Document

__all__ = ["page_of", "write_html"]


def write_html(document: Document) -> bytes:
    """Write the document as one HTML file in UTF-8."""
    return page_of(document).encode()


def page_of(document: Document) -> str:
    """Give the page as text; PDF is made from it."""
    before, between, after = _around(document.wording.texts.page)
    return _template().render(
        document=document,
        wording=document.wording,
        texts=document.wording.texts,
        page=[_quoted(part) for part in (before, between, after)],
    )


def _around(page: str) -> tuple[str, str, str]:
    """What stands before, between and after the two numbers of a page."""
    before, _, rest = page.partition("{page}")
    between, _, after = rest.partition("{pages}")
    return before, between, after


def _quoted(text: str) -> str:
    """A string of CSS, in which every character but letters and digits is escaped."""
    return '"' + "".join(c if c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = SandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("clientledger_statements").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(source)
