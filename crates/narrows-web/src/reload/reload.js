// Loads the page again when the site says so, also when it said so before this listened, and when another process serves it than the
// one that made the page.
(() => {
  const made = document.querySelector('meta[name="narrows-process"]');
  let source = null;
  const stop = () => source?.close();
  const again = () => {
    stop();
    location.reload();
  };
  const listen = () => {
    stop();
    // A page that nobody sees must not keep one of the few connections that a browser has for a site; it asks when it is seen.
    if (document.visibilityState === 'hidden') return;
    source = new EventSource('/__narrows__/reload');
    source.addEventListener('reload', again);
    source.addEventListener('process', (event) => {
      if (made && made.content !== event.data) again();
    });
  };
  document.addEventListener('visibilitychange', listen);
  addEventListener('pagehide', stop);
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  listen();
})();
