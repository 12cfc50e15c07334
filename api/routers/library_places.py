"""How requests name an entry of the library and the version that they mean."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path

from api.schemas.library import Language

Key = Annotated[str, Path(max_length=80, examples=["cheaper_competitor-01"])]
EntryLanguage = Annotated[Language, Path(examples=["zh"])]
IfMatch = Annotated[
    str | None,
    Header(
        pattern=r'^(\*|"?[0-9]{1,9}"?)$',
        description='The version that you saw, such as `"3"`; 409 when it is not the newest.',
    ),
]


def version_of(if_match: str | None) -> int | None:
    """Return the version that an ``If-Match`` header names; None for any."""
    return None if if_match in (None, "*") else int(if_match.strip('"'))
