// Who is in the room: each person once, on however many devices.
import { t, tn } from '../js/i18n.js';
import { accounts, make, nick } from './lines.js';

const SHOWN = 200; // names in the list; more are only counted

/**
 * Shows the roster of `group` in `node`, a <details> with a <summary> and a <ul>. `joined` and `left` are called with
 * { name, account } when somebody comes or goes, but not for `me()`, the key of the reader.
 */
export function showRoster(client, group, node, { me, joined, left }) {
  const [summary, list] = [node.querySelector('summary'), node.querySelector('ul')];
  const roster = client.presence(group);
  const who = (metas) => metas[0] ?? { name: '?' };

  // The count of a change is known when all of it was told.
  const update = () => queueMicrotask(show);
  const show = () => {
    const n = Math.max(roster.count, roster.people.size);
    node.hidden = n === 0;
    summary.textContent = tn('here.count', n);
    if (!node.open) return;
    const people = [...roster.people].map(([key, metas]) => ({ key, ...who(metas), devices: metas.length }));
    people.sort((a, b) => a.name.localeCompare(b.name) || a.key.localeCompare(b.key));
    const same = new Map();
    for (const { name } of people) same.set(name, (same.get(name) ?? 0) + 1);
    list.replaceChildren(...people.slice(0, SHOWN).map(({ key, name, account, devices }) => {
      const item = make('li', '', nick(name, account === true));
      // Guests may have the same name; their number tells them apart.
      if (!account && same.get(name) > 1) item.append(' ', make('small', '', `#${key.split(':').at(-1).slice(0, 4)}`));
      if (key === me()) item.append(' ', make('small', '', t('here.you')));
      if (devices > 1) item.append(' ', make('small', '', tn('here.devices', devices)));
      return item;
    }));
    if (people.length > SHOWN) list.append(make('li', 'hint', t('here.more', { n: n - SHOWN })));
  };

  const note = (tell) => ({ key, metas }) => {
    const { name, account } = who(metas);
    if (account) accounts.add(name);
    if (key !== me()) tell({ name, account: account === true });
    update();
  };
  roster.on('join', note(joined));
  roster.on('leave', note(left));
  roster.on('update', update);
  roster.on('sync', update);
  node.ontoggle = update;
}
