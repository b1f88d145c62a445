// English and Chinese, whichever the browser's list of languages names first.
//
// In the pages: data-i18n (text, with the values of its placeholders as JSON in
// data-i18n-values), data-i18n-said (an English text of the server's, which is
// found below by its words), data-i18n-label (aria-label), data-i18n-title (title),
// data-i18n-placeholder, data-i18n-empty (what an empty log says).

const en = {
  'nav.label': 'Demos',
  'nav.skip': 'Skip to the message field',

  'home.title': 'Narrows: live demos',
  'home.lead': 'Real time for axum.',
  'home.text': 'Narrows brings sockets, groups and messages between connections to axum. The four small demos on this page run on it. Open one in two windows and talk to yourself.',
  'home.demos': 'Four demos',
  'home.name': 'Your display name',
  'home.name.hint': 'Others see it in the chat rooms. Without one you are a guest.',
  'home.note': 'No account needed.',
  'home.optional': 'With one your name is yours, and messages find you on every device.',
  'home.required': 'These demos are for those who log in.',

  'one.short': 'Single',
  'one.title': 'Single chat',
  'one.card': 'One person and the server. Every text comes back.',
  'one.hint': 'Send “exit” and the server closes the connection.',
  'one.empty': 'Say something. The server answers every text.',
  'group.short': 'Group',
  'group.title': 'Group chat',
  'group.card': 'Everyone who opens the same group number reads along.',
  'group.hint': 'Open this page in a second window to see both sides.',
  'group.empty': 'Nobody has said anything yet.',
  'group.ask': 'Which group?',
  'group.ask.hint': 'Any number or word. Everyone with the same one shares the group.',
  'group.go': 'Join',
  'group.named': 'Group {id}',
  'rooms.short': 'Rooms',
  'rooms.title': 'Chat rooms',
  'rooms.card': 'Make a room by naming it, and see who comes and goes.',
  'rooms.ask': 'Which room?',
  'rooms.ask.hint': 'Any name will do. A room is there as soon as someone enters it.',
  'rooms.go': 'Enter',
  'rooms.recent': 'Rooms you have been to',
  'rooms.dots': 'A name made only of dots cannot be an address. Please choose another.',
  'lobby.title': 'Lobby',
  'lobby.card': 'A room for everyone, with direct messages and announcements.',

  'room.title': 'Chat room',
  'room.empty': 'It is quiet in here. Say hello.',
  'room.welcome': 'Welcome to {room}, {name}.',
  'room.again': 'Connected again as {name}.',
  'room.joined': '{name} joined',
  'room.left': '{name} left',
  'room.you': 'You',
  'room.direct': 'Direct message',
  'room.direct.to': 'Direct message to {name}',
  'room.announcement': 'Announcement',
  'room.announcement.from': 'Announcement from {name}',
  'room.notification': 'Notification',
  'room.notification.from': 'Notification from {name}',
  'room.account': 'This name is an account’s',
  'room.guest': 'guest',
  'room.error.name_taken': 'That name belongs to an account. Log in to use it; until then you are a guest.',
  'room.error.name_unchecked': 'Your name could not be checked just now, so you are a guest.',
  'room.error.no_such_user': 'There is no account of that name.',
  'room.write': 'Write to {name}',
  'room.error': 'That did not work: {detail}',
  'room.error.empty': 'That was an empty message, so nothing was sent.',
  'room.error.too_long': 'That is too long: a message has at most 2000 characters. Arrow Up brings your text back.',
  'room.error.bad_name': 'That cannot be a name: it has 1 to 40 characters.',
  'room.error.forbidden': 'Announcements are switched off on this site.',
  'room.error.bot_busy': 'The bot has too much to do. Ask it again later.',
  'room.error.not_sent': 'The message could not be sent just now. Try again in a moment.',
  'room.error.not_there': 'There is nobody of that name here just now, and direct messages are not kept.',
  'room.error.timeout': 'No answer came in time, so this may not have arrived.',
  'room.error.closed': 'The connection was closed, so this may not have arrived.',
  'room.error.not_read': 'The history cannot be read just now. Try again in a moment.',
  'room.sending': 'Sending',
  'room.retry': 'Try again',
  'room.new': 'New since you were here',
  'room.lost': 'While you were away, direct messages or announcements may have been missed: these are not kept.',
  'room.unread': 'Some messages could not be read from the server. Load the page again to try it once more.',
  'here.label': 'Who is here',
  'here.count': '{n} here',
  'here.you': 'you',
  'here.devices': '{n} devices',
  'here.more': 'and {n} more',
  'typing.one': '{name} is writing',
  'typing.two': '{name} and {other} are writing',
  'typing.many': 'Several people are writing',
  'search.title': 'Search',
  'search.label': 'Words in this room',
  'search.go': 'Search',
  'search.more': 'Search further back',
  'search.busy': 'Searching',
  'search.none': 'Nothing was found.',
  'search.none.yet': 'Nothing was found among the newer messages.',
  'banner.away': 'No connection. What you write is sent when it is back.',
  'room.unknown': '“{command}” is not a command. Put a second / in front to send it as it is.',
  'room.incomplete': 'Write it like this: {example}',
  'room.mode.direct': 'Only {name} will see this.',
  'room.mode.all': 'This goes out to everyone as an announcement.',
  'room.mode.bot': 'The bot answers here, for all to see. It knows help, time and roll 2d6.',
  'room.commands': '/to Ada hello writes to one person, /all hello announces, @bot help asks the bot.',
  'room.full': 'Too much is waiting to be sent. Your text is still here.',

  'name.label': 'Name',
  'name.guest': 'guest',
  'name.save': 'Save name',
  'name.saved': 'Saved',
  'name.tip': 'Choose a name so that others know who is talking. Until then you are a guest.',
  'name.choose': 'Choose a name',
  'name.later': 'Not now',

  'text.label': 'Message',
  'text.placeholder': 'Write a message',
  'text.send': 'Send',
  'text.keys': 'Enter sends, Shift+Enter starts a new line.',
  'log.label': 'Messages',
  'log.new.one': '{n} new message',
  'log.new': '{n} new messages',
  'log.newest': 'To the newest messages',
  'socket.close': 'Disconnect',
  'socket.reconnect': 'Reconnect',
  'socket.now': 'Now',
  'state.connecting': 'Connecting',
  'state.open': 'Connected',
  'state.waiting': 'Reconnecting in {n} s',
  'state.waiting.say': 'Connection lost, reconnecting',
  'state.closed': 'Closed',
  'state.closed.client': 'Closed by you',
  'state.closed.server': 'Closed by the server',
  'state.closed.reason': '{what}: {reason}',
  'state.queued.one': '{n} message waiting',
  'state.queued': '{n} messages waiting',
  'state.ended': 'You are logged out',

  'account.login': 'Log in',
  'account.logout': 'Log out',
  'account.logout.text': 'The chats that you have open in this browser end with it.',
  'account.you': 'Logged in as',
  'account.title': 'Your account',
  'token.title': 'Token for programs',
  'token.text': 'With it a program is you, until you delete it: in the header "Authorization: Token …".',
  'token.show': 'Show the token',
  'token.delete': 'Delete the token',
  'account.change': 'Change your password',
  'account.change.go': 'Change password',
  'said.password_changed': 'Your password is changed. Wherever else you were logged in, you are logged out.',
  'login.title': 'Log in',
  'login.go': 'Log in',
  'login.new': 'New here?',
  'register.title': 'Register',
  'register.go': 'Register',
  'register.old': 'You have an account?',
  'register.username.hint': 'Up to 40 letters, digits and @ . + - _ of any script. It is your name in the rooms.',
  'register.password.hint': 'At least 8 characters, not only digits, not a common password and not like your name.',
  'field.username': 'User name',
  'field.email': 'E-mail, if you like',
  'field.email.short': 'E-mail',
  'field.password': 'Password',
  'field.password.again': 'The password again',
  'field.password.old': 'Your password now',
  'field.password.new': 'The new password',
  'problem.missing': 'This field is required.',
  'problem.login': 'There is no account with this name and password.',
  'problem.throttled': 'Too many attempts. Try again in {seconds} s.',
  'problem.busy': 'There is too much to do just now. Try again in a moment.',
  'problem.old_password': 'That is not your password.',
  'problem.password_again': 'The two passwords are not the same.',
  'problem.password_too_short': 'The password needs at least {n} characters.',
  'problem.password_too_long': 'The password is too long.',
  'problem.password_too_similar': 'The password is too much like your name or e-mail.',
  'problem.password_too_common': 'Too many people have this password.',
  'problem.password_entirely_numeric': 'The password has only digits.',
  'problem.username': 'A user name has up to 40 letters, digits and @ . + - _.',
  'problem.username_taken': 'Somebody has this name already.',
  'problem.username_reserved': 'This name is kept for the site itself.',
  'problem.email': 'This is not an e-mail address.',
  'problem.no_such_user': 'There is no account of that name.',
  'problem.empty': 'There is nothing in this message.',
  'problem.too_long': 'A message has at most 2000 characters.',
  'problem.not_sent': 'It could not be sent just now. Try again in a moment.',

  'notifications.short': 'Inbox',
  'admin.short': 'Admin',
  'notifications.title': 'Notifications',
  'notifications.empty': 'What others send you shows up here at once, for as long as this page is open.',
  'notifications.send': 'Send a notification',
  'notifications.to': 'To',
  'notifications.to.hint': 'The user name of an account.',
  'said.sent': 'Sent to {name}.',
  'notifications.from': 'From {name}',
  'notifications.direct': 'Direct message from {name}',

  '404.title': 'Nothing here',
  '404.text': 'There is no page at this address.',
  '404.home': 'Back to the demos',
};

const zh = {
  'nav.label': '演示',
  'nav.skip': '跳到输入框',

  'home.title': 'Narrows 在线演示',
  'home.lead': '让 axum 实时起来。',
  'home.text': 'Narrows 为 axum 带来长连接、分组，以及连接之间的消息传递。本页的四个小演示都由它驱动。开两个窗口，就能和自己聊起来。',
  'home.demos': '四个演示',
  'home.name': '你的昵称',
  'home.name.hint': '聊天室里的人会看到它。不填就是访客。',
  'home.note': '无需注册。',
  'home.optional': '注册后名字只属于你，消息会送到你的每台设备。',
  'home.required': '登录后才能使用这些演示。',

  'one.short': '单聊',
  'one.title': '单人聊天',
  'one.card': '一个人和服务器对话，每句话都会得到回复。',
  'one.hint': '发送“关闭”，服务器就会断开连接。',
  'one.empty': '说点什么吧，服务器每句都会回复。',
  'group.short': '群聊',
  'group.title': '群聊',
  'group.card': '打开同一个群号的人，都能看到彼此的消息。',
  'group.hint': '在另一个窗口打开本页，就能看到双方的消息。',
  'group.empty': '还没有人说话。',
  'group.ask': '进哪个群？',
  'group.ask.hint': '数字或文字都行，填得一样的人就在同一个群里。',
  'group.go': '加入',
  'group.named': '群 {id}',
  'rooms.short': '聊天室',
  'rooms.title': '聊天室',
  'rooms.card': '取个名字就有一间聊天室，谁来谁走一目了然。',
  'rooms.ask': '进哪间聊天室？',
  'rooms.ask.hint': '名字随意，有人进入，聊天室就在了。',
  'rooms.go': '进入',
  'rooms.recent': '去过的聊天室',
  'rooms.dots': '只有点号的名字不能用作网址，请换一个。',
  'lobby.title': '大厅',
  'lobby.card': '人人可进的聊天室，可以私信，也可以发公告。',

  'room.title': '聊天室',
  'room.empty': '这里很安静，打个招呼吧。',
  'room.welcome': '{name}，欢迎来到 {room}。',
  'room.again': '已重新连接，你是 {name}。',
  'room.joined': '{name} 来了',
  'room.left': '{name} 走了',
  'room.you': '你',
  'room.direct': '私信',
  'room.direct.to': '给 {name} 的私信',
  'room.announcement': '公告',
  'room.announcement.from': '{name} 的公告',
  'room.notification': '通知',
  'room.notification.from': '{name} 的通知',
  'room.account': '这是注册用户的名字',
  'room.guest': '访客',
  'room.error.name_taken': '这个名字属于注册用户，登录后才能使用。现在你是访客。',
  'room.error.name_unchecked': '暂时无法核对你的昵称，现在你是访客。',
  'room.error.no_such_user': '没有叫这个名字的用户。',
  'room.write': '给 {name} 发私信',
  'room.error': '没有成功：{detail}',
  'room.error.empty': '这条消息是空的，没有发出。',
  'room.error.too_long': '太长了：一条消息最多 2000 个字。按上方向键可以找回你写的内容。',
  'room.error.bad_name': '昵称不对：应为 1 到 40 个字。',
  'room.error.forbidden': '本站关闭了公告。',
  'room.error.bot_busy': '机器人忙不过来，请稍后再问。',
  'room.error.not_sent': '消息暂时无法发送，请稍后重试。',
  'room.error.not_there': '这里现在没有叫这个名字的人，私信不会保存。',
  'room.error.timeout': '没有及时得到回复，这条消息可能没有送达。',
  'room.error.closed': '连接已关闭，这条消息可能没有送达。',
  'room.error.not_read': '暂时无法读取历史消息，请稍后重试。',
  'room.sending': '发送中',
  'room.retry': '重试',
  'room.new': '你离开后的新消息',
  'room.lost': '你离开期间的私信或公告可能没有收到：它们不会保存。',
  'room.unread': '有些消息无法从服务器读取，请重新加载页面再试。',
  'here.label': '谁在这里',
  'here.count': '{n} 人在线',
  'here.you': '你',
  'here.devices': '{n} 台设备',
  'here.more': '还有 {n} 人',
  'typing.one': '{name} 正在输入',
  'typing.two': '{name} 和 {other} 正在输入',
  'typing.many': '好几个人正在输入',
  'search.title': '搜索',
  'search.label': '在本聊天室中搜索',
  'search.go': '搜索',
  'search.more': '继续往前搜索',
  'search.busy': '搜索中',
  'search.none': '什么也没找到。',
  'search.none.yet': '较新的消息里没有找到。',
  'banner.away': '连接已断开。你写的内容会在恢复后发出。',
  'room.unknown': '没有“{command}”这个命令。若要原样发送，请在前面再加一个 /。',
  'room.incomplete': '请这样写：{example}',
  'room.mode.direct': '只有 {name} 能看到这条消息。',
  'room.mode.all': '这条消息会作为公告发给所有人。',
  'room.mode.bot': '机器人会在这里回答，所有人都能看到。它懂 help、time 和 roll 2d6。',
  'room.commands': '“/to 小明 你好”发私信，“/all 大家好”发公告，“@bot help”问机器人。',
  'room.full': '待发送的消息太多了，你写的内容还在这里。',

  'name.label': '昵称',
  'name.guest': '访客',
  'name.save': '保存昵称',
  'name.saved': '已保存',
  'name.tip': '取个昵称，让别人知道是谁在说话。在那之前，你是访客。',
  'name.choose': '取个昵称',
  'name.later': '以后再说',

  'text.label': '消息',
  'text.placeholder': '写条消息',
  'text.send': '发送',
  'text.keys': '回车发送，Shift+回车换行。',
  'log.label': '消息记录',
  'log.new': '{n} 条新消息',
  'log.newest': '回到最新消息',
  'socket.close': '断开',
  'socket.reconnect': '重新连接',
  'socket.now': '立即',
  'state.connecting': '连接中',
  'state.open': '已连接',
  'state.waiting': '{n} 秒后重连',
  'state.waiting.say': '连接断开，正在重连',
  'state.closed': '已关闭',
  'state.closed.client': '你已断开连接',
  'state.closed.server': '服务器已断开连接',
  'state.closed.reason': '{what}：{reason}',
  'state.queued': '{n} 条待发送',
  'state.ended': '你已退出登录',

  'account.login': '登录',
  'account.logout': '退出',
  'account.logout.text': '这个浏览器里打开的聊天会随之结束。',
  'account.you': '已登录：',
  'account.title': '你的账号',
  'token.title': '程序令牌',
  'token.text': '在请求头“Authorization: Token …”中带上它，程序就以你的身份操作，直到你删除它。',
  'token.show': '显示令牌',
  'token.delete': '删除令牌',
  'account.change': '修改密码',
  'account.change.go': '修改密码',
  'said.password_changed': '密码已修改，其他地方的登录都已退出。',
  'login.title': '登录',
  'login.go': '登录',
  'login.new': '还没有账号？',
  'register.title': '注册',
  'register.go': '注册',
  'register.old': '已有账号？',
  'register.username.hint': '最多 40 个字，可用各种文字、数字和 @ . + - _。它就是你在聊天室里的名字。',
  'register.password.hint': '至少 8 个字符，不能全是数字，不能是常见密码，也不能和名字相近。',
  'field.username': '用户名',
  'field.email': '邮箱（可不填）',
  'field.email.short': '邮箱',
  'field.password': '密码',
  'field.password.again': '再输一遍密码',
  'field.password.old': '现在的密码',
  'field.password.new': '新密码',
  'problem.missing': '这一项必须填写。',
  'problem.login': '用户名或密码不对。',
  'problem.throttled': '尝试次数太多，请 {seconds} 秒后再试。',
  'problem.busy': '现在太忙了，请稍后再试。',
  'problem.old_password': '密码不对。',
  'problem.password_again': '两次输入的密码不一样。',
  'problem.password_too_short': '密码至少要有 {n} 个字符。',
  'problem.password_too_long': '密码太长了。',
  'problem.password_too_similar': '密码和你的名字或邮箱太像了。',
  'problem.password_too_common': '这个密码太常见了。',
  'problem.password_entirely_numeric': '密码不能全是数字。',
  'problem.username': '用户名最多 40 个字，可用文字、数字和 @ . + - _。',
  'problem.username_taken': '这个名字已经有人用了。',
  'problem.username_reserved': '这个名字是网站保留的。',
  'problem.email': '这不是邮箱地址。',
  'problem.no_such_user': '没有叫这个名字的用户。',
  'problem.empty': '消息是空的。',
  'problem.too_long': '一条消息最多 2000 个字。',
  'problem.not_sent': '暂时无法发送，请稍后重试。',

  'notifications.short': '收件箱',
  'admin.short': '管理',
  'notifications.title': '通知',
  'notifications.empty': '打开本页时，别人发给你的通知会立刻出现在这里。',
  'notifications.send': '发送通知',
  'notifications.to': '发给',
  'notifications.to.hint': '注册用户的用户名。',
  'said.sent': '已发给 {name}。',
  'notifications.from': '来自 {name}',
  'notifications.direct': '{name} 的私信',

  '404.title': '这里什么都没有',
  '404.text': '这个地址没有页面。',
  '404.home': '返回演示列表',
};

const isChinese = () => {
  for (const tag of navigator.languages ?? [navigator.language]) {
    if (/^zh\b/i.test(tag)) return true;
    if (/^en\b/i.test(tag)) return false;
  }
  return false;
};

export const lang = isChinese() ? 'zh-CN' : 'en';
const words = lang === 'en' ? en : zh;

// Split at the placeholders, so that a value is never read as a placeholder.
const parts = (key) => (words[key] ?? en[key] ?? key).split(/\{(\w+)\}/);

/** Whether there is a text for `key`. */
export const has = (key) => key in en;

/** The text for `key` with its {placeholders} filled in. */
export function t(key, values = {}) {
  return parts(key).map((part, i) => (i % 2 ? String(values[part] ?? '') : part)).join('');
}

/** The same for a counted thing. */
export const tn = (key, n) => t(n === 1 && `${key}.one` in words ? `${key}.one` : key, { n });

/** The same as nodes: a value may be an element, a text stays a text. */
export function tNodes(key, values) {
  const fragment = document.createDocumentFragment();
  fragment.append(...parts(key).map((part, i) => (i % 2 ? values[part] ?? '' : part)).filter((p) => p !== ''));
  return fragment;
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// The server says what is wrong, or done, in English: the key is found by the text, and what stands in its gaps is kept.
function said(text) {
  for (const [key, english] of Object.entries(en)) {
    if (!/^(problem|said)\./.test(key)) continue;
    const pattern = english.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? `(?<${part}>.+)` : escaped(part))).join('');
    const found = text.match(`^${pattern}$`);
    if (found) return t(key, found.groups);
  }
  return text;
}

const ATTRIBUTES = { i18nLabel: 'aria-label', i18nTitle: 'title', i18nPlaceholder: 'placeholder', i18nEmpty: 'data-empty' };

document.documentElement.lang = lang;
for (const node of document.querySelectorAll('[data-i18n]')) {
  node.textContent = t(node.dataset.i18n, JSON.parse(node.dataset.i18nValues ?? '{}'));
}
for (const node of document.querySelectorAll('[data-i18n-said]')) node.textContent = said(node.textContent);
for (const [data, attribute] of Object.entries(ATTRIBUTES)) {
  const selector = `[data-${data.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}]`;
  for (const node of document.querySelectorAll(selector)) node.setAttribute(attribute, t(node.dataset[data]));
}
document.documentElement.dataset.ready = ''; // site.css shows the page from here on

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** A <time> element for milliseconds since the epoch; anything else counts as now. */
export function timeNode(ms) {
  let date = new Date(typeof ms === 'number' ? ms : NaN);
  if (Number.isNaN(date.getTime())) date = new Date();
  const node = document.createElement('time');
  node.dateTime = date.toISOString();
  node.title = full.format(date);
  const today = date.toDateString() === new Date().toDateString();
  node.textContent = (today ? clock : dayAndClock).format(date);
  return node;
}
