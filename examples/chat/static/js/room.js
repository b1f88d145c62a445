// The chat room: /chat/<room>/ over the socket /ws/chat/<room>/.
import { has, t, tNodes, timeNode } from './i18n.js';
import { LOGGED_OUT, ReconnectingSocket, wsUrl } from './socket.js';
import { Log } from './log.js';
import { composer } from './composer.js';
import { endWithSession } from './session.js';
import { showStatus } from './status.js';
import { account, getName, initName, setGuestName, storage } from './name.js';

const room = roomOfPage();
let me = account; // the name the server settled on
const accounts = new Set(); // names that were seen to be an account's
let welcomed = false;
let entering = false; // until the room hears of us, which the welcome has told already

function roomOfPage() {
  const [, raw = ''] = /^\/chat\/(.*?)\/?$/.exec(location.pathname) ?? [];
  try { return decodeURIComponent(raw); } catch { return raw; }
}

// ---- What goes out -------------------------------------------------------

const QUOTED = /^(?:"((?:\\.|[^"\\])*)"|“([^”]*)”)(?:\s+|$)/su;

/** The name as it has to stand after /to. */
const quote = (name) => (/[\s"“\\]/u.test(name) || !name ? `"${name.replace(/["\\]/g, '\\$&')}"` : name);

/**
 * A text as typed, read: { message } or { type, … } to send, { problem } to
 * show instead. Text after a doubled slash is sent with one of them.
 */
function read(text) {
  if (text.startsWith('//')) return { message: text.slice(1) };
  const [head, command] = /^\/([a-z]+)(?:\s+|$)/iu.exec(text) ?? [];
  if (!command) return { message: text };
  const rest = text.slice(head.length);
  switch (command.toLowerCase()) {
    case 'all':
      return rest ? { type: 'announce', message: rest } : { type: 'announce', problem: t('room.incomplete', { example: '/all …' }) };
    case 'to': {
      const [taken, plain, curly] = QUOTED.exec(rest) ?? /^(\S+)(?:\s+|$)/u.exec(rest) ?? [''];
      const to = curly ?? (rest.startsWith('"') ? plain?.replace(/\\(.)/gsu, '$1') : plain);
      const message = rest.slice(taken.length);
      const problem = to && message ? undefined : t('room.incomplete', { example: `/to ${to ? quote(to) : 'Ada'} …` });
      return { type: 'direct', to, message, problem };
    }
    default:
      return { problem: t('room.unknown', { command: `/${command}` }) };
  }
}

// ---- What comes in -------------------------------------------------------

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
};

/** A name to click on; the colour comes from the name. That of an account has a mark that no guest gets. */
function nick(name, isAccount = accounts.has(name)) {
  const node = make('button', 'nick', make('bdi', '', name));
  if (isAccount) {
    const mark = make('span', 'mark');
    mark.setAttribute('role', 'img');
    mark.setAttribute('aria-label', t('room.account'));
    node.append(' ', mark);
  }
  node.type = 'button';
  node.title = t('room.write', { name });
  node.dataset.name = name;
  let hash = 7;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) % 3600;
  node.style.setProperty('--hue', (hash * 47) % 360);
  return node;
}

const plainName = (name) => make('bdi', 'name-text', name);
const note = (kind, entry, ...children) => make('div', `note ${kind}`, make('span', '', ...children), ' ', timeNode(entry.time));

function bubble(entry, previous) {
  // A guest may call itself as I do: mine is what comes from my account, or from a guest when I am one.
  const own = entry.from !== '' && entry.from === me && entry.account === Boolean(account);
  const direct = entry.type === 'direct';
  const follows = !direct && previous?.type === 'message' && previous.from === entry.from && previous.account === entry.account && entry.time - previous.time < 300_000;
  const node = make('article', `msg${own ? ' own' : ''}${direct ? ' direct' : ''}${follows ? ' follows' : ''}`);
  const head = make('header', 'who');
  if (own) head.append(make('span', 'unseen', `${t('room.you')}: `));
  else if (entry.from) head.append(nick(entry.from, entry.account));
  if (direct) {
    head.append(' ', make('span', 'tag', own ? tNodes('room.direct.to', { name: nick(entry.to) }) : t('room.direct')));
  }
  const text = make('div', 'text', entry.message);
  text.dir = 'auto';
  node.append(head, make('div', 'bubble', text, timeNode(entry.time)));
  return node;
}

function announcement(entry) {
  const text = make('div', 'text', entry.message);
  text.dir = 'auto';
  const head = entry.from
    ? tNodes(`room.${entry.type}.from`, { name: nick(entry.from, entry.account || entry.type === 'notification') })
    : t(`room.${entry.type}`);
  return make('article', `announcement ${entry.type}`, make('header', 'who', make('span', 'tag', head), timeNode(entry.time)), text);
}

function render(entry, previous) {
  switch (entry.type) {
    case 'message':
    case 'direct': return bubble(entry, previous);
    case 'announcement':
    case 'notification': return announcement(entry);
    case 'joined': return note('joined', entry, tNodes('room.joined', { name: nick(entry.name, entry.account) }));
    case 'left': return note('left', entry, tNodes('room.left', { name: nick(entry.name, entry.account) }));
    case 'welcome':
      return note('welcome', entry, entry.again
        ? tNodes('room.again', { name: plainName(entry.name) })
        : tNodes('room.welcome', { name: plainName(entry.name), room: plainName(entry.room) }));
    default: return note('problem', entry, entry.message);
  }
}

const SHOWN = new Set(['welcome', 'message', 'direct', 'announcement', 'notification', 'joined', 'left', 'error']);
const QUIET = new Set(['welcome', 'joined', 'left', 'error']);

/** One frame of the server as an entry of the log, or null. */
function receive(data) {
  let frame;
  try { frame = JSON.parse(data); } catch { return null; }
  if (!frame || !SHOWN.has(frame.type)) return null;
  const entry = { type: frame.type, time: typeof frame.time === 'number' ? frame.time : Date.now() };
  for (const key of ['message', 'from', 'to', 'name', 'room', 'detail', 'code']) entry[key] = String(frame[key] ?? '');
  entry.account = frame.account === true;
  if (entry.account) accounts.add(entry.from || entry.name);
  if (entry.type === 'error') {
    const known = `room.error.${entry.code}`;
    entry.message = has(known) ? t(known) : t('room.error', { detail: entry.detail || entry.code });
  }
  return entry;
}

// ---- The page ------------------------------------------------------------

const title = document.querySelector('#room-name');
title.textContent = room;
document.title = `${room} · Narrows`;
rememberRoom();

const log = new Log(document.querySelector('#chat-log'), document.querySelector('#new-messages'), render);
const problem = (message) => log.add({ type: 'problem', message, time: Date.now() }, true);

// A guest keeps the name it got for as long as the page is open.
const socket = new ReconnectingSocket(() =>
  wsUrl(`/ws/chat/${encodeURIComponent(room)}/`, { name: account ? '' : getName() || me }));

initName(() => { me = ''; socket.restart(); });

const hint = document.querySelector('#chat-hint');
const usual = [...hint.childNodes];
const field = composer({
  draft: `narrows.draft.room.${room}`,
  submit(text) {
    const { problem: wrong, ...frame } = read(text);
    if (wrong) return problem(wrong), false;
    // Not to a guest who took the name since.
    if (frame.type === 'direct' && accounts.has(frame.to)) frame.account = true;
    if (!socket.send(JSON.stringify(frame))) return problem(t('room.full')), false;
    log.bottom();
    return true;
  },
  changed(text) {
    const { type = '', to } = text.startsWith('/') ? read(text) : {};
    const mode = type === 'direct' && !to ? '' : type;
    document.querySelector('#chat-form').dataset.mode = mode;
    if (mode === 'direct') hint.replaceChildren(tNodes('room.mode.direct', { name: plainName(to) }));
    else if (mode === 'announce') hint.replaceChildren(t('room.mode.all'));
    else if (/^\s*@bot(?![\p{L}\p{N}_.@-])/iu.test(text)) hint.replaceChildren(t('room.mode.bot'));
    else hint.replaceChildren(...usual);
  },
});

document.querySelector('#chat-log').addEventListener('click', (event) => {
  const name = event.target.closest?.('.nick')?.dataset.name;
  if (name === undefined) return;
  const current = read(field.text);
  const rest = current.type || !current.message ? current.message ?? '' : field.text;
  field.set(`/to ${quote(name)} ${rest}`);
});

socket.addEventListener('state', ({ detail }) => field.enable(detail.state !== 'closed'));
socket.addEventListener('message', ({ detail }) => {
  const entry = receive(detail);
  if (!entry) return;
  if (entry.type === 'welcome') {
    // The session ended while there was no connection.
    if (account && !entry.account) return socket.close(LOGGED_OUT);
    me = entry.name;
    setGuestName(me);
    entry.again = welcomed;
    welcomed = entering = true;
  }
  if (entry.type === 'joined' && entry.name === me && entering) {
    entering = false;
    return;
  }
  log.add(entry, QUIET.has(entry.type));
});

showStatus(socket);
endWithSession(socket);
socket.open();

function rememberRoom() {
  const store = storage('localStorage');
  let rooms = [];
  try { rooms = JSON.parse(store.get('narrows.rooms')) ?? []; } catch { /* start afresh */ }
  if (!Array.isArray(rooms)) rooms = [];
  if (room) store.set('narrows.rooms', JSON.stringify([room, ...rooms.filter((r) => r !== room)].slice(0, 8)));
}
