// Transformations of columns by name: `filterFieldsByName`, `renameByRegex`.

import { makeFrame, type DataFrame } from '../data/frame';
import { parsePattern } from '../field/mappings';
import { displayName } from '../field/names';
import { asObject, asString, asStrings, type JsonObject } from '../json';

export function filterFieldsByName(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const include = nameTest(options['include']);
  const exclude = nameTest(options['exclude']);
  return frames.flatMap((frame) => {
    const fields = frame.fields.filter((field) => {
      const name = displayName(field, frame, frames);
      return (include?.(name) ?? true) && !(exclude?.(name) ?? false);
    });
    return fields.length === 0 ? [] : [makeFrame(fields, { ...frame })];
  });
}

function nameTest(raw: unknown): ((name: string) => boolean) | undefined {
  const rule = asObject(raw);
  const names = asStrings(rule['names']);
  const pattern = asString(rule['pattern']) === '' ? undefined : parsePattern(asString(rule['pattern']));
  if (names.length === 0 && pattern === undefined) return undefined;
  return (name) => names.includes(name) || (pattern?.test(name) ?? false);
}

export function renameByRegex(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const text = asString(options['regex'], '(.*)');
  const replacement = asString(options['renamePattern'], '$1');
  let pattern: RegExp;
  try {
    const delimited = /^\/(.*)\/([a-z]*)$/s.exec(text);
    pattern = delimited === null ? new RegExp(text) : new RegExp(delimited[1] ?? '', delimited[2]);
  } catch {
    return [...frames];
  }
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      const name = displayName(field, frame, frames);
      const renamed = name.replace(pattern, replacement);
      return renamed === name ? field : { ...field, config: { ...field.config, displayName: renamed } };
    }),
  }));
}
