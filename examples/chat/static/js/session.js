// Whether somebody is still logged in, where a socket that does not open cannot say so.
import { account } from './name.js';
import { LOGGED_OUT } from './socket.js';

/** Closes the socket for good when it was lost and the session is over. */
export function endWithSession(socket) {
  if (!account) return;
  socket.addEventListener('state', async ({ detail }) => {
    if (detail.state !== 'waiting') return;
    try {
      const answer = await fetch('/api/me/', { cache: 'no-store' });
      if (answer.ok && (await answer.json()).user !== account) socket.close(LOGGED_OUT);
    } catch { /* the server is away: the socket goes on trying */ }
  });
}
