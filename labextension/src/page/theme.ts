/** Light or dark, as the browser wants it until somebody chooses. */

const KEPT = 'trackbook:theme';

/** Sets the theme of the page as Lab would, so that components hear of it. */
export function setDark(dark: boolean): void {
  document.body.dataset.jpThemeLight = String(!dark);
  document.body.dataset.jpThemeName = dark ? 'Trackbook Dark' : 'Trackbook Light';
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
}

/** Begins with what was chosen before, else follows the browser. */
export function followTheme(): void {
  const wish = window.matchMedia('(prefers-color-scheme: dark)');
  const look = (): void => {
    const chosen = localStorage.getItem(KEPT);
    setDark(chosen === null ? wish.matches : chosen === 'dark');
  };
  wish.addEventListener('change', look);
  look();
}

/** Chooses the other theme, and remembers it. */
export function otherTheme(): void {
  const dark = document.body.dataset.jpThemeLight === 'true';
  localStorage.setItem(KEPT, dark ? 'dark' : 'light');
  setDark(dark);
}
