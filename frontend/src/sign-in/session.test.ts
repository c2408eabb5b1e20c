import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SignedOutError } from '../api/problem';
import type { Config } from './config';
import * as oauth from './oauth';
import { Session, urlOf } from './session';

vi.mock('./oauth', { spy: true });

const ORIGIN = 'https://page.example';

test.each([
  ['/settings?label=Dog#top', 'https://page.example/settings?label=Dog#top'],
  ['//evil.example/', 'https://page.example//evil.example/'],
  ['/\\evil.example', 'https://page.example/\\evil.example'],
  ['@evil.example', 'https://page.example/'],
  ['.evil.example', 'https://page.example/'],
  [undefined, 'https://page.example/'],
])('the stored path %s stays on this origin', (path, expected) => {
  expect(urlOf(path, ORIGIN)).toBe(expected);
  expect(new URL(urlOf(path, ORIGIN), 'https://elsewhere.example').origin).toBe(ORIGIN);
});

describe('a session', () => {
  const REFRESHED = { accessToken: 'new', refreshToken: undefined, expiresIn: 300, email: 'a@example.com' };
  const store = new Map<string, string>();

  function storeTokens(accessToken: string, refreshToken: string): void {
    store.set('ilg.tokens', JSON.stringify({ accessToken, refreshToken, email: 'a@example.com', expiresAt: 0 }));
  }

  function storedToken(): unknown {
    return JSON.parse(store.get('ilg.tokens') ?? 'null')?.accessToken;
  }

  beforeEach(() => {
    store.clear();
    vi.stubGlobal('window', new EventTarget());
    vi.stubGlobal('location', new URL(ORIGIN));
    vi.stubGlobal('navigator', { locks: { request: (_: string, act: () => Promise<string>) => act() } });
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => store.set(key, value),
      removeItem: (key: string) => store.delete(key),
    });
    storeTokens('old', 'first');
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  test('stores a renewed token', async () => {
    vi.spyOn(oauth, 'refresh').mockResolvedValue(REFRESHED);
    expect(await new Session(Promise.resolve({} as Config)).renew('old')).toBe('new');
    expect(storedToken()).toBe('new');
  });

  test.each([
    ['granted', () => Promise.resolve(REFRESHED)],
    ['rejected', () => Promise.reject(new oauth.RejectedError('invalid_grant'))],
  ])('keeps the session of a person who signed in during the renewal: %s', async (_, answer) => {
    vi.spyOn(oauth, 'refresh').mockImplementation(() => {
      storeTokens("another person's", 'second');
      return answer();
    });
    const session = new Session(Promise.resolve({} as Config));
    await expect(session.renew('old')).rejects.toThrow(SignedOutError);
    expect(storedToken()).toBe("another person's");
  });

  test('signs out on a slow network while the request that revokes the refresh token continues', async () => {
    vi.useFakeTimers();
    const assign = vi.fn();
    vi.stubGlobal('location', Object.assign(new URL(ORIGIN), { assign }));
    const revoke = vi.fn<typeof fetch>(() => new Promise(() => {}));
    vi.stubGlobal('fetch', revoke);
    const endpoints = { revocationEndpoint: `${ORIGIN}/oauth2/revoke`, logoutEndpoint: `${ORIGIN}/logout` };
    const session = new Session(Promise.resolve({ clientId: 'client', ...endpoints } as Config));
    const signedOut = session.signOut();
    await vi.advanceTimersByTimeAsync(2_900);
    expect(assign).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    await signedOut;
    expect(assign).toHaveBeenCalledTimes(1);
    const [, request] = revoke.mock.calls[0] ?? [];
    expect(request?.keepalive).toBe(true);
    expect(request?.signal, 'nothing aborts it').toBeUndefined();
  });

  test('does not open the sign-out page without a configuration', async () => {
    const session = new Session(Promise.reject(new Error('no configuration')));
    await session.signOut();
    expect(session.isSigningOut).toBe(false);
    expect(session.signedIn).toBe(false);
  });
});
