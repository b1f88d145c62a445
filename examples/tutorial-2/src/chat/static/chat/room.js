const { Narrows } = await import(document.querySelector('#client').href);

const [state, here, log, form] = ['state', 'here', 'log', 'say'].map((id) => document.getElementById(id));

// It comes back by itself when the connection is lost, and asks for what it missed.
const client = new Narrows(log.dataset.socket);
client.on('narrows.open', () => { state.textContent = 'Connected.'; });
client.on('narrows.reconnecting', () => { state.textContent = 'Connecting again …'; });
client.on('narrows.final', () => { state.textContent = 'The connection has ended. Load the page again.'; });

client.on('said', ({ from, text }) => {
  const [line, name] = ['li', 'strong'].map((tag) => document.createElement(tag));
  name.textContent = from;
  line.append(name, ` ${text}`);
  log.append(line);
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
