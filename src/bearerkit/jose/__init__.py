"""JOSE rules: compact JWS, strict JSON, algorithms, keys, claims (RFC 7515, 7517, 7518, 7519, 8725).

Everything in this package is pure: bytes and values in, a verdict out. Nothing here fetches, waits, logs, or asks
for the time, and no key or rule is ever chosen by what an unverified token says. Signature maths is PyJWT's and
cryptography's; parsing, key rules and claim rules are ours. Import the module you need: this one stays empty.
"""
