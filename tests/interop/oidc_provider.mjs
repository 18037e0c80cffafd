// The identity provider of test_oidc_provider.py: panva's oidc-provider on loopback, with JWT access tokens.
//
//   node oidc_provider.mjs '{"port": 0, "keys": "/some/file.json"}'
//
// `port` 0 takes any free one. `keys` is optional: a file of private JWKs that is read if it exists and written if
// it does not; without it every start makes new keys. Once both servers listen, one line of JSON goes to stdout:
// {"issuer": …, "mint": …, "client_key": …}; the last is the private JWK of the client orders-api-key, which asks the
// introspection endpoint. A POST of {"alg", "header", "claims"} to the `mint` URL answers with a JWS that jose signs
// with the provider's own key: for what the provider itself would never issue. It ends when stdin does, so that a
// test run that dies leaves nothing behind.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import Provider from 'oidc-provider'

const API = 'https://orders.example.test'
const ACCOUNTS = { ada: 'acme', grace: 'globex' }
const REDIRECT_URI = 'https://app.example.test/callback'

const { port = 0, keys: keyFile } = JSON.parse(process.argv[2] ?? '{}')

async function newKeys() {
  const keys = []
  for (const alg of ['RS256', 'ES256', 'Ed25519']) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = await exportJWK(privateKey)
    // The RSA key names no alg: it signs both RS256 and PS256.
    keys.push({ ...jwk, use: 'sig', kid: await calculateJwkThumbprint(jwk), ...(alg === 'RS256' ? {} : { alg }) })
  }
  return { keys }
}

async function loadKeys() {
  if (!keyFile) return newKeys()
  try {
    return JSON.parse(await readFile(keyFile, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    const jwks = await newKeys()
    await writeFile(keyFile, JSON.stringify(jwks), { mode: 0o600 })
    return jwks
  }
}

function listen(handler, wanted) {
  return new Promise((resolve, reject) => {
    const server = createServer(handler)
    server.once('error', reject)
    server.listen(wanted, '127.0.0.1', () => resolve(server))
  })
}

const at = (server) => `http://127.0.0.1:${server.address().port}`

const SECRET = 'the secret of every client: of no use to anybody else'

const machine = (client_id, tenant_id) => ({
  client_id,
  client_secret: SECRET,
  tenant_id,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
})

const app = (client_id, alg) => ({
  client_id,
  client_secret: SECRET,
  grant_types: ['authorization_code'],
  redirect_uris: [REDIRECT_URI],
  response_types: ['code'],
  id_token_signed_response_alg: alg,
})

// A client that asks about tokens and gets none.
const api = (client_id, more) => ({
  client_id,
  grant_types: [],
  redirect_uris: [],
  response_types: [],
  ...more,
})

// A resource is an API and the algorithm of its tokens: https://orders.example.test/ES256, or /opaque.
function resourceServer(resource) {
  const { origin, pathname } = new URL(resource)
  if (pathname === '/opaque') {
    return { scope: 'orders:read orders:write', audience: origin, accessTokenFormat: 'opaque', accessTokenTTL: 600 }
  }
  return {
    scope: 'orders:read orders:write',
    audience: origin,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg: pathname.slice(1) } },
  }
}

const jwks = await loadKeys()
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const clientKey = { ...(await exportJWK(privateKey)), kid: 'client-key', alg: 'ES256' }
const algorithms = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']
let provider
const front = await listen((request, response) => provider.callback()(request, response), port)
provider = new Provider(at(front), {
  jwks,
  cookies: { keys: ['a cookie key of this test run'] },
  clients: [
    machine('acme-machine', 'acme'),
    machine('globex-machine', 'globex'),
    machine('homeless-machine', undefined),
    app('app-RS256', 'RS256'),
    app('app-ES256', 'ES256'),
    api('orders-api', { client_secret: SECRET }),
    api('orders-api-post', { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' }),
    api('orders-api-key', {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'client-key', alg: 'ES256', use: 'sig' }] },
    }),
    // Named like the audience of the API: its ID tokens can only be told from access tokens by what is in them.
    app(API, 'RS256'),
  ],
  extraClientMetadata: { properties: ['tenant_id'] },
  scopes: ['openid', 'orders:read', 'orders:write'],
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (ctx, token) => ({
    tenant_id: token.accountId ? ACCOUNTS[token.accountId] : ctx.oidc.client.tenant_id,
  }),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => resourceServer(resource),
      useGrantedResource: () => true,
    },
  },
})

const back = await listen(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { alg, header, claims } = JSON.parse(Buffer.concat(chunks).toString())
  const kty = { R: 'RSA', P: 'RSA', E: 'EC' }[alg[0]]
  const jwk = jwks.keys.find((key) => (alg.startsWith('Ed') ? key.kty === 'OKP' : key.kty === kty))
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, typ: 'at+jwt', kid: jwk.kid, ...header })
    .sign(await importJWK(jwk, alg))
  response.end(token)
}, 0)

process.stdin.on('end', () => process.exit(0)).resume()
console.log(JSON.stringify({ issuer: at(front), mint: at(back), client_key: clientKey }))
