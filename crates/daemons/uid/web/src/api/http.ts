// The one way to the server: same origin, JSON, the session cookie, relative to `<base href>`.

import { asObject, asString, parseJson } from '../lib/json';

/** A refusal by the server, or no answer at all (status 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    readonly status: number,
    /** the answer as it came, for pages that show the server's own words */
    readonly body: unknown = undefined,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly form?: URLSearchParams;
  readonly signal?: AbortSignal;
}

/** Sends a request and returns the parsed answer; throws `ApiError` for anything but success. */
export async function request(path: string, options: RequestOptions = {}): Promise<unknown> {
  const { method = 'GET', body, form, signal } = options;
  let response: Response;
  try {
    response = await fetch(path.replace(/^\//, ''), {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(form === undefined ? {} : { body: form }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('the server cannot be reached', 0, error);
  }
  const text = await response.text();
  const parsed = parseJson(text);
  if (!response.ok) throw new ApiError(errorMessage(parsed, text, response), response.status, parsed);
  return parsed;
}

/** Grafana says `message`, Prometheus and Loki say `error`, proxies say plain text. */
function errorMessage(parsed: unknown, text: string, response: Response): string {
  const body = asObject(parsed);
  const said = asString(body['message']) || asString(body['error']);
  if (said !== '') return said;
  const plain = parsed === undefined && !text.trimStart().startsWith('<') ? text.trim().slice(0, 500) : '';
  return plain !== '' ? plain : `the server answered ${response.status} ${response.statusText}`.trim();
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
