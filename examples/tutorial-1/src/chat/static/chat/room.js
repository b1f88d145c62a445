const { Narrows } = await import(document.querySelector('#client').href);

const [state, log, form] = ['state', 'log', 'say'].map((id) => document.getElementById(id));

// It comes back by itself when the connection is lost.
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

form.addEventListener('submit', (event) => {
  event.preventDefault();
  client.send({ type: 'say', text: form.text.value });
  form.reset();
});
