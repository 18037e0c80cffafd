// Verifiers of other people, each behind one URL: POST /<name> with the token as a bearer credential and, as JSON, where
// the keys are and what is expected. The answer is {accepted, claims} or {accepted: false, why}.
import { createPublicKey } from 'node:crypto'
import http from 'node:http'
import { createRequire } from 'node:module'
import { Heimdall } from '@productcraft/heimdall'
import { Passport, verifyToken } from '@rudderjs/passport'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { JwksClient, passportJwtSecret } from 'jwks-rsa'
import passport from 'passport'

const require = createRequire(import.meta.url)
const passportJwt = require('passport-jwt')
const heimdallPassport = require('@productcraft/heimdall-passport') // its ES module never finds passport-jwt
const RequiredHeimdall = require('@productcraft/heimdall').Heimdall

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']
const NODE_ALGORITHMS = ['RS256', 'PS256', 'ES256'] // what jsonwebtoken can do

const keysOf = async (uri) => (await (await fetch(uri)).json()).keys
const pemOf = (jwk) => createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })

const throughPassport = (strategy, request) =>
  new Promise((done, failed) => {
    const ended = (error, claims, why) => (claims ? done(claims) : failed(error ?? why))
    passport.authenticate(strategy, { session: false }, ended)(request, {}, failed)
  })
const bearer = passportJwt.ExtractJwt.fromAuthHeaderAsBearerToken()
const found = (claims, done) => done(null, claims)
const passportStrategy = ({ issuer, audience }, key, algorithms) =>
  new passportJwt.Strategy({ jwtFromRequest: bearer, issuer, audience, algorithms, ...key }, found)

const consumers = {
  heimdall: ({ base, slug }, token) => new Heimdall({ baseUrl: base }).consumer(slug).verifyToken(token),
  'heimdall-passport': ({ base, slug }, _token, request) => {
    const consumer = new RequiredHeimdall({ baseUrl: base }).consumer(slug)
    return throughPassport(heimdallPassport.createHeimdallJwtStrategy(consumer, found), request)
  },
  'passport-jwt': (settings, _token, request) => {
    const key = { secretOrKeyProvider: passportJwtSecret({ jwksUri: settings.jwks }) }
    return throughPassport(passportStrategy(settings, key, NODE_ALGORITHMS), request)
  },
  'passport-jwt-pem': (settings, _token, request) =>
    throughPassport(passportStrategy(settings, { secretOrKey: settings.pem }, [settings.alg]), request),
  jsonwebtoken: async ({ issuer, audience, jwks }, token) => {
    const client = new JwksClient({ jwksUri: jwks })
    const key = await client.getSigningKey(jsonwebtoken.decode(token, { complete: true }).header.kid)
    return jsonwebtoken.verify(token, key.getPublicKey(), { issuer, audience, algorithms: NODE_ALGORITHMS })
  },
  jose: async ({ issuer, audience, jwks }, token) => {
    const options = { issuer, audience, typ: 'at+jwt', algorithms: ALGORITHMS }
    return (await jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(jwks)), options)).payload
  },
  'fast-jwt': ({ issuer, audience, jwks }, token) => {
    const key = async ({ header }) => pemOf((await keysOf(jwks)).find((jwk) => jwk.kid === header.kid))
    return createVerifier({ key, algorithms: ALGORITHMS, allowedIss: issuer, allowedAud: audience })(token)
  },
  'aws-jwt-verify': async ({ issuer, audience, jwks }, token) => {
    // It fetches over https only, so the keys are put into its cache.
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: 'https://unused.example.test/jwks.json' })
    verifier.cacheJwks({ keys: await keysOf(jwks) })
    return verifier.verify(token)
  },
  '@rudderjs/passport': ({ issuer, audience, pem }, token) => {
    Passport.setKeys('this one only verifies', pem)
    return verifyToken(token, { expectedAud: audience, expectedIssuer: issuer })
  },
}

const server = http.createServer(async (request, response) => {
  const answer = (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  let body = ''
  for await (const piece of request) body += piece
  try {
    const token = request.headers.authorization.slice('Bearer '.length)
    answer({ accepted: true, claims: await consumers[request.url.slice(1)](JSON.parse(body), token, request) })
  } catch (error) {
    answer({ accepted: false, why: `${error.name}: ${error.message}` })
  }
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, names: Object.keys(consumers) }))
})
process.stdin.resume().on('end', () => process.exit(0)) // whoever started us has gone
