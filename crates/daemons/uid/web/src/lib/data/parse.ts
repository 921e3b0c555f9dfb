// The JSON form of data frames, as `/api/ds/query` returns it.

import { parseFieldConfig } from '../field/config';
import { asArray, asObject, asString, asStringMap } from '../json';
import { makeFrame, type DataFrame, type Field, type FieldType, type FrameMeta } from './frame';

export interface QueryResult {
  readonly refId: string;
  readonly frames: readonly DataFrame[];
  /** the data source's own words */
  readonly error?: string;
  readonly status?: number;
}

const TYPES: readonly FieldType[] = ['time', 'number', 'string', 'boolean', 'other'];
const ENTITIES: Readonly<Record<string, number>> = { NaN: NaN, Inf: Infinity, NegInf: -Infinity };

export function parseQueryResponse(body: unknown): QueryResult[] {
  return Object.entries(asObject(asObject(body)['results'])).map(([refId, raw]) => parseResult(refId, asObject(raw)));
}

function parseResult(refId: string, result: Record<string, unknown>): QueryResult {
  const error = asString(result['error']);
  const status = typeof result['status'] === 'number' ? result['status'] : undefined;
  return {
    refId,
    frames: asArray(result['frames']).map((frame) => parseFrame(frame, refId)),
    ...(error === '' ? {} : { error }),
    ...(status === undefined ? {} : { status }),
  };
}

export function parseFrame(raw: unknown, refId: string): DataFrame {
  const schema = asObject(asObject(raw)['schema']);
  const data = asObject(asObject(raw)['data']);
  const columns = asArray(data['values']);
  const entities = asArray(data['entities']);
  const fields = asArray(schema['fields']).map((field, index): Field => {
    const described = asObject(field);
    const typeName = asString(described['type']);
    const labels = asStringMap(described['labels']);
    return {
      name: asString(described['name']),
      type: TYPES.find((type) => type === typeName) ?? 'other',
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      config: parseFieldConfig(described['config']),
      values: restoreEntities(asArray(columns[index]), asObject(entities[index])),
    };
  });
  const name = asString(schema['name']);
  return makeFrame(fields, {
    ...(name === '' ? {} : { name }),
    refId: asString(schema['refId'], refId),
    meta: parseMeta(schema['meta']),
  });
}

/** JSON has no NaN and no infinity; the server lists where they belong. */
function restoreEntities(values: readonly unknown[], entities: Record<string, unknown>): readonly unknown[] {
  if (Object.keys(entities).length === 0) return values;
  const restored = [...values];
  for (const [name, number] of Object.entries(ENTITIES)) {
    for (const index of asArray(entities[name])) {
      if (typeof index === 'number' && index >= 0 && index < restored.length) restored[index] = number;
    }
  }
  return restored;
}

function parseMeta(raw: unknown): FrameMeta {
  const meta = asObject(raw);
  const text = (key: string): string | undefined => (typeof meta[key] === 'string' ? meta[key] : undefined);
  const type = text('type');
  const visualisation = text('preferredVisualisationType') ?? text('preferredVisualisation');
  const executed = text('executedQueryString');
  return {
    ...(type === undefined ? {} : { type }),
    ...(visualisation === undefined ? {} : { preferredVisualisationType: visualisation }),
    ...(executed === undefined ? {} : { executedQueryString: executed }),
    notices: asArray(meta['notices']).map((notice) => ({
      severity: asString(asObject(notice)['severity'], 'info'),
      text: asString(asObject(notice)['text']),
    })),
  };
}
