// An app that uses oauth4webapi, which checks every answer against the specifications and refuses what does not conform.
//
// Read on standard input, a line each: what the app is told (JSON), then the address that the browser came back to.
// Written on standard output, a line each: where the browser must go (JSON), then what the app has seen (JSON).

import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const write = (value) => console.log(JSON.stringify(value));

const told = JSON.parse(await read());
const oauth = await import(told.library);
const issuer = new URL(told.issuer);
// The server under test is on this machine, without TLS; nothing else is let through.
const insecure = { [oauth.allowInsecureRequests]: true };

const discover = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
const server = await discover("oidc");
const sameServer = await discover("oauth2");

const key = async (jwk) => ({
  kid: jwk.kid,
  key: await webcrypto.subtle.importKey("jwk", jwk, told.algorithm, false, ["sign"]),
});
// SMART wants the header `typ`, which the library leaves to its user.
const signs = async (jwk) =>
  oauth.PrivateKeyJwt(await key(jwk), { [oauth.modifyAssertion]: (header) => { header.typ = "JWT"; } });

// A user signs in, by a code with PKCE.
const client = { client_id: told.app.client_id };
const authentication = await signs(told.app.key);
const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const address = new URL(server.authorization_endpoint);
const asked = {
  response_type: "code",
  client_id: client.client_id,
  redirect_uri: told.redirect_uri,
  scope: told.scope,
  state,
  nonce,
  aud: told.issuer,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
};
for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
write(address.href);

const back = new URL(await read());
const parameters = oauth.validateAuthResponse(server, client, back, state);
const codeAnswer = await oauth.authorizationCodeGrantRequest(
  server, client, authentication, parameters, told.redirect_uri, verifier, insecure);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, codeAnswer, {
  expectedNonce: nonce,
  maxAge: 3600,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, codeAnswer, insecure);
const claims = oauth.getValidatedIdTokenClaims(tokens);

const patient = async (token) =>
  (await oauth.protectedResourceRequest(
    token, "GET", new URL(`${told.issuer}/Patient/${tokens.patient}`), new Headers(), null, insecure));
const record = await (await patient(tokens.access_token)).json();

// The access token is renewed, asked about, and given back.
const refreshed = await oauth.processRefreshTokenResponse(server, client,
  await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, insecure));
const introspect = async (token) => oauth.processIntrospectionResponse(server, client,
  await oauth.introspectionRequest(server, client, authentication, token, insecure));
const live = await introspect(refreshed.access_token);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token, insecure));
const ended = await introspect(refreshed.access_token);

// The same code again is refused, and so is a refresh token of what has ended.
const refusal = async (answer, process) => process(server, client, answer).catch((fault) => fault.error ?? String(fault));
const replayed = await refusal(
  await oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, told.redirect_uri, verifier, insecure),
  oauth.processAuthorizationCodeResponse);
const late = await refusal(
  await oauth.refreshTokenGrantRequest(server, client, authentication, refreshed.refresh_token, insecure),
  oauth.processRefreshTokenResponse);

// A backend service, which nobody signs in to.
const service = { client_id: told.service.client_id };
const backend = await oauth.processClientCredentialsResponse(server, service,
  await oauth.clientCredentialsGrantRequest(
    server, service, await signs(told.service.key), { scope: "system/Patient.rs" }, insecure));
const served = await patient(backend.access_token);

write({ server, sameServer, tokens, claims, record, refreshed, live, ended, replayed, late, backend, served: served.status });
process.exit(0);
