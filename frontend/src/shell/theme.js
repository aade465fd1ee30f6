/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */

const KEY = 'ntm-scope-theme';
/** @type {State['theme'][]} */
const THEMES = ['auto', 'light', 'dark'];

/** @returns {State['theme']} What was chosen at the last visit. */
export function rememberedTheme() {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/**
 * @param {State['theme']} theme
 * @returns {State['theme']}
 */
export function nextTheme(theme) {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
}

/**
 * Links the dark values of the tokens as the theme asks, and keeps `state.dark` to what is on screen.
 *
 * @param {{store: Store, signal: AbortSignal}} parts
 */
export function bindTheme({store, signal}) {
  const sheet = /** @type {HTMLLinkElement} */ (document.querySelector('#tokens-dark'));
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');

  function apply() {
    const {theme} = store.get();
    sheet.media = {auto: '(prefers-color-scheme: dark)', dark: 'all', light: 'not all'}[theme];
    const dark = theme === 'dark' || (theme === 'auto' && prefersDark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    store.set({dark});
  }

  prefersDark.addEventListener('change', apply, {signal});
  store.subscribe((state, previous) => {
    if (state.theme === previous.theme) return;
    apply();
    try {
      localStorage.setItem(KEY, state.theme);
    } catch {
      // Private windows may refuse storage; the theme then lasts as long as the page.
    }
  }, signal);
  apply();
}
