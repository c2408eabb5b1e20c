// What the page is told at run time, so that one build serves every deployment.
import { text } from '../text';

/** `signIn` of `GET /config.json`: where and as whom to sign in. Given explicitly, so that nothing has to be discovered. */
export interface Config {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly logoutEndpoint: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

const URLS = ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'logoutEndpoint'] as const;

/** The page cannot learn how to sign people in. `message` is a sentence for the person at the page. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Fetches the configuration from the page's own origin. Throws `ConfigError`. */
export async function loadConfig(): Promise<Config> {
  let value: unknown;
  try {
    const response = await fetch('/config.json', { cache: 'no-cache' });
    value = response.ok ? await response.json() : undefined;
  } catch (error) {
    throw new ConfigError(text.unreachable, { cause: error });
  }
  return readConfig(value);
}

/** Checks a configuration; `ConfigError` names the field that is missing or wrong. */
export function readConfig(value: unknown): Config {
  const fields = record(record(value)['signIn']);
  const { clientId, scopes } = fields;
  for (const name of URLS) {
    if (!/^https?:/.test(String(fields[name])) || !URL.canParse(String(fields[name]))) throw incomplete(name);
  }
  if (typeof clientId !== 'string' || clientId === '') throw incomplete('clientId');
  if (!Array.isArray(scopes) || scopes.length === 0 || scopes.some((scope) => typeof scope !== 'string')) {
    throw incomplete('scopes');
  }
  return fields as unknown as Config;
}

function incomplete(field: string): ConfigError {
  return new ConfigError(text.signIn.incompleteConfig(field));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
