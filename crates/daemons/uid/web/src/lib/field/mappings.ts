// Value mappings: words and colours in place of certain values.

import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../json';

export interface MappingResult {
  readonly text?: string;
  readonly color?: string;
}

export type ValueMapping =
  | { readonly type: 'value'; readonly results: ReadonlyMap<string, MappingResult> }
  | { readonly type: 'range'; readonly from: number; readonly to: number; readonly result: MappingResult }
  | { readonly type: 'regex'; readonly pattern: RegExp; readonly result: MappingResult }
  | { readonly type: 'special'; readonly match: string; readonly result: MappingResult };

export function parseMappings(raw: unknown): readonly ValueMapping[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  return asArray(raw).flatMap((item) => {
    const mapping = isObject(item) ? parseMapping(item) : undefined;
    return mapping === undefined ? [] : [mapping];
  });
}

function parseMapping(raw: JsonObject): ValueMapping | undefined {
  const options = asObject(raw['options']);
  switch (raw['type']) {
    case 'value':
      return {
        type: 'value',
        results: new Map(Object.entries(options).map(([key, result]) => [key, parseResult(result)])),
      };
    case 'range':
      return {
        type: 'range',
        from: asNumber(options['from']) ?? -Infinity,
        to: asNumber(options['to']) ?? Infinity,
        result: parseResult(options['result']),
      };
    case 'regex': {
      const pattern = parsePattern(asString(options['pattern']));
      return pattern === undefined ? undefined : { type: 'regex', pattern, result: parseResult(options['result']) };
    }
    case 'special':
      return { type: 'special', match: asString(options['match']), result: parseResult(options['result']) };
    // Before schema version 30: numbers name the kind.
    case 1:
      return {
        type: 'value',
        results: new Map([[String(raw['value'] ?? ''), parseResult(raw)]]),
      };
    case 2:
      return {
        type: 'range',
        from: asNumber(raw['from']) ?? -Infinity,
        to: asNumber(raw['to']) ?? Infinity,
        result: parseResult(raw),
      };
    default:
      return undefined;
  }
}

function parseResult(raw: unknown): MappingResult {
  const result = asObject(raw);
  return {
    ...(typeof result['text'] === 'string' ? { text: result['text'] } : {}),
    ...(typeof result['color'] === 'string' ? { color: result['color'] } : {}),
  };
}

/** `/…/flags` or a bare pattern; `undefined` when it does not compile. */
export function parsePattern(text: string): RegExp | undefined {
  const delimited = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return delimited === null ? new RegExp(`^${text}$`) : new RegExp(delimited[1] ?? '', delimited[2]);
  } catch {
    return undefined;
  }
}

/** The first mapping that applies. */
export function mapValue(mappings: readonly ValueMapping[], value: unknown): MappingResult | undefined {
  for (const mapping of mappings) {
    const result = applyMapping(mapping, value);
    if (result !== undefined) return result;
  }
  return undefined;
}

function applyMapping(mapping: ValueMapping, value: unknown): MappingResult | undefined {
  switch (mapping.type) {
    case 'value':
      return value === null || value === undefined ? undefined : mapping.results.get(String(value));
    case 'range': {
      if (value === null || value === undefined) return undefined;
      const number = typeof value === 'number' ? value : Number.parseFloat(String(value));
      return number >= mapping.from && number <= mapping.to ? mapping.result : undefined;
    }
    case 'regex': {
      if (typeof value !== 'string' || value.search(mapping.pattern) === -1) return undefined;
      const { text } = mapping.result;
      return text === undefined ? mapping.result : { ...mapping.result, text: value.replace(mapping.pattern, text) };
    }
    case 'special':
      return isSpecial(mapping.match, value) ? mapping.result : undefined;
  }
}

function isSpecial(match: string, value: unknown): boolean {
  const isNull = value === null || value === undefined;
  const isNan = typeof value === 'number' && Number.isNaN(value);
  switch (match) {
    case 'null':
      return isNull;
    case 'nan':
      return isNan;
    case 'null+nan':
      return isNull || isNan;
    case 'true':
      return value === true || value === 'true';
    case 'false':
      return value === false || value === 'false';
    case 'empty':
      return value === '';
    default:
      return false;
  }
}
