// Loads the configuration at run time, so that one build works for every deployment.
import { UserFacingError } from '../api/problem';
import { text } from '../shared/text';

/** `signIn` in `config.json`. It contains all endpoints, so that the page does not need OpenID discovery. */
export interface Config {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly logoutEndpoint: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

const URLS = ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'revocationEndpoint', 'logoutEndpoint'] as const;

/** The configuration is missing or invalid. */
export class ConfigError extends UserFacingError {
  override readonly name = 'ConfigError';
}

/** Loads the configuration from the page's origin. Throws `ConfigError`. */
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

/** Checks a configuration. Throws `ConfigError`, which names the invalid field. */
export function readConfig(value: unknown): Config {
  const fields = objectOf(objectOf(value)['signIn']);
  const { clientId, scopes } = fields;
  for (const name of URLS) {
    if (!/^https?:/.test(String(fields[name])) || !URL.canParse(String(fields[name]))) throw invalid(name);
  }
  if (typeof clientId !== 'string' || clientId === '') throw invalid('clientId');
  if (!Array.isArray(scopes) || scopes.length === 0 || scopes.some((scope) => typeof scope !== 'string')) {
    throw invalid('scopes');
  }
  return fields as unknown as Config;
}

function invalid(field: string): ConfigError {
  return new ConfigError(text.signIn.incompleteConfig(field));
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
