"""A state machine over a whole `Auth` that caches: what it accepts was right to accept, and it refuses no good token.

Tokens are really signed. Keys rotate at an issuer that may be down, clocks jump, tokens, sessions and subjects are
revoked, a tenant loses its place, the issuer entry ends, and verdicts are forgotten or pushed out. Beside it stands a
list of what is true, which knows no cache.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Web, auth, jwks, token
from bearerkit import Issuer
from bearerkit.errors import BearerkitError
from bearerkit.jose.key_cache import KeyCache
from bearerkit.stores.memory import MemoryRevocations
from bearerkit.testing import FrozenClock, SigningKey
from key_doubles import NoThreads

KIDS = ("k1", "k2", "k3")
FRESH, STALE, BACKOFF, ASKED_AGAIN, LEEWAY = 100, 50, 2, 60, 30
RULES = KeyCache(fresh=FRESH, stale=STALE, cooldown=0, absent=0, fresh_min=0, backoff_max=BACKOFF)


@cache
def signer(kid: str) -> SigningKey:
    """One key for each kid."""
    return SigningKey.generate("ES256", kid=kid)


class AuthMachine(RuleBasedStateMachine):
    """All that ends a verdict, in any order."""

    @initialize(size=st.sampled_from([1, 2, 100]), until=st.sampled_from([None, 100, 300]))
    def begin(self, size: int, until: int | None) -> None:
        self.clock, self.web = FrozenClock(NOW), Web()
        self.revocations = MemoryRevocations(self.clock)
        self.tenants = {"t1", "t2"}
        self.until = None if until is None else NOW + until
        issuer = Issuer(
            ISSUER,
            audience="api",
            jwks_uri=JWKS_URL,
            algorithms="ES256",
            key_cache=RULES,
            tenants=lambda tenant: tenant in self.tenants,
            until=self.until,
            leeway=LEEWAY,
        )
        self.auth = auth(
            issuer,
            web=self.web,
            clock=self.clock,
            revocations=self.revocations,
            token_cache=size,
            threads=NoThreads(),
        )
        self.tokens: list[tuple[str, dict[str, Any]]] = []
        self.revoked: set[tuple[str, str]] = set()
        self.revoked_before: dict[str, float] = {}
        self.published: set[str] = set()
        self.up = True
        self.up_since = float("-inf")
        # When a kid was last to be had from the issuer, and a tenant last welcome; monotonic.
        self.last_published: dict[str, float] = {}
        self.last_welcome: dict[str, float] = {}
        self.publish({"k1", "k2"})

    @rule(kids=st.sampled_from([set(KIDS), set(KIDS), {"k1"}, {"k2", "k3"}, set()]))
    def publish(self, kids: set[str]) -> None:
        self.note()
        self.published = kids
        self.serve()

    @rule(up=st.sampled_from([True, True, False]))
    def outage(self, up: bool) -> None:
        self.note()
        if up and not self.up:
            self.up_since = self.clock.monotonic()
        self.up = up
        self.serve()

    def serve(self) -> None:
        self.web[JWKS_URL] = jwks(*map(signer, sorted(self.published))) if self.up else DOWN
        self.note()

    @rule(tenants=st.sampled_from([{"t1", "t2"}, {"t1", "t2"}, {"t1"}, {"t2"}]))
    def welcome(self, tenants: set[str]) -> None:
        self.note()
        self.tenants = tenants
        self.note()

    def note(self) -> None:
        """Write down what is true up to this moment."""
        moment = self.clock.monotonic()
        if self.up:
            self.last_published |= dict.fromkeys(self.published, moment)
        self.last_welcome |= dict.fromkeys(self.tenants, moment)

    @rule(seconds=st.sampled_from([1, 20, 20, 59, 61, 99]), jump=st.sampled_from([0, 0, 0, -120, 120]))
    def pass_time(self, seconds: int, jump: int) -> None:
        self.note()
        self.clock.advance(seconds)
        self.clock.jump(jump)
        self.note()

    @rule(
        kid=st.sampled_from(KIDS),
        tenant=st.sampled_from(["t1", "t2"]),
        life=st.sampled_from([10, 1_000, 1_000]),
        starts=st.sampled_from([0, 0, 0, 40]),
        sid=st.integers(0, 9).map("s{}".format),
        sub=st.sampled_from(["u1", "u2"]),
    )
    def issue(self, kid: str, tenant: str, life: int, starts: int, sid: str, sub: str) -> None:
        now = int(self.clock.now())
        claims = {"sub": sub, "sid": sid, "tenant_id": tenant, "jti": f"j{len(self.tokens)}", "iat": now}
        claims |= {"exp": now + life, "nbf": now + starts}
        self.tokens.append((token(signer(kid), **claims), {"kid": kid, **claims}))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), what=st.sampled_from(["jti", "sid", "sub"]))
    def revoke(self, data: st.DataObject, what: str) -> None:
        _, claims = data.draw(st.sampled_from(self.tokens))
        match what:
            case "jti":
                self.revocations.revoke_token(claims["jti"])
            case "sid":
                self.revocations.revoke_session(claims["sid"])
            case _:
                self.revocations.revoke_subject(claims["sub"], before=self.clock.now())
                earlier = self.revoked_before.get(claims["sub"], self.clock.now())
                self.revoked_before[claims["sub"]] = max(earlier, self.clock.now())
                return
        self.revoked.add((what, claims[what]))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), how=st.sampled_from(["token", "subject", "tenant_id", "all"]))
    def forget(self, data: st.DataObject, how: str) -> None:
        text, claims = data.draw(st.sampled_from(self.tokens))
        named = {"token": text, "subject": claims["sub"], "tenant_id": claims["tenant_id"]}
        self.auth.forget(**({} if how == "all" else {how: named[how]}))

    @invariant()
    def the_last_tokens_are_judged_rightly(self) -> None:
        """Asked after every step, so that there is a verdict to be wrong."""
        for text, claims in getattr(self, "tokens", [])[-4:]:
            self.check(text, claims)

    def check(self, text: str, claims: dict[str, Any]) -> None:
        self.note()
        context, refused = None, None
        try:
            context = self.auth.verify(text)
        except BearerkitError as refusal:
            refused = refusal
        if context is None:
            assert not self.must_pass(claims), refused
            return
        assert context.claims["jti"] == claims["jti"]
        assert self.holds(claims), "revoked, out of its time, or beyond until="
        moment = self.clock.monotonic()
        assert moment < self.last_welcome[claims["tenant_id"]] + ASKED_AGAIN
        # While the issuer answers, a removed key ends with its freshness; in an outage `stale` is added.
        beyond = FRESH if self.up and self.up_since < self.last_published[claims["kid"]] else FRESH + STALE
        assert moment <= self.last_published[claims["kid"]] + beyond

    def holds(self, claims: dict[str, Any]) -> bool:
        """What no cache may ever get wrong."""
        now = self.clock.now()
        in_time = max(claims["nbf"], claims["iat"]) - LEEWAY <= now < claims["exp"] + LEEWAY
        open_still = self.until is None or now < self.until
        revoked = any((what, claims[what]) in self.revoked for what in ("jti", "sid"))
        revoked = revoked or claims["iat"] <= self.revoked_before.get(claims["sub"], float("-inf"))
        return in_time and open_still and not revoked

    def must_pass(self, claims: dict[str, Any]) -> bool:
        """Good now, at an issuer whose last outage and its back-off are over."""
        answers = self.up and self.clock.monotonic() > self.up_since + BACKOFF
        return (
            self.holds(claims) and claims["tenant_id"] in self.tenants and answers and claims["kid"] in self.published
        )


AuthMachine.TestCase.settings = settings(
    max_examples=max(80, settings.default.max_examples // 20), stateful_step_count=40, deadline=None
)
TestAuth = AuthMachine.TestCase
