// GET /api/frontend/settings

import { asBoolean, asObject, asString, type JsonObject } from '../../lib/json';

export interface DataSource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  readonly isDefault: boolean;
  readonly jsonData: JsonObject;
}

export interface Settings {
  readonly version: string;
  readonly appSubUrl: string;
  readonly anonymousEnabled: boolean;
  readonly dataSources: readonly DataSource[];
}

export function parseSettings(raw: unknown): Settings {
  const json = asObject(raw);
  const defaultName = asString(json['defaultDatasource']);
  return {
    version: asString(asObject(json['buildInfo'])['version']),
    appSubUrl: asString(json['appSubUrl']),
    anonymousEnabled: asBoolean(json['anonymousEnabled']),
    dataSources: Object.entries(asObject(json['datasources'])).flatMap(([key, item]) =>
      parseDataSource(key, item, defaultName),
    ),
  };
}

/** Sources that begin with `--` are Grafana's own pretended ones. */
function parseDataSource(key: string, raw: unknown, defaultName: string): DataSource[] {
  const json = asObject(raw);
  const name = asString(json['name'], key);
  const uid = asString(json['uid'], name);
  if (name.startsWith('-- ') || uid.startsWith('-- ') || asBoolean(json['builtIn'])) return [];
  return [
    {
      uid,
      name,
      type: asString(json['type']),
      isDefault: asBoolean(json['isDefault']) || name === defaultName,
      jsonData: asObject(json['jsonData']),
    },
  ];
}
