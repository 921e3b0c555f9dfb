// Steps that give a value its colour.

import { asArray, asNumber, asObject, asString, isObject } from '../json';

export interface ThresholdStep {
  /** lower bound, inclusive; the first step's is −∞ */
  readonly value: number;
  readonly color: string;
}

export interface Thresholds {
  readonly mode: 'absolute' | 'percentage';
  readonly steps: readonly ThresholdStep[];
}

export function parseThresholds(raw: unknown): Thresholds | undefined {
  if (!isObject(raw)) return undefined;
  const steps = asArray(raw['steps']).map((step) => ({
    value: asNumber(asObject(step)['value']) ?? -Infinity,
    color: asString(asObject(step)['color'], 'green'),
  }));
  return { mode: raw['mode'] === 'percentage' ? 'percentage' : 'absolute', steps };
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  mode: 'absolute',
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
};

/** The last step that `value` reaches; the scan stops at the first larger one. */
export function activeStep(steps: readonly ThresholdStep[], value: number): ThresholdStep | undefined {
  let active = steps[0];
  for (const step of steps) {
    if (value < step.value) break;
    active = step;
  }
  return active;
}

/** The active step, with `percentage` thresholds measured between `min` and `max`. */
export function activeThreshold(
  thresholds: Thresholds,
  value: number,
  min: number,
  max: number,
): ThresholdStep | undefined {
  const measured = thresholds.mode === 'percentage' ? (max > min ? ((value - min) / (max - min)) * 100 : 0) : value;
  return activeStep(thresholds.steps, measured);
}

/** The steps in the value's own measure. */
export function absoluteSteps(thresholds: Thresholds, min: number, max: number): readonly ThresholdStep[] {
  if (thresholds.mode === 'absolute') return thresholds.steps;
  return thresholds.steps.map((step) => ({ ...step, value: min + ((max - min) * step.value) / 100 }));
}
