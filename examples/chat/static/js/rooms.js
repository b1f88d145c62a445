// Asks for the name of a room and goes there.
import { t } from './i18n.js';
import { initName, storage } from './name.js';

const input = document.querySelector('#room-name-input');
const problem = document.querySelector('#room-name-problem');
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

let rooms = [];
try { rooms = JSON.parse(storage('localStorage').get('narrows.rooms')) ?? []; } catch { /* none */ }
rooms = Array.isArray(rooms) ? rooms.filter((room) => typeof room === 'string' && room) : [];
if (rooms.length) {
  document.querySelector('#recent').hidden = false;
  document.querySelector('#recent-list').append(...rooms.map((room) => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    try { link.href = address(room); } catch { return ''; }
    link.textContent = room;
    link.dir = 'auto';
    item.append(link);
    return item;
  }));
}

input.focus();
