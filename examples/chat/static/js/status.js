// Shows the state of a socket in #connection-state, with the buttons around it.
import { t, tn } from './i18n.js';
import { LOGGED_OUT } from './socket.js';

/** Why a connection ended, in words. */
export function closedText({ code, reason, byClient }) {
  if (code === LOGGED_OUT) return t('state.ended');
  const what = t(byClient ? 'state.closed.client' : code ? 'state.closed.server' : 'state.closed');
  const why = [reason, byClient || !code ? '' : `(${code})`].filter(Boolean).join(' ');
  return why ? t('state.closed.reason', { what, reason: why }) : what;
}

export function showStatus(socket) {
  const node = document.querySelector('#connection-state');
  const say = document.querySelector('#connection-say'); // for screen readers, without the countdown
  const again = document.querySelector('#reconnect-button');
  const close = document.querySelector('#close-button');
  const login = document.querySelector('#login-link');
  let detail = { state: socket.state };
  let ticking = 0;
  let shown = '';

  const text = () => {
    if (detail.state === 'closed') return closedText(detail);
    if (detail.state !== 'waiting') return t(`state.${detail.state}`);
    return t('state.waiting', { n: Math.max(1, Math.ceil((socket.retryAt - Date.now()) / 1000)) });
  };
  const update = () => {
    const queued = socket.queued && detail.state !== 'open' ? ` · ${tn('state.queued', socket.queued)}` : '';
    const next = text() + queued;
    if (next !== shown) node.textContent = shown = next;
  };

  const onState = () => {
    clearInterval(ticking);
    const { state } = detail;
    if (state === 'waiting') ticking = setInterval(update, 250);
    node.dataset.state = state;
    const ended = state === 'closed' && detail.code === LOGGED_OUT;
    again.hidden = ended || state !== 'waiting' && state !== 'closed';
    if (login) login.hidden = !ended;
    if (login && ended) login.href = `/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
    again.textContent = t(state === 'waiting' ? 'socket.now' : 'socket.reconnect');
    if (close) close.hidden = state === 'closed';
    update();
    say.textContent = state === 'waiting' ? t('state.waiting.say') : text();
  };

  socket.addEventListener('state', (event) => { detail = event.detail; onState(); });
  socket.addEventListener('queue', update);
  again.addEventListener('click', () => socket.open());
  close?.addEventListener('click', () => socket.close());
  onState();
}
