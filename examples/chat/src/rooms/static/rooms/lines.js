// The elements of a room's log: texts are always text, never markup.
import { t, tNodes, timeNode } from '../js/i18n.js';
import { account } from '../js/name.js';

/** Names that were seen to be an account's. */
export const accounts = new Set();

export const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

/** A name to click on; the colour comes from the name. That of an account has a mark that no guest gets. */
export function nick(name, isAccount = accounts.has(name)) {
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

export const plainName = (name) => make('bdi', 'name-text', name);

/** A guest may call itself as I do: mine is what comes from my account, or from a guest when I am one. */
export const isOwn = (entry, me) => entry.from !== '' && entry.from === me && entry.account === Boolean(account);

const note = (kind, entry, ...children) => make('div', `note ${kind}`, make('span', '', ...children), ' ', timeNode(entry.time));

const textNode = (text) => {
  const node = make('div', 'text', text);
  node.dir = 'auto';
  return node;
};

function bubble(entry, me) {
  const own = isOwn(entry, me);
  const direct = entry.type === 'direct';
  const node = make('article', `msg${own ? ' own' : ''}${direct ? ' direct' : ''}`);
  const head = make('header', 'who');
  if (own) head.append(make('span', 'unseen', `${t('room.you')}: `));
  else if (entry.from) head.append(nick(entry.from, entry.account));
  if (direct) {
    head.append(' ', make('span', 'tag', own ? tNodes('room.direct.to', { name: nick(entry.to) }) : t('room.direct')));
  }
  node.append(head, make('div', 'bubble', textNode(entry.message), timeNode(entry.time)));
  return node;
}

function announcement(entry) {
  const head = entry.from
    ? tNodes(`room.${entry.type}.from`, { name: nick(entry.from, entry.account || entry.type === 'notification') })
    : t(`room.${entry.type}`);
  return make('article', `announcement ${entry.type}`, make('header', 'who', make('span', 'tag', head), timeNode(entry.time)), textNode(entry.message));
}

/** One's own message on its way: without a time, as it has none yet. */
export function pendingLine(message) {
  const state = make('span', 'sending', t('room.sending'));
  const node = make('article', 'msg own pending', make('div', 'bubble', textNode(message), state));
  return node;
}

/** The element of one entry, for the reader of this name. */
export function line(entry, me) {
  switch (entry.type) {
    case 'message':
    case 'direct': return bubble(entry, me);
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
