// The display name: kept in this browser, changeable on every page.
import { t } from './i18n.js';

const KEY = 'narrows.name';
const SKIPPED = 'narrows.name.later';
const SECRET = 'narrows.guest';
const ROOMS = 'narrows.rooms';
const MAX = 40;

// Storage may be switched off; then the name lives as long as the page.
export const storage = (area) => ({
  get(key) { try { return window[area].getItem(key); } catch { return null; } },
  set(key, value) {
    try { value ? window[area].setItem(key, value) : window[area].removeItem(key); } catch { /* as said */ }
  },
});
const local = storage('localStorage');
const session = storage('sessionStorage');

/** A name as one short line, without control characters. */
export const tidy = (text) =>
  Array.from(text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ').replace(/\s+/g, ' ').trim()).slice(0, MAX).join('').trim();

/** The name of the account, where somebody is logged in. */
export const account = document.documentElement.dataset.user ?? '';

let name = tidy(local.get(KEY) ?? '');

/** The name that a guest chose, or an empty text. */
export const getName = () => name;

let secret = '';

/** What says that all connections of this browser are one guest; nobody else knows it. */
export function guestSecret() {
  secret ||= local.get(SECRET) ?? '';
  if (!/^[\w-]{16,64}$/.test(secret)) {
    secret = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
    local.set(SECRET, secret);
  }
  return secret;
}

/** The rooms that were entered in this browser, the last one first. */
export function recentRooms() {
  let rooms = [];
  try { rooms = JSON.parse(local.get(ROOMS)) ?? []; } catch { /* start afresh */ }
  return Array.isArray(rooms) ? rooms.filter((room) => typeof room === 'string' && room) : [];
}

export function rememberRoom(room) {
  if (room) local.set(ROOMS, JSON.stringify([room, ...recentRooms().filter((r) => r !== room)].slice(0, 20)));
}

const input = document.querySelector('#name-input');
const form = document.querySelector('#name-form');
const tip = document.querySelector('#name-tip');
const saved = document.querySelector('#name-saved');

/** What the field shows while no name is chosen. */
export function setGuestName(guest) { if (input) input.placeholder = guest; }

/** Wire up the form of the page; `onChange(name)` hears of a new name. */
export function initName(onChange = () => {}) {
  if (!form) return; // an account has a name already
  const dirty = () => { form.dataset.dirty = String(tidy(input.value) !== name); };
  const save = () => {
    const next = tidy(input.value);
    input.value = next;
    const changed = next !== name;
    name = next;
    local.set(KEY, name);
    dirty();
    if (tip && name) tip.hidden = true;
    if (changed) onChange(name);
    return changed;
  };
  input.value = name;
  input.placeholder ||= t('name.guest');
  dirty();
  input.addEventListener('input', () => {
    if (saved) saved.textContent = '';
    dirty();
  });
  input.addEventListener('change', save);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    input.value = name;
    dirty();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    save();
    if (saved) saved.textContent = t('name.saved');
    document.querySelector('#chat-message-input')?.focus();
  });

  if (!tip) return;
  tip.hidden = Boolean(name || session.get(SKIPPED));
  tip.querySelector('[data-choose]').addEventListener('click', () => input.focus());
  tip.querySelector('[data-later]').addEventListener('click', () => {
    tip.hidden = true;
    session.set(SKIPPED, '1');
    document.querySelector('#chat-message-input')?.focus();
  });
}
