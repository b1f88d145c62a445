// What is pushed to the one who is logged in, live, with a counter in the title.
import { t, tNodes, timeNode } from '../js/i18n.js';
import { ReconnectingSocket, wsUrl } from '../js/socket.js';
import { endWithSession } from '../js/session.js';
import { showStatus } from '../js/status.js';

const CAP = 200;

const list = document.querySelector('#notification-list');
const count = document.querySelector('#notification-count');
const title = document.title;
let received = 0;

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
};

function show(frame) {
  const text = make('p', 'text', String(frame.message ?? ''));
  text.dir = 'auto';
  const from = String(frame.from ?? '');
  const key = frame.type === 'direct' ? 'notifications.direct' : 'notifications.from';
  const who = from ? tNodes(key, { name: make('bdi', '', from) }) : t('room.notification');
  list.prepend(make('li', frame.type, make('p', 'who', make('span', '', who), timeNode(frame.time)), text));
  while (list.childElementCount > CAP) list.lastElementChild.remove();
  document.querySelector('#notification-empty').hidden = true;
  received += 1;
  count.textContent = received;
  count.hidden = false;
  document.title = `(${received}) ${title}`;
}

const socket = new ReconnectingSocket(wsUrl('/ws/notifications/'));
socket.addEventListener('message', ({ detail }) => {
  let frame;
  try { frame = JSON.parse(detail); } catch { return; }
  if (frame?.type === 'notification' || frame?.type === 'direct') show(frame);
});
showStatus(socket);
endWithSession(socket);
socket.open();
