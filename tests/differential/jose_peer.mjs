// Verifies tokens with jose, one JSON object per line in, one per line out; it ends when its input does.
import { createInterface } from "node:readline";
import { createLocalJWKSet, jwtVerify } from "jose";

async function verify({ token, jwks, secret, now, ...options }) {
  options.currentDate = new Date(now * 1000);
  if (secret !== null) return await jwtVerify(token, Buffer.from(secret, "base64url"), options);
  try {
    return await jwtVerify(token, createLocalJWKSet(jwks), options);
  } catch (error) {
    // What its documentation advises where several keys match.
    if (error?.code !== "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (inner) {
        if (inner?.code !== "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") throw inner;
      }
    }
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { accepted: true, claims: (await verify(JSON.parse(line))).payload };
  } catch (error) {
    answer = { accepted: false, why: `${error?.code ?? error?.name}: ${String(error?.message).slice(0, 120)}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
