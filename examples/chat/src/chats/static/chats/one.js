// Single chat: one person and the server, over the socket /room/<id>/.
// The id is random and lives as long as the page, unless ?id= names one.
import '../js/i18n.js';
import { initName } from '../js/name.js';
import { plainChat } from './plain.js';

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(4)), (b) => b.toString(16).padStart(2, '0')).join('');
const asked = new URLSearchParams(location.search).get('id')?.trim() ?? '';
const id = /^\.{0,2}$/.test(asked) ? random() : asked;

document.querySelector('#room-name').textContent = id;
initName();
plainChat(`/room/${encodeURIComponent(id)}/`, { echo: true });
