/** Which image of a run belongs to a step. Pure functions. */

import type { IImages } from './api';

/** All steps of any run, ascending. */
export function stepsOf(image: IImages): number[] {
  const all = image.steps.flatMap(steps => steps ?? []).filter(step => step !== null);
  return [...new Set(all)].sort((a, b) => a - b);
}

/** The last step of a run up to one; null for an image without steps, undefined for none. */
export function atStep(
  steps: readonly (number | null)[] | null | undefined,
  step: number | null
): number | null | undefined {
  if (!steps) {
    return undefined;
  }
  const before = steps.filter(one => one !== null && (step === null || one <= step));
  if (before.length > 0) {
    return Math.max(...(before as number[]));
  }
  return steps.includes(null) ? null : undefined;
}
