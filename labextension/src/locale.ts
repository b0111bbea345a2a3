/** The translations that components read, without a way through all their properties. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext } from 'react';

/** Provided at the root of each of our React trees. */
export const Locale = createContext<TranslationBundle | null>(null);

/** The translations of the tree that the component is in. */
export function useTrans(): TranslationBundle {
  const trans = useContext(Locale);
  if (!trans) {
    throw new Error('A Trackbook component needs a <Locale.Provider>');
  }
  return trans;
}
