// What the two plain-text demos share: a socket whose frames are lines.
import { timeNode, t } from '../js/i18n.js';
import { ReconnectingSocket, isFinal, wsUrl } from '../js/socket.js';
import { Log } from './log.js';
import { composer } from '../js/composer.js';
import { endWithSession } from '../js/session.js';
import { closedText, showStatus } from '../js/status.js';

function render({ kind, text, time }) {
  const node = document.createElement(kind === 'note' ? 'div' : 'article');
  node.className = kind === 'note' ? 'note' : `msg ${kind}`;
  const body = document.createElement(kind === 'note' ? 'span' : 'div');
  body.className = 'text';
  body.dir = 'auto';
  body.textContent = text;
  if (kind === 'note') {
    node.append(body, ' ', timeNode(time));
    return node;
  }
  const bubble = document.createElement('div');
  bubble.className = 'bubble';
  bubble.append(body, timeNode(time));
  node.append(bubble);
  return node;
}

/** Talk over the socket at `path`; `echo` also shows what was sent. */
export function plainChat(path, { echo }) {
  const log = new Log(document.querySelector('#chat-log'), document.querySelector('#new-messages'), render);
  const add = (kind, text) => log.add({ kind, text, time: Date.now() }, kind === 'note');

  // Here a normal close is an answer ("exit"), not an accident.
  const socket = new ReconnectingSocket(wsUrl(path), {
    final: (code) => code === 1000 || code === 1005 || isFinal(code),
  });
  const field = composer({
    draft: `narrows.draft.${path}`,
    submit(text) {
      if (!socket.send(text)) return add('note', t('room.full')), false;
      if (echo) add('own', text);
      log.bottom();
      return true;
    },
  });
  let before = false;
  socket.addEventListener('message', ({ detail }) => add('', detail));
  socket.addEventListener('state', ({ detail }) => {
    field.enable(detail.state !== 'closed');
    if (detail.state === 'open') {
      if (before) add('note', t('state.open'));
      before = true;
    }
    if (detail.state === 'closed') add('note', closedText(detail));
  });
  showStatus(socket);
  endWithSession(socket);
  socket.open();
}
