// OAuth 2.0 with Cognito: the authorization code flow with PKCE, and refreshing tokens. It is loaded on demand.
import * as oauth from 'oauth4webapi';
import type { Config } from './config';

/** A response of the token endpoint. */
export interface Grant {
  readonly accessToken: string;
  /** `undefined` if the refresh token that was used stays valid. */
  readonly refreshToken: string | undefined;
  /** In seconds. */
  readonly expiresIn: number | undefined;
  /** The person's e-mail address, from the ID token. */
  readonly email: string | undefined;
}

/** What is needed again when the person returns from the sign-in page. */
export interface AuthorizationRequest {
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
}

/** The token endpoint rejected the code or the refresh token. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';
}

/** The URL of the sign-in page, with a new state and PKCE challenge. */
export async function authorizationRequest(config: Config, redirectUri: string): Promise<AuthorizationRequest> {
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

/** Exchanges the code in the callback URL for tokens. Throws `RejectedError`. */
export async function exchangeCode(
  config: Config,
  callback: URL,
  request: Omit<AuthorizationRequest, 'url'>,
  redirectUri: string,
): Promise<Grant> {
  const { server, client, options } = clientOf(config);
  return mapRejection(async () => {
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
    return grantOf(await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true }));
  });
}

/** Gets a new access token. Throws `RejectedError` if the refresh token is no longer valid. */
export async function refresh(config: Config, refreshToken: string): Promise<Grant> {
  const { server, client, options } = clientOf(config);
  return mapRejection(async () => {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, options);
    return grantOf(await oauth.processRefreshTokenResponse(server, client, response));
  });
}

function clientOf(config: Config) {
  const server: oauth.AuthorizationServer = {
    issuer: config.issuer,
    authorization_endpoint: config.authorizationEndpoint,
    token_endpoint: config.tokenEndpoint,
  };
  // Plain HTTP is only allowed for a token endpoint on this machine.
  const local = ['127.0.0.1', '[::1]'].includes(new URL(config.tokenEndpoint).hostname);
  return { server, client: { client_id: config.clientId }, options: { [oauth.allowInsecureRequests]: local } };
}

function grantOf(response: oauth.TokenEndpointResponse): Grant {
  const email = oauth.getValidatedIdTokenClaims(response)?.['email'];
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token,
    expiresIn: response.expires_in,
    email: typeof email === 'string' ? email : undefined,
  };
}

async function mapRejection(exchange: () => Promise<Grant>): Promise<Grant> {
  try {
    return await exchange();
  } catch (error) {
    const rejected =
      error instanceof oauth.AuthorizationResponseError ||
      (error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429);
    if (rejected) throw new RejectedError(error.error, { cause: error });
    throw error;
  }
}
