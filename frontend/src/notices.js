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
  /** @type {Map<number, ReturnType<typeof setTimeout>>} When those that need no answer go, by id. */
  const ends = new Map();

  /** @param {(notice: Notice) => boolean} stays */
  const keep = (stays) => store.set({notices: store.get().notices.filter(stays)});

  /** @param {number} id */
  function dismiss(id) {
    hold(id);
    keep((notice) => notice.id !== id);
  }

  /** @param {number} id */
  function hold(id) {
    clearTimeout(ends.get(id));
    ends.delete(id);
  }

  /** @param {number} id */
  function letGo(id) {
    const notice = store.get().notices.find((one) => one.id === id);
    if (notice?.level === 'info') ends.set(id, setTimeout(() => dismiss(id), INFO_STAYS));
  }

  return {
    /**
     * @param {Notice['level']} level
     * @param {string} text
     */
    notify(level, text) {
      const id = (count += 1);
      const others = store.get().notices.filter((notice) => notice.text !== text);
      store.set({notices: [...others, {id, level, text}].slice(-MAX_NOTICES)});
      letGo(id);
    },
    dismiss,
    /** It stays until it is let go of. */
    hold,
    /** One that needs no answer goes after a while. */
    letGo,
    /** What was said of the view before is of no use in the next one. */
    dropWarnings: () => keep(({level}) => level === 'info'),
  };
}

/** @typedef {ReturnType<typeof createNotices>} Notices */
