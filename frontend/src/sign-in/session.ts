// Who is signed in, and the access token for each request: renewed before it expires, once for all requests and tabs.
import { NetworkError, SignedOutError } from '../api/problem';
import type { Credentials } from '../api/transport';
import { text } from '../text';
import { type Config, ConfigError } from './config';
import type { Grant } from './oauth';

/**
 * Tokens are kept in localStorage: a picture opened in another tab, or tomorrow, must not ask for a password again. Any
 * store that scripts can read is as safe as the page's scripts are; the content security policy lets in none but ours.
 */
const TOKENS = 'ilg.tokens';
/** What has to be known when the person comes back from the sign-in page: of this tab alone. */
const PENDING = 'ilg.sign-in';
/** One refresh at a time, over all tabs: Cognito may give each refresh token for one use only. */
const LOCK = 'ilg.refresh';
/** A token that expires in less than this many milliseconds is renewed; it still serves meanwhile. */
const EARLY = 5 * 60_000;
/** A token that expires in less than this many milliseconds might not live as long as its request. */
const LATE = 30_000;

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly expiresAt: number;
  readonly email: string | undefined;
}

interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** Path, query and hash to return to. */
  readonly address: string;
}

/** Dispatches `change` when somebody has signed in or out, in this tab or another. */
export class Session extends EventTarget implements Credentials {
  private tokens: Tokens | undefined = read<Tokens>(localStorage, TOKENS);
  private refreshing: Promise<string> | undefined;
  private signingOut = false;

  constructor(private readonly config: Promise<Config>) {
    super();
    // Whoever needs it hears of a failure when he awaits it.
    config.catch(() => {});
    window.addEventListener('storage', ({ key }) => {
      if (key === TOKENS || key === null) this.take(read<Tokens>(localStorage, TOKENS));
    });
  }

  get signedIn(): boolean {
    return this.tokens !== undefined;
  }

  /** Whether the person has signed out here, and is on the way to Cognito's sign-out. */
  get left(): boolean {
    return this.signingOut;
  }

  /** The e-mail address of whoever is signed in. */
  get email(): string | undefined {
    return this.tokens?.email;
  }

  /** The access token to send. Throws `SignedOutError`, or `NetworkError` if it had to be renewed and could not be. */
  async accessToken(): Promise<string> {
    if (!this.tokens) throw new SignedOutError();
    const left = this.tokens.expiresAt - Date.now();
    if (left < LATE) return this.renew(this.tokens.accessToken);
    // Soon to expire: renewed beside the request, which nobody has to wait for.
    if (left < EARLY) this.renew(this.tokens.accessToken).catch(() => {});
    return this.tokens.accessToken;
  }

  /** A token in place of one that was refused or expires; the same one for everybody who asks meanwhile. */
  renew(refused: string): Promise<string> {
    this.refreshing ??= navigator.locks
      .request(LOCK, () => this.refresh(refused))
      .finally(() => {
        this.refreshing = undefined;
      });
    return this.refreshing;
  }

  /** Leaves for the sign-in page; the person comes back to where he is now. Throws `ConfigError`. */
  async signIn(): Promise<void> {
    const [config, oauth] = await Promise.all([this.config, loadOauth()]);
    const { url, state, verifier } = await oauth.authorizationRequest(config, redirectUri());
    const address = location.pathname + location.search + location.hash;
    sessionStorage.setItem(PENDING, JSON.stringify({ state, verifier, address } satisfies Pending));
    location.assign(url);
  }

  /**
   * Finishes signing in if the page was opened by the sign-in page, and puts the former address back. Throws an error
   * with a sentence for the person if that failed.
   */
  async complete(): Promise<void> {
    const callback = new URL(location.href);
    const { searchParams } = callback;
    if (!searchParams.has('state') || !(searchParams.has('code') || searchParams.has('error'))) return;
    const pending = read<Pending>(sessionStorage, PENDING);
    sessionStorage.removeItem(PENDING);
    // First of all the code leaves the address bar, and with it the history.
    history.replaceState(null, '', pending?.address ?? '/');
    if (!pending) {
      // A bookmark of the way back, or a second use of it. Somebody who is signed in has lost nothing.
      if (this.signedIn) return;
      throw new Error(text.signIn.elsewhere);
    }
    try {
      const [config, oauth] = await Promise.all([this.config, loadOauth()]);
      this.keep(await oauth.redeem(config, callback, pending, redirectUri()));
    } catch (error) {
      const sentence = error instanceof ConfigError ? error.message : text.signIn.failed;
      throw new Error(sentence, { cause: error });
    }
  }

  /** Forgets the tokens and leaves for Cognito's sign-out, which forgets its own session and leads back. */
  async signOut(): Promise<void> {
    this.signingOut = true;
    this.end();
    const { logoutEndpoint, clientId } = await this.config;
    const url = new URL(logoutEndpoint);
    url.search = new URLSearchParams({ client_id: clientId, logout_uri: redirectUri() }).toString();
    location.assign(url.href);
  }

  /** Forgets the tokens: they are worth nothing any more. */
  end(): void {
    localStorage.removeItem(TOKENS);
    this.take(undefined);
  }

  private async refresh(refused: string): Promise<string> {
    // Another tab may have been first.
    this.take(read<Tokens>(localStorage, TOKENS));
    if (this.tokens && this.tokens.accessToken !== refused) return this.tokens.accessToken;
    const refreshToken = this.tokens?.refreshToken;
    if (!refreshToken) {
      this.end();
      throw new SignedOutError();
    }
    const oauth = await loadOauth();
    try {
      return this.keep(await oauth.refresh(await this.config, refreshToken)).accessToken;
    } catch (error) {
      if (!(error instanceof oauth.RefusedError)) throw new NetworkError(text.unreachable, { cause: error });
      this.end();
      throw new SignedOutError();
    }
  }

  private keep(grant: Grant): Tokens {
    const { accessToken, refreshToken = this.tokens?.refreshToken, expiresIn = 300, email = this.email } = grant;
    const tokens = { accessToken, refreshToken, email, expiresAt: Date.now() + expiresIn * 1000 };
    localStorage.setItem(TOKENS, JSON.stringify(tokens));
    this.take(tokens);
    return tokens;
  }

  private take(tokens: Tokens | undefined): void {
    const changed = this.signedIn !== (tokens !== undefined) || this.email !== tokens?.email;
    this.tokens = tokens;
    if (changed) this.dispatchEvent(new Event('change'));
  }
}

function loadOauth() {
  return import('./oauth');
}

/** Cognito knows this one address of the page. */
function redirectUri(): string {
  return `${location.origin}/`;
}

function read<T>(storage: Storage, key: string): T | undefined {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
