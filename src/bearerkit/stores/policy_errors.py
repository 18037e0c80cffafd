"""What a policy store refuses besides documents that do not parse. Raised to who manages policies, never to callers."""

from __future__ import annotations

from bearerkit.errors import BearerkitError

__all__ = ["PolicyConflict", "PolicyUnknown"]


class PolicyUnknown(BearerkitError):
    """There is no policy of this id or name in this tenant, or not this version of it."""

    status = 404
    public = "Not found."


class PolicyConflict(BearerkitError):
    """A stored policy is at another `version` than the change was made from, so that nothing was written."""

    status = 409
    public = "The policy was changed meanwhile."
    version: int
    """The version that is stored, 0 for none."""

    def __init__(self, detail: str = "", *, version: int = 0) -> None:
        super().__init__(detail)
        self.version = version
