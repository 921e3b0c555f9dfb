// Field configuration: how a value is named, bounded, coloured and written.

import { asArray, asBoolean, asNumber, asObject, asString, isObject, type JsonObject } from '../json';
import { parseMappings, type ValueMapping } from './mappings';
import { parseThresholds, type Thresholds } from './thresholds';

export interface FieldColor {
  readonly mode: string;
  readonly fixedColor?: string;
  readonly seriesBy?: 'last' | 'min' | 'max';
}

export interface DataLink {
  readonly title: string;
  readonly url: string;
  readonly targetBlank: boolean;
}

export interface FieldConfig {
  readonly displayName?: string;
  readonly displayNameFromDS?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  /** milliseconds between points, where the data source knows it */
  readonly interval?: number;
  readonly mappings?: readonly ValueMapping[];
  readonly thresholds?: Thresholds;
  readonly color?: FieldColor;
  readonly links?: readonly DataLink[];
  /** what only one panel type understands */
  readonly custom?: JsonObject;
}

export interface Matcher {
  readonly id: string;
  readonly options: unknown;
}

export interface Override {
  readonly matcher: Matcher;
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export interface FieldConfigSource {
  readonly defaults: FieldConfig;
  readonly overrides: readonly Override[];
}

export const NO_CONFIG: FieldConfigSource = { defaults: {}, overrides: [] };

const READERS: { readonly [K in keyof FieldConfig]-?: (value: unknown) => FieldConfig[K] } = {
  displayName: optionalText,
  displayNameFromDS: optionalText,
  description: optionalText,
  unit: optionalText,
  decimals: asNumber,
  min: asNumber,
  max: asNumber,
  noValue: optionalText,
  interval: asNumber,
  mappings: parseMappings,
  thresholds: parseThresholds,
  color: parseColor,
  links: parseLinks,
  custom: (value) => (isObject(value) ? value : undefined),
};

function isKnown(id: string): id is keyof FieldConfig {
  return Object.hasOwn(READERS, id);
}

export function parseFieldConfig(raw: unknown): FieldConfig {
  return Object.entries(asObject(raw)).reduce<FieldConfig>((config, [id, value]) => setProperty(config, id, value), {});
}

export function parseFieldConfigSource(raw: unknown): FieldConfigSource {
  const source = asObject(raw);
  return {
    defaults: parseFieldConfig(source['defaults']),
    overrides: asArray(source['overrides']).map((item) => {
      const matcher = asObject(asObject(item)['matcher']);
      return {
        matcher: { id: asString(matcher['id']), options: matcher['options'] },
        properties: asArray(asObject(item)['properties']).map((property) => ({
          id: asString(asObject(property)['id']),
          value: asObject(property)['value'],
        })),
      };
    }),
  };
}

/** A copy with one property set: a standard id or `custom.<path>`; unknown ids change nothing. */
export function setProperty(config: FieldConfig, id: string, value: unknown): FieldConfig {
  if (id.startsWith('custom.'))
    return { ...config, custom: setPath(config.custom ?? {}, id.slice(7).split('.'), value) };
  if (!isKnown(id)) return config;
  const parsed = READERS[id](value);
  return parsed === undefined ? config : { ...config, [id]: parsed };
}

function setPath(target: JsonObject, path: readonly string[], value: unknown): JsonObject {
  const [head, ...rest] = path;
  if (head === undefined) return target;
  return { ...target, [head]: rest.length === 0 ? value : setPath(asObject(target[head]), rest, value) };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parseColor(value: unknown): FieldColor | undefined {
  if (!isObject(value)) return undefined;
  const fixed = optionalText(value['fixedColor']);
  const seriesBy = value['seriesBy'];
  return {
    mode: asString(value['mode'], 'thresholds'),
    ...(fixed === undefined ? {} : { fixedColor: fixed }),
    ...(seriesBy === 'min' || seriesBy === 'max' || seriesBy === 'last' ? { seriesBy } : {}),
  };
}

function parseLinks(value: unknown): readonly DataLink[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map((item) => ({
    title: asString(asObject(item)['title']),
    url: asString(asObject(item)['url']),
    targetBlank: asBoolean(asObject(item)['targetBlank']),
  }));
}
