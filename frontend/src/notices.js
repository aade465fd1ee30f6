/** @import {Notice} from './state.js' */
/** @import {Store} from './store.js' */

/** ms for which a notice that needs no answer stays. */
const INFO_STAYS = 7000;
const MAX_NOTICES = 4;

/**
 * What the page says to a person, beside the plots.
 *
 * @param {Store} store
 */
export function createNotices(store) {
  let count = 0;

  /** @param {(notice: Notice) => boolean} stays */
  const keep = (stays) => store.set({notices: store.get().notices.filter(stays)});

  /** @param {number} id */
  const dismiss = (id) => keep((notice) => notice.id !== id);

  return {
    /**
     * @param {Notice['level']} level
     * @param {string} text
     */
    notify(level, text) {
      const id = (count += 1);
      const others = store.get().notices.filter((notice) => notice.text !== text);
      store.set({notices: [...others, {id, level, text}].slice(-MAX_NOTICES)});
      if (level === 'info') setTimeout(() => dismiss(id), INFO_STAYS);
    },
    dismiss,
    /** What was said of the view before is of no use in the next one. */
    dropWarnings: () => keep(({level}) => level === 'info'),
  };
}

/** @typedef {ReturnType<typeof createNotices>} Notices */
