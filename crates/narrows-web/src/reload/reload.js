// Loads the page again when the site says so, and when another process serves it than the one that made the page.
(() => {
  const made = document.querySelector('meta[name="narrows-process"]');
  const source = new EventSource('/__narrows__/reload');
  const again = () => {
    source.close();
    location.reload();
  };
  source.addEventListener('reload', again);
  source.addEventListener('process', (event) => {
    if (made && made.content !== event.data) again();
  });
  // A page that is left must not keep one of the few connections that a browser has for a site.
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
})();
