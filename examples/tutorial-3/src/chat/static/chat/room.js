const { Narrows } = await import(document.querySelector('#client').href);

const [state, here, log, form] = ['state', 'here', 'log', 'say'].map((id) => document.getElementById(id));

// It comes back by itself when the connection is lost.
const client = new Narrows(log.dataset.socket);
client.on('narrows.open', () => { state.textContent = 'Connected.'; });
client.on('narrows.reconnecting', () => { state.textContent = 'Connecting again …'; });
client.on('narrows.final', () => { state.textContent = 'The connection has ended. Load the page again.'; });

client.on('said', ({ id, from, text }) => {
  const lines = [...log.children];
  // After a reconnection the last messages come once more.
  if (lines.some((line) => Number(line.dataset.id) === id)) return;
  const [line, name] = ['li', 'strong'].map((tag) => document.createElement(tag));
  line.dataset.id = id;
  name.textContent = from;
  line.append(name, ` ${text}`);
  // What is said while the last ones are read may come before them.
  log.insertBefore(line, lines.find((other) => Number(other.dataset.id) > id) ?? null);
  log.scrollTop = log.scrollHeight;
});

const roster = client.presence(log.dataset.present);
const names = () => { here.textContent = `Here: ${[...roster.people.keys()].sort().join(', ')}`; };
for (const change of ['sync', 'join', 'leave']) roster.on(change, names);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  client.send({ type: 'say', text: form.text.value });
  form.reset();
});
