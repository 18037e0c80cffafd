"""Values printed in RFCs: the keys load, and the DPoP proof of RFC 9449 verifies as the signed text it is."""

from __future__ import annotations

from bearerkit.jose.compact import parse, parse_claims
from bearerkit.jose.keys import from_jwk


def test_keys_of_the_rfcs_load(load_vectors):
    """RFC 7638 section 3.1 (RSA), RFC 8037 appendix A.2 (Ed25519), RFC 9449 (P-256)."""
    examples = load_vectors("rfc-examples/rfc-examples.json")
    families = [
        from_jwk(examples[name]["jwk"]).family
        for name in ("thumbprint_rfc7638_3_1", "thumbprint_rfc8037_A3", "dpop_rfc9449")
    ]
    assert families == ["RSA", "OKP", "EC"]


def test_dpop_proof_of_rfc_9449(load_vectors):
    """The printed proof holds under the printed key, and not when a character of it changes."""
    example = load_vectors("rfc-examples/rfc-examples.json")["dpop_rfc9449"]
    key, proof = from_jwk(example["jwk"]), example["token_request_proof"]
    jws = parse(proof["jwt"])
    assert (jws.header.alg, jws.header.typ) == ("ES256", "dpop+jwt")
    assert key.verify("ES256", jws.signing_input, jws.signature)
    assert not key.verify("ES256", jws.signing_input + b"A", jws.signature)
    claims = parse_claims(jws.payload)
    assert {name: claims[name] for name in ("htm", "htu", "iat")} == {
        name: proof[name] for name in ("htm", "htu", "iat")
    }


def test_rsa_example_of_rfc_7520(load_vectors):
    """RFC 7520 section 4.1: an RS256 signature made by somebody else, with a private JWK we refuse to load."""
    example = load_vectors("ietf-jose-cookbook/jws/4_1.rsa_v15_signature.json")
    public = {name: example["input"]["key"][name] for name in ("kty", "kid", "use", "n", "e")}
    key = from_jwk(public)
    jws = parse(example["output"]["compact"])
    assert jws.payload.decode() == example["input"]["payload"]
    assert key.kid == jws.header.kid
    assert key.verify("RS256", jws.signing_input, jws.signature)
    assert not key.verify("PS256", jws.signing_input, jws.signature)
