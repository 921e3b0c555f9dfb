// How the values of a variable are written into a text: one small function a format.

import { formatMoment } from '../../lib/units/moment';

export interface FormatInput {
  readonly name: string;
  readonly values: readonly string[];
  readonly texts: readonly string[];
  /** of the variable itself, whatever the number of values chosen */
  readonly isMulti: boolean;
  readonly args: readonly string[];
}

type Format = (input: FormatInput) => string;

export function escapeRegex(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');
}

function strictEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function luceneEscape(text: string): string {
  return text.replace(/([!*+\-=<>\s&|()[\]{}^~?:\\/"])/g, '\\$1');
}

const quoteEach = (values: readonly string[], quote: string, escape: string): string =>
  values.map((value) => `${quote}${value.replaceAll(quote, escape)}${quote}`).join(',');

function glob({ values }: FormatInput): string {
  return values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`;
}

function date({ values, args }: FormatInput): string {
  const ms = Number(values[0]);
  if (!Number.isFinite(ms)) return 'NaN';
  const kind = args.join(':');
  if (kind === '' || kind === 'iso') return new Date(ms).toISOString();
  if (kind === 'ms') return String(ms);
  return kind === 'seconds' ? String(Math.round(ms / 1000)) : formatMoment(ms, kind, 'browser');
}

const FORMATS: Readonly<Record<string, Format>> = {
  glob,
  raw: ({ values }) => values.join(','),
  csv: ({ values }) => values.join(','),
  pipe: ({ values }) => values.join('|'),
  regex: ({ values }) => {
    const escaped = values.map(escapeRegex);
    return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
  },
  json: ({ values, isMulti }) => JSON.stringify(isMulti || values.length !== 1 ? values : values[0]),
  text: ({ texts }) => texts.join(' + '),
  html: ({ values }) => values.join(', ').replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  singlequote: ({ values }) => quoteEach(values, "'", "\\'"),
  doublequote: ({ values }) => quoteEach(values, '"', '\\"'),
  sqlstring: ({ values }) => quoteEach(values, "'", "''"),
  distributed: ({ name, values }) => values.map((value, index) => (index === 0 ? value : `${name}=${value}`)).join(','),
  lucene: ({ values, isMulti }) => {
    if (values.length === 0) return '__empty__';
    if (values.length === 1 && !isMulti) return luceneEscape(values[0] ?? '');
    return `(${values.map((value) => `"${luceneEscape(value)}"`).join(' OR ')})`;
  },
  percentencode: (input) => strictEncode(glob(input)),
  uriencode: (input) => encodeURI(glob(input)),
  queryparam: ({ name, values }) => values.map((value) => `var-${name}=${strictEncode(value)}`).join('&'),
  customqueryparam: ({ name, values, args }) =>
    values.map((value) => `${args[0] ?? name}=${args[1] ?? ''}${strictEncode(value)}`).join('&'),
  join: ({ values, args }) => values.join(args[0] ?? ','),
  date,
};

/** `raw`, `csv`, `date:iso` …; an unknown format is `glob`. */
export function formatVariable(format: string, input: Omit<FormatInput, 'args'>): string {
  const [id = '', ...args] = format.split(':');
  const formatter = Object.hasOwn(FORMATS, id) ? FORMATS[id] : undefined;
  return (formatter ?? glob)({ ...input, args });
}

/** For selectors in PromQL and LogQL: multi-value variables are regular expressions, others only quoted safely. */
export function formatForQuery({ values, isMulti }: Pick<FormatInput, 'values' | 'isMulti'>): string {
  if (!isMulti) return values.join(',').replaceAll('\\', '\\\\').replace(/['"]/g, '\\$&');
  const escaped = values.map((value) => value.replace(/[$^*{}[\]'+?.()|\\]/g, '\\\\$&'));
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
}
