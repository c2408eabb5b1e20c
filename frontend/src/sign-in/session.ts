// The session: who is signed in, and the access token, which is renewed before it expires, once for all requests and tabs.
import { NetworkError, SignedOutError, UserFacingError } from '../api/problem';
import type { Credentials } from '../api/transport';
import { readStored } from '../shared/stored';
import { text } from '../shared/text';
import { type Config, ConfigError } from './config';
import type { Grant } from './oauth';

/**
 * Tokens are stored in localStorage, so that people stay signed in in other tabs and on the next day. Every script of the
 * page can read them there, so the content security policy allows only the page's own scripts.
 */
const TOKENS = 'ilg.tokens';
/** What is needed when the person returns from the sign-in page, for this tab. */
const PENDING = 'ilg.sign-in';
/** Allows one refresh at a time in all tabs: with token rotation, Cognito accepts each refresh token once. */
const LOCK = 'ilg.refresh';
/** A token that expires in less than this many milliseconds is renewed in the background. */
const RENEW_BEFORE = 5 * 60_000;
/** How long signing out waits for the revocation, in milliseconds. The request continues. */
const REVOCATION_WAIT = 3_000;
/** A token that expires in less than this many milliseconds may expire during its request. */
const MIN_LIFETIME = 30_000;

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** In milliseconds since 1970, by this computer's clock. */
  readonly expiresAt: number;
  readonly email: string | undefined;
}

interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** Path, query and hash to return to. */
  readonly address: string;
}

/** Signing in failed. */
export class SignInError extends UserFacingError {
  override readonly name = 'SignInError';
}

/** Dispatches `change` when somebody signs in or out, in this or another tab. */
export class Session extends EventTarget implements Credentials {
  private tokens: Tokens | undefined = readStored<Tokens>(localStorage, TOKENS);
  private refreshing: Promise<string> | undefined;
  private signingOut = false;

  constructor(private readonly config: Promise<Config>) {
    super();
    // Errors are handled where the configuration is awaited.
    config.catch(() => {});
    window.addEventListener('storage', ({ key }) => {
      if (key === TOKENS || key === null) this.setTokens(readStored<Tokens>(localStorage, TOKENS));
    });
  }

  get signedIn(): boolean {
    return this.tokens !== undefined;
  }

  /** Whether the person has signed out here, and the page is opening Cognito's sign-out. */
  get isSigningOut(): boolean {
    return this.signingOut;
  }

  /** The e-mail address of the person who is signed in. */
  get email(): string | undefined {
    return this.tokens?.email;
  }

  /** The access token. Throws `SignedOutError`, or `NetworkError` if it could not be renewed. */
  async accessToken(): Promise<string> {
    if (!this.tokens) throw new SignedOutError();
    const remaining = this.tokens.expiresAt - Date.now();
    if (remaining < MIN_LIFETIME) return this.renew(this.tokens.accessToken);
    // The request does not wait for this renewal.
    if (remaining < RENEW_BEFORE) this.renew(this.tokens.accessToken).catch(() => {});
    return this.tokens.accessToken;
  }

  /** A new token. Concurrent calls share one renewal. */
  renew(rejected: string): Promise<string> {
    this.refreshing ??= navigator.locks
      .request(LOCK, () => this.refresh(rejected))
      .finally(() => {
        this.refreshing = undefined;
      });
    return this.refreshing;
  }

  /** Opens the sign-in page, which returns to the current address. Throws `ConfigError`. */
  async signIn(): Promise<void> {
    const [config, oauth] = await Promise.all([this.config, loadOauth()]);
    const { url, state, verifier } = await oauth.authorizationRequest(config, redirectUri());
    const address = location.pathname + location.search + location.hash;
    sessionStorage.setItem(PENDING, JSON.stringify({ state, verifier, address } satisfies Pending));
    location.assign(url);
  }

  /**
   * Completes signing in if the sign-in page opened this page, and restores the earlier address. Throws `SignInError` or
   * `ConfigError`.
   */
  async completeSignIn(): Promise<void> {
    const callback = new URL(location.href);
    const { searchParams } = callback;
    if (!searchParams.has('state') || !(searchParams.has('code') || searchParams.has('error'))) return;
    const pending = readStored<Pending>(sessionStorage, PENDING);
    sessionStorage.removeItem(PENDING);
    // First remove the code from the address bar and the history.
    history.replaceState(null, '', urlOf(pending?.address));
    if (!pending) {
      // The address was bookmarked or opened again. If somebody is signed in, ignore it.
      if (this.signedIn) return;
      throw new SignInError(text.signIn.elsewhere);
    }
    try {
      const [config, oauth] = await Promise.all([this.config, loadOauth()]);
      this.store(await oauth.exchangeCode(config, callback, pending, redirectUri()));
    } catch (error) {
      throw error instanceof ConfigError ? error : new SignInError(text.signIn.failed, { cause: error });
    }
  }

  /**
   * Removes the tokens, revokes the refresh token, and opens Cognito's sign-out, which ends Cognito's session and
   * redirects back.
   */
  async signOut(): Promise<void> {
    this.signingOut = true;
    const refreshToken = this.tokens?.refreshToken;
    this.end();
    const config = await this.config.catch(() => undefined);
    // Without the configuration, the welcome page shows an error.
    if (!config) {
      this.signingOut = false;
      return;
    }
    if (refreshToken) await Promise.race([revoke(config, refreshToken), delay(REVOCATION_WAIT)]);
    const url = new URL(config.logoutEndpoint);
    url.search = new URLSearchParams({ client_id: config.clientId, logout_uri: redirectUri() }).toString();
    location.assign(url.href);
  }

  /** Removes the tokens. */
  end(): void {
    localStorage.removeItem(TOKENS);
    this.setTokens(undefined);
  }

  private async refresh(rejected: string): Promise<string> {
    // Another tab may have renewed it.
    this.setTokens(readStored<Tokens>(localStorage, TOKENS));
    if (this.tokens && this.tokens.accessToken !== rejected) return this.tokens.accessToken;
    const refreshToken = this.tokens?.refreshToken;
    if (!refreshToken) {
      this.end();
      throw new SignedOutError();
    }
    const oauth = await loadOauth().catch((error) => {
      throw new NetworkError(text.unreachable, { cause: error });
    });
    let grant: Grant;
    try {
      grant = await oauth.refresh(await this.config, refreshToken);
    } catch (error) {
      if (!(error instanceof oauth.RejectedError)) throw new NetworkError(text.unreachable, { cause: error });
      if (this.isStored(refreshToken)) this.end();
      throw new SignedOutError();
    }
    // If somebody has signed out or in in the meantime, do not overwrite that.
    if (!this.isStored(refreshToken)) throw new SignedOutError();
    return this.store(grant).accessToken;
  }

  /** Whether this is still the stored refresh token. */
  private isStored(refreshToken: string): boolean {
    this.setTokens(readStored<Tokens>(localStorage, TOKENS));
    return this.tokens?.refreshToken === refreshToken;
  }

  private store(grant: Grant): Tokens {
    const { accessToken, refreshToken = this.tokens?.refreshToken, expiresIn = 300, email = this.email } = grant;
    const tokens = { accessToken, refreshToken, email, expiresAt: Date.now() + expiresIn * 1000 };
    localStorage.setItem(TOKENS, JSON.stringify(tokens));
    this.setTokens(tokens);
    return tokens;
  }

  private setTokens(tokens: Tokens | undefined): void {
    const changed = this.signedIn !== (tokens !== undefined) || this.email !== tokens?.email;
    this.tokens = tokens;
    if (changed) this.dispatchEvent(new Event('change'));
  }
}

function loadOauth() {
  return import('./oauth');
}

/**
 * Revokes a refresh token and all access tokens that were issued with it. Signing out succeeds even if this fails. A form
 * does not need a CORS preflight, and with `keepalive` the request continues when the page is closed: without a time limit, the
 * token is revoked on a slow network, too.
 */
async function revoke({ revocationEndpoint, clientId }: Config, refreshToken: string): Promise<void> {
  const form = new URLSearchParams({ token: refreshToken, client_id: clientId });
  try {
    await fetch(revocationEndpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      keepalive: true,
    });
  } catch (error) {
    console.warn('The refresh token could not be revoked.', error);
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** The URL of a stored path. It includes the origin, so that a path that starts with `//` cannot name another host. */
export function urlOf(path: string = '/', origin: string = location.origin): string {
  return origin + (path.startsWith('/') ? path : '/');
}

/** The only address that Cognito is configured to redirect to. */
function redirectUri(): string {
  return `${location.origin}/`;
}
