// The search in a room: what was found, newest first, and more of it.
import { t, timeNode } from '../js/i18n.js';
import { make } from './lines.js';

/** `show(id)` goes to a message in the log. */
export function initSearch(client, node, { show }) {
  const form = node.querySelector('form');
  const input = form.querySelector('input');
  const list = node.querySelector('ol');
  const more = node.querySelector('#search-more');
  const say = node.querySelector('output');
  let words = '';
  let before = null;
  let turn = 0;

  async function find(next) {
    const mine = ++turn;
    say.textContent = t('search.busy');
    more.hidden = true;
    try {
      const found = await client.request({ type: 'search', message: words, ...(next ? { before } : {}) }, { timeout: 30_000 });
      if (mine !== turn) return;
      list.append(...found.messages.map(hit));
      before = found.before ?? null;
      more.hidden = before === null;
      say.textContent = list.childElementCount ? '' : t(before === null ? 'search.none' : 'search.none.yet');
    } catch {
      if (mine === turn) say.textContent = t('room.error.not_read');
    }
  }

  function hit({ id, message, from, time }) {
    const text = make('span', 'text', message);
    text.dir = 'auto';
    const go = make('button', 'hit', make('span', 'who', make('bdi', '', from), ' ', timeNode(time)), text);
    go.type = 'button';
    go.addEventListener('click', () => show(id));
    return make('li', '', go);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    words = input.value.trim();
    list.replaceChildren();
    say.textContent = '';
    more.hidden = true;
    turn += 1;
    if (words) find(false);
  });
  more.addEventListener('click', () => find(true));
  node.addEventListener('toggle', () => node.open && input.focus());
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    node.open = false;
    node.querySelector('summary').focus();
  });
}
