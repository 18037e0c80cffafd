// APIs that other people's verifiers guard, each as its documentation says, on one port: /express, /express-strict and
// /oauth4webapi. Started with {issuer, audience} as JSON; every setting that is not needed is left at its default.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import * as oauth from 'oauth4webapi'

const { issuer, audience } = JSON.parse(process.argv[2])
const overHttp = { [oauth.allowInsecureRequests]: true }

const identifier = new URL(issuer)
const discovered = await oauth.discoveryRequest(identifier, overHttp)
const server = await oauth.processDiscoveryResponse(identifier, discovered)

const app = express()
app.set('env', 'test') // the error handler of Express says what it says, but does not print it too
app.use(express.urlencoded({ extended: false }))
const subject = (request, response) => response.json({ sub: request.auth.payload.sub })

app.all('/express', auth({ issuerBaseURL: issuer, audience }), subject)
app.all('/express-strict', auth({ issuerBaseURL: issuer, audience, strict: true }), subject)
app.all('/oauth4webapi', async (request, response) => {
  try {
    const { method, originalUrl, headers } = request
    const asked = new Request(new URL(originalUrl, 'http://localhost'), { method, headers })
    response.json({ sub: (await oauth.validateJwtAccessToken(server, asked, audience, overHttp)).sub })
  } catch (error) {
    // It throws; which answer that becomes is left to whoever calls it.
    response.status(401).json({ why: `${error.code}: ${error.message}` })
  }
})

const listening = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${listening.address().port}` }))
})
process.stdin.resume().on('end', () => process.exit(0)) // whoever started us has gone
