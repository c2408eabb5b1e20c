// The OAuth 2.0 exchanges with Cognito: authorization code with PKCE, refresh. Loaded only when one is due.
import * as oauth from 'oauth4webapi';
import type { Config } from './config';

/** What a token endpoint gave. */
export interface Grant {
  readonly accessToken: string;
  /** Absent where the one that was used stays good. */
  readonly refreshToken: string | undefined;
  /** Seconds. */
  readonly expiresIn: number | undefined;
  /** The person's e-mail address, from the ID token. */
  readonly email: string | undefined;
}

/** What has to be known again when the person comes back from the sign-in page. */
export interface Request {
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
}

/** The token endpoint said no: the code or the refresh token is worth nothing any more. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Where to send the person, with a fresh state and PKCE challenge. */
export async function authorizationRequest(config: Config, redirectUri: string): Promise<Request> {
  const state = oauth.generateRandomState();
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(config.authorizationEndpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: redirectUri,
    scope: config.scopes.join(' '),
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  return { url: url.href, state, verifier };
}

/** Turns the address that the sign-in page led back to into tokens. Throws `RefusedError`. */
export async function redeem(
  config: Config,
  callback: URL,
  request: Omit<Request, 'url'>,
  redirectUri: string,
): Promise<Grant> {
  const { server, client, options } = parties(config);
  return refusals(async () => {
    const parameters = oauth.validateAuthResponse(server, client, callback, request.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      redirectUri,
      request.verifier,
      options,
    );
    return grant(await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true }));
  });
}

/** Asks for a new access token. Throws `RefusedError` if the refresh token is worth nothing any more. */
export async function refresh(config: Config, refreshToken: string): Promise<Grant> {
  const { server, client, options } = parties(config);
  return refusals(async () => {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, options);
    return grant(await oauth.processRefreshTokenResponse(server, client, response));
  });
}

function parties(config: Config) {
  const server: oauth.AuthorizationServer = {
    issuer: config.issuer,
    authorization_endpoint: config.authorizationEndpoint,
    token_endpoint: config.tokenEndpoint,
  };
  // Plain HTTP is for a token endpoint on this machine alone.
  const local = ['127.0.0.1', '[::1]'].includes(new URL(config.tokenEndpoint).hostname);
  return { server, client: { client_id: config.clientId }, options: { [oauth.allowInsecureRequests]: local } };
}

function grant(response: oauth.TokenEndpointResponse): Grant {
  const email = oauth.getValidatedIdTokenClaims(response)?.['email'];
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token,
    expiresIn: response.expires_in,
    email: typeof email === 'string' ? email : undefined,
  };
}

async function refusals(exchange: () => Promise<Grant>): Promise<Grant> {
  try {
    return await exchange();
  } catch (error) {
    const refused =
      error instanceof oauth.AuthorizationResponseError ||
      (error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429);
    if (refused) throw new RefusedError(error.error, { cause: error });
    throw error;
  }
}
