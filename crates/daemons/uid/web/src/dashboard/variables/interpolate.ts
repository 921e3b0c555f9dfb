// `$name`, `${name:format}` and `[[name]]` replaced by values; unknown names stay as they are.

import { formatForQuery, formatVariable } from './formats';

export interface BoundVariable {
  readonly name: string;
  readonly values: readonly string[];
  readonly texts: readonly string[];
  readonly isMulti: boolean;
  /** inserted as it is, whatever the format (the `allValue` of a variable) */
  readonly verbatim?: boolean;
}

export type Lookup = (name: string) => BoundVariable | undefined;

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::([^\]]+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;

export type Purpose = 'text' | 'query';

/** With purpose `query`, values without a format of their own are written for a PromQL or LogQL string. */
export function interpolate(text: string, lookup: Lookup, purpose: Purpose = 'text'): string {
  if (!text.includes('$') && !text.includes('[[')) return text;
  return text.replace(
    REFERENCE,
    (
      whole: string,
      plain: string | undefined,
      bracketed: string | undefined,
      bracketFormat: string | undefined,
      braced: string | undefined,
      path: string | undefined,
      braceFormat: string | undefined,
    ) => {
      const variable = lookup(plain ?? bracketed ?? braced ?? '');
      if (variable === undefined) return whole;
      if (variable.verbatim === true) return variable.values.join(',');
      const format = bracketFormat ?? braceFormat;
      if (path === 'text') return variable.texts.join(' + ');
      if (format !== undefined) return formatVariable(format, variable);
      return purpose === 'query' ? formatForQuery(variable) : formatVariable('glob', variable);
    },
  );
}

/** Names a text refers to, in order of appearance. */
export function references(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[2] ?? match[4] ?? '');
}

/** A variable of one plain value, such as `$__interval`. */
export function single(name: string, value: string): BoundVariable {
  return { name, values: [value], texts: [value], isMulti: false, verbatim: name.startsWith('__') };
}
