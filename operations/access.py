"""Who may do what, and where: the one place that knows roles, scopes and regions.

The table of roles follows the field's rules (``docs/reference/roles.md``). Everything else asks an `Actor`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from common.errors import FieldProblem, Forbidden, InvalidInput, Text

SCOPES = {
    "hints:ask": "ask for hints and give feedback on them",
    "library:read": "read the success-case library",
    "library:suggest": "write drafts of library entries and submit them for review",
    "library:write": "write, import and publish library entries",
    "customers:read": "read customers, contacts masked",
    "contacts:read": "read contacts unmasked; every reading is logged",
    "routes:read": "read route plans",
    "routes:plan": "make route plans",
    "staffing:plan": "plan the lending of reps between regions",
    "staffing:approve": "decide about the lending of reps",
    "forecasts:read": "read forecasts and their accuracy",
    "forecasts:train": "train forecast models and choose the one in use",
    "forecasts:override": "override forecasts, with a reason",
    "stock:read": "read stock",
    "stock:write": "import what was consumed and book moves of stock",
    "transfers:plan": "plan transfers of stock between regions",
    "transfers:approve": "decide about proposed transfers and orders of stock",
    "people:read": "read people without their secrets",
    "keys:manage": "make and revoke API keys",
    "audit:read": "read the audit log",
}
"""What can be allowed, and what it means."""

_READ_ALL = frozenset({"library:read", "customers:read", "routes:read", "forecasts:read", "stock:read", "people:read"})
ROLE_SCOPES: dict[str, frozenset[str]] = {
    "rep": frozenset(
        {"hints:ask", "library:read", "library:suggest", "customers:read", "contacts:read", "routes:read"}
    ),
    "recorder": frozenset(
        {"hints:ask", "library:read", "library:suggest", "library:write", "customers:read", "routes:read"}
    ),
    "logistics": _READ_ALL
    | {"hints:ask", "routes:plan", "staffing:plan", "forecasts:override"}
    | {"stock:write", "transfers:plan", "transfers:approve"},
    "region_manager": _READ_ALL
    | {
        "hints:ask",
        "library:suggest",
        "library:write",
        "contacts:read",
        "routes:plan",
        "staffing:approve",
        "forecasts:override",
        "stock:write",
        "transfers:plan",
        "transfers:approve",
        "audit:read",
    },
    "analyst": _READ_ALL | {"hints:ask", "forecasts:train"},
    "director": frozenset(SCOPES),
}
_ALL_REGIONS = frozenset({"logistics", "analyst", "director"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, or some system, that asks for something.

    Attributes
    ----------
    code : str
        Code of the person, ``key:<id>`` of an API key, or a word for a part of the system.
    kind : {"person", "key", "system"}
        What it is.
    scopes : frozenset of str
        What it may do (see `SCOPES`).
    role : str or None
        The role of a person.
    region_code : str or None
        The one region that it is bound to; None for all regions.
    language : str
        The language in which it wants texts.
    """

    code: str
    kind: Literal["person", "key", "system"]
    scopes: frozenset[str]
    role: str | None = None
    region_code: str | None = None
    language: str = "zh"

    @classmethod
    def person(cls, code: str, role: str, region_code: str | None, language: str = "zh") -> Actor:
        """Return the actor for a person: the scopes and the region follow from the role."""
        region = None if role in _ALL_REGIONS else region_code
        return cls(code, "person", ROLE_SCOPES[role], role, region, language)

    @classmethod
    def system(cls, code: str) -> Actor:
        """Return an actor for the system itself (command line, scheduled jobs): it may do everything."""
        return cls(code, "system", frozenset(SCOPES))

    @property
    def own_records_only(self) -> bool:
        """Whether the actor sees only customers and routes that are its own."""
        return self.role == "rep"

    def may(self, scope: str) -> bool:
        """Return whether the actor has a scope."""
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """Make sure that the actor has a scope.

        Raises
        ------
        Forbidden
            When it does not.
        """
        if not self.may(scope):
            raise Forbidden(
                Text(f"this needs the right {scope} ({SCOPES[scope]})", f"此操作需要权限 {scope}，您的角色或密钥没有它")
            )

    def require_region(self, region_code: str | None) -> None:
        """Make sure that the actor may act on a region; None means all regions.

        Raises
        ------
        Forbidden
            When the region is not its own.
        """
        if self.region_code is not None and region_code != self.region_code:
            raise Forbidden(
                Text(
                    f"you may act on region {self.region_code} only",
                    f"您只能操作本区域（{self.region_code}）",
                )
            )

    def region_or_own(self, region_code: str | None) -> str | None:
        """Return the region to look at: the one asked for, or the actor's own when it asked for none."""
        if region_code is None:
            return self.region_code
        self.require_region(region_code)
        return region_code


def check_scopes(scopes: list[str]) -> frozenset[str]:
    """Return the scopes as a set.

    Raises
    ------
    InvalidInput
        When one of them does not exist; each is named.
    """
    problems = [
        FieldProblem(f"/scopes/{position}", Text(f"{scope!r} is not a scope", f"没有 {scope!r} 这个权限"))
        for position, scope in enumerate(scopes)
        if scope not in SCOPES
    ]
    if problems:
        raise InvalidInput(Text("unknown scopes", "存在未知权限"), fields=problems)
    return frozenset(scopes)


def mask_phone(phone: str | None) -> str | None:
    """Return a phone number with its middle hidden: ``13812345678`` becomes ``138****5678``."""
    if phone is None:
        return None
    digits = re.sub(r"\D", "", phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "****"


def mask_address(address: str | None) -> str | None:
    """Return the part of an address up to its street; house and flat numbers are hidden."""
    if address is None:
        return None
    return re.split(r"\d", address, maxsplit=1)[0] + "***"
