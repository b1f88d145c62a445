// The message field: Enter sends, Shift+Enter starts a new line, Escape
// clears, Arrow Up in the empty field brings the last text back.
import { storage } from './name.js';

const session = storage('sessionStorage');

/**
 * `submit(text)` says whether the text was taken; if not, it stays.
 * `draft` names the place where unsent text outlives a reload.
 */
export function composer({ submit, draft, changed = () => {} }) {
  const form = document.querySelector('#chat-form');
  const input = document.querySelector('#chat-message-input');
  const button = document.querySelector('#chat-message-submit');
  const native = CSS.supports('field-sizing', 'content');
  let last = '';

  const update = () => {
    if (!native) {
      input.style.height = 'auto';
      input.style.height = `${input.scrollHeight + input.offsetHeight - input.clientHeight}px`;
    }
    session.set(draft, input.value);
    changed(input.value);
  };
  const set = (text) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    update();
  };
  const send = () => {
    const text = input.value.trimEnd();
    if (!text || input.disabled) return;
    if (!submit(text)) return;
    last = text;
    set('');
  };

  input.addEventListener('input', update);
  input.addEventListener('keydown', (event) => {
    // While an input method is open, Enter and Escape belong to it.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && input.value) {
      last = input.value;
      set('');
    } else if (event.key === 'ArrowUp' && !input.value && last) {
      event.preventDefault();
      set(last);
    }
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send();
    input.focus();
  });

  set(session.get(draft) ?? '');
  input.focus();
  return {
    get text() { return input.value; },
    set(text) { set(text); input.focus(); },
    focus: () => input.focus(),
    enable(on) {
      const had = document.activeElement;
      input.disabled = button.disabled = !on;
      if (on && (had === document.body || had?.id === 'reconnect-button')) input.focus();
    },
  };
}
