/** Undo of a cell, which is Lab's own. */

/** Makes what follows a step of its own, whatever was typed just before. */
export function stopCapturing(model: object): void {
  const { undoManager } = model as { undoManager?: { stopCapturing?: () => void } | null };
  undoManager?.stopCapturing?.();
}
