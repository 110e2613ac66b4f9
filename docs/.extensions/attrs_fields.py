"""What the reference needs told: the fields of attrs classes, and several names on one line."""

import re
from collections.abc import Iterator
from typing import Any

import griffe

_SECTION = re.compile(r"(Args|Attributes|Raises):\Z")
_TAG = re.compile(r"((`+).+?\2)|<(\w+)>")
_SEVERAL = re.compile(r" {4}(\w+(?:, \w+)+): ")


class AttrsFields(griffe.Extension):
    """Give each attrs class the signature that it has, and each name in a docstring its own row."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        for found in list(_all(pkg)):
            if found.docstring is not None:
                found.docstring.value = _one_name_a_row(_as_markdown(found.docstring.value))
            if isinstance(found, griffe.Class) and "__init__" not in found.members:
                _add_signature(found)


def _all(parent: griffe.Module | griffe.Class) -> Iterator[griffe.Object]:
    for member in parent.members.values():
        if not member.is_alias:
            yield member
            if isinstance(member, griffe.Module | griffe.Class):
                yield from _all(member)


def _as_markdown(text: str) -> str:
    """Keep what Markdown would take for a tag, and drop what it does not know."""
    text = _TAG.sub(lambda found: found[1] or f"&lt;{found[3]}&gt;", text)
    return re.sub(r"::$", ":", text, flags=re.MULTILINE)


def _one_name_a_row(text: str) -> str:
    rows: list[list[str]] = []
    listing = False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            listing = bool(_SECTION.match(line))
        if line.startswith("     "):
            rows[-1].append(line)
        else:
            rows.append([line])
        if not listing:
            rows.append([])
    told = []
    for row in filter(None, rows):
        several = _SEVERAL.match(row[0])
        for name in several[1].split(", ") if several else ():
            told += [f"    {name}: {row[0][several.end() :]}", *row[1:]]
        told += [] if several else row
    return "\n".join(told)


def _add_signature(found: griffe.Class) -> None:
    told = [str(one.value) for one in found.decorators if str(one.value).startswith("attrs.")]
    if not told or "init=False" in told[0]:
        return
    fields = [
        field
        for owner in (*reversed(found.mro()), found)
        for field in owner.attributes.values()
        if field.annotation is not None and "instance-attribute" in field.labels
    ]
    if not fields or any(field.name.startswith("_") for field in fields):
        return
    named = griffe.ParameterKind.keyword_only
    every = "kw_only=True" in told[0]
    parameters = griffe.Parameters(
        *(
            griffe.Parameter(
                field.name,
                annotation=field.annotation,
                kind=named
                if every or "kw_only=True" in str(field.value or "")
                else griffe.ParameterKind.positional_or_keyword,
                default=_default(field.value),
            )
            for field in {field.name: field for field in fields}.values()
        )
    )
    found.set_member("__init__", griffe.Function("__init__", parameters=parameters))


def _default(value: Any) -> Any:
    text = str(value or "")
    if text.startswith("mapping_field("):
        return "{}"
    if text.startswith("attrs.field("):
        found = re.search(r"default=(None|''|\"\"|\(\))", text)
        return found[1] if found else "..." if "default=" in text or "factory=" in text else None
    return value
