// The chat room: /chat/<room>/ over the socket /ws/chat/<room>/.
import { has, t, tNodes } from '../js/i18n.js';
import { wsUrl } from '../js/socket.js';
import { Link } from './link.js';
import { History } from './history.js';
import { Timeline } from './timeline.js';
import { Outbox } from './outbox.js';
import { Mark } from './marks.js';
import { Typing } from './typing.js';
import { showRoster } from './here.js';
import { initSearch } from './search.js';
import { composer } from '../js/composer.js';
import { isForBot, quote, read } from './commands.js';
import { accounts, isOwn, line, make, pendingLine, plainName } from './lines.js';
import { endWithSession } from '../js/session.js';
import { showStatus } from '../js/status.js';
import { account, getName, guestSecret, initName, rememberRoom, setGuestName } from '../js/name.js';

const $ = (selector) => document.querySelector(selector);

const room = roomOfPage();
let me = account; // the name the server settled on
let key = ''; // under which we are in the room
let group = ''; // in which the others are
let welcomed = false;

function roomOfPage() {
  const [, raw = ''] = /^\/chat\/(.*?)\/?$/.exec(location.pathname) ?? [];
  try { return decodeURIComponent(raw); } catch { return raw; }
}

$('#room-name').textContent = room;
document.title = `${room} · Narrows`;
rememberRoom(room);

// ---- The connection --------------------------------------------------------

// A guest keeps the name it got for as long as the page is open. An account is itself or nobody: what waits here is not
// to be sent under another name when the session is over.
const link = new Link(() => wsUrl(`/ws/chat/${encodeURIComponent(room)}/`,
  account ? { as: account } : { name: getName() || me, guest: guestSecret() }));
const { client } = link;

initName(() => { me = ''; link.restart(); });

// ---- The log -----------------------------------------------------------------

const mark = new Mark(client, room);
const typing = new Typing(link, $('#typing'));

const timeline = new Timeline({
  node: $('#chat-log'),
  chip: $('#new-messages'),
  say: $('#chat-say'),
  line: (entry) => line(entry, me),
  onBottom: () => history.isKnown && history.high && mark.seen(history.high, history.epoch),
  onTop: () => history.older(),
  onEnd: () => history.fill(),
  onNewest: async () => { if (await history.newest()) timeline.bottom(); },
  onCut: (id) => history.cut(id),
});

const note = (message, type = 'problem') => timeline.live({ type, message, time: Date.now() }, { quiet: true });
const asEntry = (kept) => {
  const entry = { type: 'message', account: false, ...kept };
  if (entry.account) accounts.add(entry.from);
  return entry;
};

const history = new History(client, {
  entered(page) {
    timeline.history(page.messages.map(asEntry));
    $('#chat-log').removeAttribute('aria-busy');
    const before = mark.start(page);
    const isNew = before !== null && page.last > before && timeline.divide(before);
    if (isNew) timeline.toDivider();
    else timeline.bottom();
  },
  added: (messages) => timeline.history(messages.map(asEntry)),
  reset: () => timeline.clear(),
  past: (past) => { timeline.past = past; },
  oldest: () => timeline.oldest,
  failed: () => note(t('room.unread')),
});

let showing = 0;
/** Shows a message of the history, wherever it is: what is between is read where that is little. */
async function show(id) {
  const mine = ++showing;
  timeline.hold();
  const isNear = () => timeline.oldest > id && timeline.oldest - id <= 300;
  while (!timeline.has(id) && isNear() && await history.older()) if (mine !== showing) return;
  if (!timeline.has(id)) await history.around(id);
  if (mine !== showing) return;
  if (timeline.has(id)) timeline.show(id);
  else note(t('room.error.not_read'));
}
initSearch(client, $('#search'), { show });

// ---- What goes out -------------------------------------------------------

const pending = new Map(); // id → element

// No account has a slash in its name. What somebody wrote here is nobody else's.
const whose = `${account}/${room}`;

const outbox = new Outbox(link, `narrows.outbox.${whose}`, {
  stored(once, { id, epoch, time }) {
    const element = pending.get(once);
    if (!element) return; // it was heard already
    const message = element.querySelector('.text').textContent;
    settled(once);
    if (history.heard({ id, epoch })) {
      timeline.live(asEntry({ id, message, from: me, account: Boolean(account), time }), { own: true });
    }
  },
  failed(once, message, error) {
    settled(once);
    if (error.code !== 'not_sent' && error.code !== 'timeout' && error.code !== 'full') return note(explain(error));
    const again = make('button', 'quiet', t('room.retry'));
    again.type = 'button';
    const element = pendingLine(message);
    element.classList.add('failed');
    element.querySelector('.sending').replaceWith(make('span', 'sending', t('room.error.not_sent')), again);
    again.addEventListener('click', () => {
      timeline.remove(element);
      send(message, once);
    });
    timeline.pending(element);
  },
});

function settled(once) {
  const element = pending.get(once);
  if (element) timeline.remove(element);
  pending.delete(once);
}

function send(message, known) {
  const once = outbox.send(message, known);
  pending.set(once, timeline.pending(pendingLine(message)));
}

const explain = ({ code, detail }) => (has(`room.error.${code}`) ? t(`room.error.${code}`) : t('room.error', { detail: detail || code }));

const UNKEPT = 180_000; // ms in which what is not kept still finds those who were cut off
const UNSENT = ['closed', 'full', 'not_sent', 'timeout'];

const hint = $('#chat-hint');
const usual = [...hint.childNodes];
const field = composer({
  draft: `narrows.draft.room.${whose}`,
  submit(text) {
    const { problem: wrong, ...frame } = read(text);
    if (wrong) return note(wrong), false;
    if (link.state === 'closed' || outbox.isFull) return note(t('room.full')), false;
    typing.sent();
    timeline.undivide();
    if (!frame.type) return send(frame.message), true;
    // Not to a guest who took the name since.
    if (frame.type === 'direct' && accounts.has(frame.to)) frame.account = true;
    client.request(frame, { timeout: UNKEPT }).catch((error) => {
      const isLost = UNSENT.includes(error.code);
      // Where something else is being written it stands in the log.
      note(isLost && field.text ? `${explain(error)} ${text}` : explain(error));
      if (isLost && !field.text) field.set(text);
    });
    timeline.bottom();
    return true;
  },
  changed(text) {
    const { type = '', to } = text.startsWith('/') ? read(text) : {};
    const mode = type === 'direct' && !to ? '' : type;
    $('#chat-form').dataset.mode = mode;
    if (mode === 'direct') hint.replaceChildren(tNodes('room.mode.direct', { name: plainName(to) }));
    else if (mode === 'announce') hint.replaceChildren(t('room.mode.all'));
    else if (isForBot(text)) hint.replaceChildren(t('room.mode.bot'));
    else hint.replaceChildren(...usual);
    // What only one person reads is nobody else's business before.
    if (text && !text.startsWith('/')) typing.tell();
  },
});

for (const place of [$('#chat-log'), $('#here')]) {
  place.addEventListener('click', (event) => {
    const name = event.target.closest?.('.nick')?.dataset.name;
    if (name === undefined) return;
    const current = read(field.text);
    const rest = current.type || !current.message ? current.message ?? '' : field.text;
    $('#here').open = false;
    field.set(`/to ${quote(name)} ${rest}`);
  });
}

// A list that is open closes by a click elsewhere, and by Escape.
document.addEventListener('click', (event) => {
  for (const drop of document.querySelectorAll('.drop[open]')) if (!drop.contains(event.target)) drop.open = false;
});
$('#here').addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  $('#here').open = false;
  $('#here summary').focus();
});

// ---- What comes in -------------------------------------------------------

/** One message of the server as an entry of the log. */
function entryOf(frame) {
  const entry = { type: frame.type, time: typeof frame.time === 'number' ? frame.time : Date.now() };
  for (const name of ['message', 'from', 'to', 'name', 'room']) entry[name] = String(frame[name] ?? '');
  entry.account = frame.account === true;
  if (entry.account) accounts.add(entry.from || entry.name);
  return entry;
}

client.on('welcome', (frame) => {
  const entry = entryOf(frame);
  me = entry.name;
  key = String(frame.key);
  setGuestName(me);
  entry.again = welcomed;
  timeline.live(entry, { quiet: true });
  if (frame.present !== group) {
    group = frame.present;
    showRoster(client, group, $('#here'), {
      me: () => key,
      joined: (who) => timeline.live({ type: 'joined', time: Date.now(), ...who }, { quiet: true }),
      left: (who) => timeline.live({ type: 'left', time: Date.now(), ...who }, { quiet: true }),
    });
  }
  history.fill();
  welcomed = true;
});

client.on('message', (frame) => {
  const entry = entryOf(frame);
  typing.said(entry.from);
  const own = isOwn(entry, me);
  if (frame.once && pending.has(frame.once)) settled(frame.once);
  // One of another history is shown where it came: its number says nothing here.
  if (history.heard(frame)) entry.id = frame.id;
  timeline.live(entry, { own });
});

for (const type of ['direct', 'announcement', 'notification']) {
  client.on(type, (frame) => {
    const entry = entryOf(frame);
    timeline.live(entry, { own: isOwn(entry, me) });
  });
}
client.on('error', (error) => note(explain(error)));
client.on('typing', (frame) => frame.key !== key && typing.heard(frame));
client.on('read', (frame) => frame.room === room && mark.heard(frame.id));

let saidLost = false;
client.on('narrows.open', () => { saidLost = false; });
client.on('narrows.unrecovered', (lost) => {
  // The room's messages are in the database; what is for one person, or for all rooms, is nowhere. It is said once for both.
  if (lost.group === group) {
    history.fill();
  } else if (welcomed && !saidLost) {
    saidLost = true;
    note(t('room.lost'));
  }
});

// ---- The banner ------------------------------------------------------------

let away = 0;
link.addEventListener('state', ({ detail }) => {
  const { state } = detail;
  field.enable(state !== 'closed');
  if (state === 'open') {
    clearTimeout(away);
    away = 0;
    $('#banner').hidden = true;
  } else if (welcomed) {
    // A connection that is back at once was never missed.
    away ||= setTimeout(() => { $('#banner').hidden = false; }, state === 'closed' ? 0 : 800);
  }
});

showStatus(link);
endWithSession(link);
link.open();
for (const { once, message } of outbox.restore()) send(message, once);
