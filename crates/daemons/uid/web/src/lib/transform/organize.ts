// `organize`: leave out, order, rename – by display name.

import { makeFrame, type DataFrame, type Field } from '../data/frame';
import { displayName } from '../field/names';
import { asObject, type JsonObject } from '../json';

export function organize(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const exclude = asObject(options['excludeByName']);
  const include = asObject(options['includeByName']);
  const order = asObject(options['indexByName']);
  const rename = asObject(options['renameByName']);
  const isIncluded = (name: string): boolean =>
    Object.keys(include).length > 0 ? include[name] === true : exclude[name] !== true;
  return frames.map((frame) => {
    const named = frame.fields.map((field) => ({ field, name: displayName(field, frame, frames) }));
    const position = (name: string): number =>
      typeof order[name] === 'number' ? order[name] : Number.MAX_SAFE_INTEGER;
    const kept = named.filter(({ name }) => isIncluded(name));
    const ordered = Object.keys(order).length > 0 ? kept.sort((a, b) => position(a.name) - position(b.name)) : kept;
    const fields = ordered.map(({ field, name }): Field => {
      const renamed = rename[name];
      return typeof renamed === 'string' && renamed !== ''
        ? { ...field, config: { ...field.config, displayName: renamed } }
        : field;
    });
    return makeFrame(fields, { ...frame });
  });
}
