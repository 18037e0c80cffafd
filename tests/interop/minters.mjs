// Issuers of other people, each behind one URL: POST /<name> with {claims, header, alg, key} gives {token}. What
// Heimdall publishes below its slug is served as it serves it; the public keys are told at the start.
import { generateKeyPairSync } from 'node:crypto'
import http from 'node:http'
import { HasApiTokens, Passport, clientCredentialsGrant, createClient } from '@rudderjs/passport'
import { Model } from '@rudderjs/orm'
import { createSigner } from 'fast-jwt'
import { SignJWT, exportJWK } from 'jose'
import jsonwebtoken from 'jsonwebtoken'

const SLUG = 'orders'
const PEM = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pems = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048, ...PEM }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256', ...PEM }),
  EdDSA: generateKeyPairSync('ed25519', PEM),
}
pems.PS256 = pems.RS256
const SECRET = 'a secret of 64 bytes, which is long enough for every HMAC there is'
const published = { ...(await exportJWK(rsa.publicKey)), kid: 'rs256-0123456789abcdef', alg: 'RS256', use: 'sig' }

Passport.setKeys(pems.RS256.privateKey, pems.RS256.publicKey)
Passport.tokensCan({ 'posts:read': 'Read posts', 'posts:write': 'Write posts' })
const machine = await createClient({ name: 'machine', grantTypes: ['client_credentials'] })
class User extends HasApiTokens(Model) {}

const minters = {
  heimdall: ({ claims, header }) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: published.kid, typ: 'JWT', ...header }).sign(rsa.privateKey),
  jsonwebtoken: ({ claims, header, alg }) =>
    jsonwebtoken.sign(claims, alg.startsWith('HS') ? SECRET : pems[alg].privateKey, { algorithm: alg, header }),
  'fast-jwt': ({ claims, header, alg }) =>
    createSigner({ key: alg.startsWith('HS') ? SECRET : pems[alg].privateKey, algorithm: alg, header })(claims),
  'rudder-machine': async ({ scope, issuer }) => {
    Passport.useIssuer(issuer)
    const asked = { grantType: 'client_credentials', clientId: machine.client.id, clientSecret: machine.secret, scope }
    return (await clientCredentialsGrant(asked)).access_token
  },
  'rudder-user': async ({ user, scopes, issuer }) => {
    Passport.useIssuer(issuer)
    return (await Object.assign(new User(), { id: user }).createToken('cli', scopes)).plainTextToken
  },
}

const documents = (base) => ({
  [`/${SLUG}/v1/.well-known/jwks.json`]: { keys: [published] },
  [`/${SLUG}/v1/.well-known/openid-configuration`]: {
    issuer: `${base}/${SLUG}`,
    jwks_uri: `${base}/${SLUG}/v1/.well-known/jwks.json`,
    token_endpoint: `${base}/${SLUG}/v1/oauth/token`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
})

const server = http.createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const document = documents(`http://${request.headers.host}`)[request.url]
  if (document !== undefined) return answer(200, document)
  const mint = minters[request.url.slice(1)]
  if (mint === undefined) return answer(404, {})
  let body = ''
  for await (const piece of request) body += piece
  try {
    answer(200, { token: await mint(JSON.parse(body)) })
  } catch (error) {
    answer(500, { why: `${error.name}: ${error.message}` })
  }
})
server.listen(0, '127.0.0.1', () => {
  const keys = Object.fromEntries(Object.entries(pems).map(([alg, pair]) => [alg, pair.publicKey]))
  console.log(
    JSON.stringify({
      url: `http://127.0.0.1:${server.address().port}`,
      slug: SLUG,
      pems: keys,
      secret: SECRET,
      machine: machine.client.id,
    }),
  )
})
process.stdin.resume().on('end', () => process.exit(0)) // whoever started us has gone
