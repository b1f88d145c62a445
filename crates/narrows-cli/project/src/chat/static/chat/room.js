// A room: shows what is said and who is here, and says what is typed.
const { Narrows } = await import(document.querySelector('#client').href);

const { socket, present } = document.querySelector('#room').dataset;
const [state, here, notice, log, form, problem] = ['state', 'here', 'notice', 'log', 'say', 'problem'].map((id) => document.getElementById(id));

// It comes back by itself when the connection is lost.
const client = new Narrows(socket);
client.on('narrows.open', () => { state.textContent = 'Connected.'; });
client.on('narrows.reconnecting', () => { state.textContent = 'Connecting again …'; });
client.on('narrows.final', () => { state.textContent = 'The connection has ended. Load the page again.'; });

client.on('said', ({ id, from, text, at }) => {
  // After a reconnection the last messages come once more.
  const lines = [...log.children];
  if (lines.some((line) => Number(line.dataset.id) === id)) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const [line, name, time] = ['li', 'strong', 'time'].map((tag) => document.createElement(tag));
  line.dataset.id = id;
  name.textContent = from;
  time.dateTime = new Date(at).toISOString();
  time.textContent = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  line.append(name, ` ${text}`, time);
  log.insertBefore(line, lines.find((other) => Number(other.dataset.id) > id) ?? null);
  if (atEnd) log.scrollTop = log.scrollHeight;
});

client.on('notice', ({ text }) => { notice.textContent = text; notice.hidden = false; });

const roster = client.presence(present);
const names = () => { here.textContent = `Here: ${[...roster.people.keys()].sort().join(', ')}`; };
for (const change of ['sync', 'join', 'leave']) roster.on(change, () => queueMicrotask(names));

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    // Sent once at most: after a cut it is for the reader to say whether it is to be said again.
    await client.request({ type: 'say', text: form.text.value }, { retry: false });
    form.reset();
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.detail || 'That was not sent. Try again.';
    problem.hidden = false;
  } finally {
    button.disabled = false;
    form.text.focus();
  }
});
