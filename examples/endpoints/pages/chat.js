"use strict";

const element = (id) => document.getElementById(id);

/** Lets Enter in an input do what its button does. */
function pairUp(input, button) {
  input.addEventListener("keydown", (event) => {
    // While an input method composes a word, Enter is its own.
    if (event.key === "Enter" && !event.isComposing) button.click();
  });
  input.focus();
}

function chooseRoom() {
  const input = element("room-name-input");
  const button = element("room-name-submit");
  pairUp(input, button);
  button.addEventListener("click", () => {
    const name = input.value.trim();
    // A room is a group on the channel layer, and this is what the name of a group may hold. "." and ".." are
    // lost on the way: a browser takes them for folders.
    if (!/^[A-Za-z0-9._-]{1,94}$/.test(name) || /^\.{1,2}$/.test(name)) {
      element("room-name-problem").textContent =
        "A room name has 1 to 94 of the letters a–z and A–Z, the digits, and - _ . (and is not just a dot or two).";
      input.focus();
      return;
    }
    location.pathname = `/chat/${name}/`;
  });
}

function enterRoom() {
  const room = location.pathname.split("/")[2];
  const log = element("chat-log");
  const input = element("chat-message-input");
  const button = element("chat-message-submit");
  const status = element("chat-status");
  document.title = decodeURIComponent(room);
  pairUp(input, button);

  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/chat/${room}/`);
  socket.addEventListener("open", () => {
    status.textContent = "Connected.";
    button.disabled = false;
  });
  socket.addEventListener("message", (event) => {
    const { message } = JSON.parse(event.data);
    // As text: what somebody else typed is never markup here.
    log.append(document.createTextNode(`${message}\n`));
    log.scrollTop = log.scrollHeight;
  });
  socket.addEventListener("close", (event) => {
    button.disabled = true;
    status.textContent = `The connection has ended (${event.code}). Reload the page to come back.`;
  });
  button.addEventListener("click", () => {
    if (input.value === "" || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ message: input.value }));
    input.value = "";
    input.focus();
  });
}

if (element("room-name-submit")) chooseRoom();
else enterRoom();
