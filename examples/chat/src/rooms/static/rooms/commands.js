// What somebody types, read as what goes out.
import { t } from '../js/i18n.js';

const QUOTED = /^(?:"((?:\\.|[^"\\])*)"|“([^”]*)”)(?:\s+|$)/su;

/** The name as it has to stand after /to. */
export const quote = (name) => (/[\s"“\\]/u.test(name) || !name ? `"${name.replace(/["\\]/g, '\\$&')}"` : name);

/** Whether the bot answers this. */
export const isForBot = (text) => /^\s*@bot(?![\p{L}\p{N}_.@-])/iu.test(text);

/**
 * A text as typed, read: { message } or { type, … } to send, { problem } to
 * show instead. Text after a doubled slash is sent with one of them.
 */
export function read(text) {
  if (text.startsWith('//')) return { message: text.slice(1) };
  const [head, command] = /^\/([a-z]+)(?:\s+|$)/iu.exec(text) ?? [];
  if (!command) return { message: text };
  const rest = text.slice(head.length);
  switch (command.toLowerCase()) {
    case 'all':
      return rest ? { type: 'announce', message: rest } : { type: 'announce', problem: t('room.incomplete', { example: '/all …' }) };
    case 'to': {
      const [taken, plain, curly] = QUOTED.exec(rest) ?? /^(\S+)(?:\s+|$)/u.exec(rest) ?? [''];
      const to = curly ?? (rest.startsWith('"') ? plain?.replace(/\\(.)/gsu, '$1') : plain);
      const message = rest.slice(taken.length);
      const problem = to && message ? undefined : t('room.incomplete', { example: `/to ${to ? quote(to) : 'Ada'} …` });
      return { type: 'direct', to, message, problem };
    }
    default:
      return { problem: t('room.unknown', { command: `/${command}` }) };
  }
}
