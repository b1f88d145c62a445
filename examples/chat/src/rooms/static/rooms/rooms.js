// Asks for the name of a room and goes there; the rooms that were entered
// before, with who is there and what is new.
import { t, tn } from '../js/i18n.js';
import { account, initName, recentRooms } from '../js/name.js';
import { guestMarks } from './marks.js';

const EVERY = 10_000; // ms between two looks, while the page is seen

const input = document.querySelector('#room-name-input');
const problem = document.querySelector('#room-name-problem');
const list = document.querySelector('#recent-list');
const address = (room) => `/chat/${encodeURIComponent(room)}/`;

initName();

document.querySelector('#room-form').addEventListener('submit', (event) => {
  event.preventDefault();
  // Half a surrogate pair has no address, hence toWellFormed.
  const room = (input.value.toWellFormed?.() ?? input.value).trim().normalize('NFC');
  if (!room) return input.focus();
  if (/^\.{1,2}$/.test(room)) { // the browser would take these for folders
    problem.textContent = t('rooms.dots');
    input.setAttribute('aria-invalid', 'true');
    return input.focus();
  }
  location.assign(address(room));
});
input.addEventListener('input', () => {
  problem.textContent = '';
  input.removeAttribute('aria-invalid');
});

/** How many messages of a room are new; null where it never was read. */
function unread({ room, epoch, last, read }) {
  if (account) return typeof read === 'number' ? Math.max(0, last - read) : null;
  const mark = guestMarks()[room];
  if (!mark) return null;
  return mark.epoch === epoch ? Math.max(0, last - mark.id) : last;
}

function item(room) {
  const node = document.createElement('li');
  const link = document.createElement('a');
  try { link.href = address(room.room); } catch { return ''; }
  const name = document.createElement('bdi');
  name.textContent = room.room;
  link.append(name);
  if (room.here) {
    const here = document.createElement('small');
    here.textContent = tn('here.count', room.here);
    link.append(' ', here);
  }
  const n = room.epoch === undefined ? 0 : unread(room);
  if (n) {
    const mark = document.createElement('span');
    mark.className = 'count';
    mark.textContent = n > 99 ? '99+' : n;
    mark.setAttribute('aria-label', tn('log.new', n));
    mark.setAttribute('role', 'img');
    link.append(' ', mark);
  }
  node.append(link);
  return node;
}

function show(rooms) {
  document.querySelector('#recent').hidden = rooms.length === 0;
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  list.replaceChildren(...rooms.map(item));
  if (focused) [...list.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
}

async function look() {
  const recent = recentRooms();
  try {
    const query = new URLSearchParams(recent.map((room) => ['room', room]));
    const answer = await fetch(`/api/rooms/?${query}`, { cache: 'no-store' });
    if (!answer.ok) return;
    const rooms = await answer.json();
    // Those that were entered last come first, then those that only another device knows.
    const place = ({ room }) => { const at = recent.indexOf(room); return at < 0 ? recent.length : at; };
    show(rooms.sort((a, b) => place(a) - place(b)));
  } catch { /* the server is away: what is shown stays */ }
}

show(recentRooms().map((room) => ({ room })));
look();
setInterval(() => document.hidden || look(), EVERY);
document.addEventListener('visibilitychange', () => document.hidden || look());

input.focus();
