// What the admin's pages do beyond plain links and forms. All of it works without.

// A box that ticks all others of its form.
function all(box) {
  const others = () => box.form.querySelectorAll(`input[name="${box.dataset.all}"]`);
  box.hidden = false;
  box.addEventListener('change', () => others().forEach((other) => { other.checked = box.checked; }));
  box.form.addEventListener('change', (event) => {
    if (event.target !== box) {
      const boxes = [...others()];
      box.checked = boxes.every((other) => other.checked);
      box.indeterminate = !box.checked && boxes.some((other) => other.checked);
    }
  });
}

function prepare(part) {
  part.querySelectorAll('input[data-all]').forEach(all);
}

// On a phone the menu is closed until it is wanted.
const menu = document.querySelector('details.menu');
if (menu) {
  const narrow = window.matchMedia('(max-width: 48rem)');
  const fit = () => { menu.open = !narrow.matches; };
  narrow.addEventListener('change', fit);
  fit();
}

prepare(document);
// What is shown anew stays as far to the side as it was.
let left = 0;
document.addEventListener('htmx:beforeSwap', () => { left = document.getElementById('table')?.scrollLeft ?? 0; });
document.addEventListener('htmx:afterSwap', () => {
  const table = document.getElementById('table');
  if (table) table.scrollLeft = left;
  const results = document.getElementById('results');
  if (results) prepare(results);
});
// What is asked for once more, as a word is typed and sent, is one step in the history.
document.addEventListener('htmx:beforeHistoryUpdate', ({ detail: { history } }) => {
  if (new URL(history.path, location).href === location.href) history.type = 'replace';
});
// Rows that are offered for what is typed into a form: where there are none to be had, what was typed stays as it is.
const isOffer = (element) => element.matches('input[list]');
document.addEventListener('htmx:beforeOnLoad', (event) => {
  const { elt, xhr } = event.detail;
  if (isOffer(elt) && (xhr.status !== 200 || xhr.getResponseHeader('hx-redirect'))) event.preventDefault();
});
// A list that cannot be had in part is asked for as a page: a log-in may be needed.
document.addEventListener('htmx:responseError', ({ detail: { elt } }) => {
  if (!isOffer(elt)) window.location.reload();
});
