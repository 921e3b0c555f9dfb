// The choices of a variable: from its own list, from what a data source answers, filtered and put in order.

import { parseJson, asArray, asObject } from '../../lib/json';
import type { VariableOption } from '../model';

/** `a, b, text : value`, with `\,` for a comma; or a JSON list. */
export function parseCustomOptions(query: string): VariableOption[] {
  const trimmed = query.trim();
  if (trimmed.startsWith('[')) {
    const list = parseJson(trimmed);
    if (Array.isArray(list)) return asArray(list).flatMap(jsonOption);
  }
  return (query.match(/(?:\\,|[^,])+/g) ?? []).flatMap((part) => {
    const item = part.replaceAll('\\,', ',').trim();
    if (item === '') return [];
    const pair = /^\s*(.+)\s:\s(.+)$/.exec(item);
    return [
      pair === null ? { text: item, value: item } : { text: (pair[1] ?? '').trim(), value: (pair[2] ?? '').trim() },
    ];
  });
}

function jsonOption(item: unknown): VariableOption[] {
  if (typeof item === 'string' || typeof item === 'number') return [{ text: String(item), value: String(item) }];
  const { text, value } = asObject(item);
  return typeof value === 'string' ? [{ value, text: typeof text === 'string' ? text : value }] : [];
}

/** `/re/flags`, or a bare expression; `undefined` when it does not compile. */
export function compileRegex(text: string): RegExp | undefined {
  const delimited = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return delimited === null ? new RegExp(text) : new RegExp(delimited[1] ?? '', delimited[2]);
  } catch {
    return undefined;
  }
}

/** Keeps and rewrites values by a regular expression: named groups `text` and `value`, else the first group. */
export function filterByRegex(options: readonly VariableOption[], regex: string): VariableOption[] {
  const pattern = regex === '' ? undefined : compileRegex(regex);
  if (pattern === undefined) return unique(options);
  const all = pattern.flags.includes('g') ? pattern : new RegExp(pattern.source, `${pattern.flags}g`);
  return unique(
    options.flatMap((option) => {
      const matches = [...option.value.matchAll(all)];
      const used = pattern.flags.includes('g') ? matches : matches.slice(0, 1);
      return used.map((match): VariableOption => {
        const { text, value } = match.groups ?? {};
        if (text !== undefined || value !== undefined) {
          return { text: text ?? value ?? '', value: value ?? text ?? '' };
        }
        const captured = match[1] ?? match[0];
        return match.length > 1 ? { text: captured, value: captured } : option;
      });
    }),
  );
}

function unique(options: readonly VariableOption[]): VariableOption[] {
  return [...new Map(options.map((option) => [option.value, option])).values()];
}

const natural = new Intl.Collator('en', { numeric: true });

const numberIn = (text: string): number => Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? '-1');

/** 0 as they came · 1/2 alphabetical · 3/4 numeric · 5/6 without regard to case · 7/8 natural; even is descending. */
export function sortOptions(options: readonly VariableOption[], sort: number): VariableOption[] {
  if (sort <= 0) return [...options];
  const kind = Math.ceil(sort / 2);
  const compare = (a: VariableOption, b: VariableOption): number => {
    if (kind === 2) return numberIn(a.text) - numberIn(b.text);
    if (kind === 3) return plain(a.text.toLowerCase(), b.text.toLowerCase());
    return kind === 4 ? natural.compare(a.text, b.text) : plain(a.text, b.text);
  };
  const sign = sort % 2 === 0 ? -1 : 1;
  return [...options].sort((a, b) => sign * compare(a, b));
}

const plain = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
