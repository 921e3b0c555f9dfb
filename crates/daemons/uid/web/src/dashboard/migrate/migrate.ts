// Old dashboard JSON brought to today's shape. Each step lives in its own file and says from which version it is not
// needed any more; they look at the content as well, for files in the wild carry wrong version numbers.

import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../lib/json';
import { migrateGraph } from './graph';
import { migrateRows } from './rows';
import { migrateSinglestat } from './singlestat';
import { migrateTable } from './table';

export function migrate(source: JsonObject): JsonObject {
  const json: JsonObject = { ...unwrap(source) };
  const version = asNumber(json['schemaVersion']) ?? 0;
  if (Array.isArray(json['rows']) && !Array.isArray(json['panels']))
    json['panels'] = migrateRows(asArray(json['rows']));
  if (typeof json['refresh'] !== 'string') json['refresh'] = '';
  if (json['sharedCrosshair'] === true && json['graphTooltip'] === undefined) json['graphTooltip'] = 1;
  json['panels'] = asArray(json['panels'])
    .filter(isNotRepeatClone)
    .map((panel) => migratePanel(asObject(panel), version));
  json['templating'] = {
    list: asArray(asObject(json['templating'])['list']).map((item) => migrateVariable(asObject(item))),
  };
  return json;
}

/** Some exports wrap the dashboard, as the API does. */
function unwrap(source: JsonObject): JsonObject {
  const inner = source['dashboard'];
  return isObject(inner) && source['panels'] === undefined && source['rows'] === undefined ? inner : source;
}

/** Version 27: saved copies of repeated panels are made anew. */
function isNotRepeatClone(panel: unknown): boolean {
  return asObject(panel)['repeatPanelId'] === undefined;
}

function migratePanel(source: JsonObject, version: number): JsonObject {
  let panel = { ...source };
  if (panel['type'] === 'text2') panel['type'] = 'text';
  panel = migrateGraph(panel);
  panel = migrateSinglestat(panel);
  panel = migrateTable(panel);
  panel = migrateTextOptions(panel);
  panel['options'] = migrateOptions(asObject(panel['options']));
  if (version < 31) panel['transformations'] = appendMerge(asArray(panel['transformations']));
  if (Array.isArray(panel['panels'])) {
    panel['panels'] = asArray(panel['panels'])
      .filter(isNotRepeatClone)
      .map((child) => migratePanel(asObject(child), version));
  }
  return panel;
}

/** Text panels once kept mode and content on the panel itself. */
function migrateTextOptions(panel: JsonObject): JsonObject {
  if (panel['type'] !== 'text' || panel['content'] === undefined) return panel;
  const options = asObject(panel['options']);
  return { ...panel, options: { mode: panel['mode'] ?? 'markdown', content: panel['content'], ...options } };
}

/** Versions 31 and 37: `tooltipOptions`, and a hidden legend is a switch, not a display mode. */
function migrateOptions(source: JsonObject): JsonObject {
  const options = { ...source };
  if (options['tooltip'] === undefined && isObject(options['tooltipOptions']))
    options['tooltip'] = options['tooltipOptions'];
  if (isObject(options['legend'])) {
    const legend = { ...options['legend'] };
    const hidden = legend['displayMode'] === 'hidden' || legend['showLegend'] === false;
    legend['showLegend'] = !hidden;
    if (legend['displayMode'] === 'hidden') legend['displayMode'] = 'list';
    options['legend'] = legend;
  }
  return options;
}

/** Version 31: `labelsToFields` no longer merges by itself. */
function appendMerge(transformations: readonly unknown[]): unknown[] {
  return transformations.flatMap((item) =>
    asObject(item)['id'] === 'labelsToFields' ? [item, { id: 'merge', options: {} }] : [item],
  );
}

function migrateVariable(source: JsonObject): JsonObject {
  const variable = { ...source };
  // Version 27: a constant that shows is a text box.
  if (variable['type'] === 'constant' && (asNumber(variable['hide']) ?? 0) === 0) variable['type'] = 'textbox';
  // Version 29: the options of a query are always read when the dashboard opens.
  if (asString(variable['type'], 'query') === 'query' && (asNumber(variable['refresh']) ?? 0) === 0)
    variable['refresh'] = 1;
  return variable;
}
