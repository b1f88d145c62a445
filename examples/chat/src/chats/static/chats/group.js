// Group chat over the socket /group/<id>/; the id comes from ?groupID=.
import { t } from '../js/i18n.js';
import { initName } from '../js/name.js';
import { plainChat } from './plain.js';

const id = new URLSearchParams(location.search).get('groupID')?.trim().normalize('NFC') ?? '';
initName();

if (id && !/^\.{1,2}$/.test(id)) {
  document.querySelector('#group-chat').hidden = false;
  const title = t('group.named', { id });
  document.querySelector('#room-name').textContent = title;
  document.title = `${title} · Narrows`;
  plainChat(`/group/${encodeURIComponent(id)}/`, { echo: false });
} else {
  document.querySelector('#group-ask').hidden = false;
  document.querySelector('#group-id-input').focus();
}
