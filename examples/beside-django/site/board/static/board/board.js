// The board, live: what Django saves and what others say comes by one WebSocket.

const state = document.querySelector('#state');
const posts = document.querySelector('#posts');
const chat = document.querySelector('#chat');
const say = document.querySelector('#say');

/** The session has ended: coming back would only be refused. */
const SESSION_ENDED = 4401;

let socket;
let attempt = 0;

function show(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function connect() {
  show('connecting', 'Connecting …');
  const url = new URL('/ws/board/', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  socket = new WebSocket(url);
  let opened = false;
  socket.addEventListener('open', () => { opened = true; });
  socket.addEventListener('message', (event) => receive(JSON.parse(event.data)));
  socket.addEventListener('close', async ({ code }) => {
    if (code === SESSION_ENDED || (!opened && await isLoggedOut())) return ended();
    // Any wait up to a ceiling that doubles, so that not all pages come back at once.
    const wait = 500 + Math.random() * Math.min(20_000, 500 * 2 ** attempt++);
    show('waiting', 'Not connected; trying again soon.');
    setTimeout(connect, wait);
  });
}

/** Browsers do not say why a socket was refused; Django sends who is logged out elsewhere. */
async function isLoggedOut() {
  try {
    return (await fetch('/', { redirect: 'manual' })).type === 'opaqueredirect';
  } catch {
    return false;
  }
}

function ended() {
  show('ended', 'You are logged out. ');
  const link = document.createElement('a');
  link.href = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = 'Log in again';
  state.append(link);
  say.querySelector('button').disabled = true;
}

const receivers = {
  welcome({ name }) {
    attempt = 0;
    show('open', `Live, as ${name}`);
  },
  'post.saved'({ id, title, text, author }) {
    let post = posts.querySelector(`.post[data-id="${id}"]`);
    if (!post) {
      post = document.querySelector('#post').content.cloneNode(true).firstElementChild;
      post.dataset.id = id;
      post.querySelector('form').action = `/posts/${id}/comments/`;
      posts.prepend(post);
    }
    post.classList.add('live');
    post.querySelector('h2').textContent = title;
    post.querySelector('.by').textContent = author;
    post.querySelector('.text').textContent = text;
  },
  'comment.saved'({ id, post, text, author }) {
    const comments = posts.querySelector(`.post[data-id="${post}"] .comments`);
    if (!comments || comments.querySelector(`li[data-id="${id}"]`)) return;
    comments.append(line('b', author, text));
    comments.lastElementChild.dataset.id = id;
  },
  'chat.said'({ author, text }) {
    chat.append(line('b', author, text));
    chat.lastElementChild.querySelector('b').className = 'from';
    chat.scrollTop = chat.scrollHeight;
  },
  error({ detail }) {
    chat.append(line('em', 'not sent', detail));
  },
};

function receive(message) {
  receivers[message.type]?.(message);
}

/** A line with two texts. As texts: nobody's words become markup. */
function line(kind, first, second) {
  const [item, head, rest] = ['li', kind, 'span'].map((name) => document.createElement(name));
  head.textContent = first;
  rest.textContent = second;
  item.append(head, ' ', rest);
  return item;
}

say.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ text: say.elements.text.value }));
  say.reset();
});

connect();
