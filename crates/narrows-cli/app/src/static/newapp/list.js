// The list grows while the page is open.
const { Narrows } = await import(document.querySelector('#client').href);

const list = document.querySelector('#list');
const client = new Narrows(list.dataset.socket);
let connected = false;
// What was added while there was no connection is not told later: the page has it when it is loaded again.
client.on('narrows.open', () => { if (connected) location.reload(); connected = true; });
client.on('added', ({ text }) => {
  const item = document.createElement('li');
  item.textContent = text;
  list.append(item);
});
