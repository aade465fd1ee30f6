// Run while the page's own script is still on its way: a thread cannot begin while the page evaluates that, and the first
// trace would wait for it.
(() => {
  const {content} = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="thread"]'));
  const thread = new Worker(content);
  const page = /** @type {Window & {thread?: Worker}} */ (window);
  page.thread = thread;
  // One that fails before anyone listens is not there: the page begins another, and hears why it fails.
  thread.onerror = () => { delete page.thread; };
})();
