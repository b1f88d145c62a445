-- Adds a message to a channel. A node's own channel is told of what it had no room for.
--
-- Returns 0 added, 1 over capacity, 2 the node is gone, 3 something else has the key; or an error.
--
-- Redis refuses a script for want of memory at its first write only, so nothing is removed where there is nothing.
-- Scores only grow within a key, so that messages come out in the order of the calls, whatever the senders' clocks say.
local function add(key, capacity, message, node, now, expiry)
  local oldest = '(' .. string.format('%.6f', now - expiry)
  local stale = redis.pcall('ZCOUNT', key, '-inf', oldest)
  if type(stale) == 'table' then return string.find(stale.err, 'WRONGTYPE', 1, true) and 3 or stale end
  if stale > 0 then redis.call('ZREMRANGEBYSCORE', key, '-inf', oldest) end
  local count, score, newest = redis.call('ZCARD', key), now, ''
  if count > 0 then
    local last = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')
    newest = last[1]
    if tonumber(last[2]) >= score then score = tonumber(last[2]) + 0.000001 end
  end
  score = string.format('%.6f', score)
  if node and count >= 100 and redis.call('EXISTS', key .. '$alive') == 0 then
    return 2
  elseif count < capacity then
    redis.call('ZADD', key, score, message)
    redis.call('EXPIRE', key, expiry)
    return 0
  end
  -- A node is told, once and in its place, that something is missing from here on.
  if node and string.sub(newest, 1, 12) ~= 'narrows:gap:' then
    redis.call('ZADD', key, score, 'narrows:gap:' .. score)
    redis.call('EXPIRE', key, expiry)
  end
  return 1
end
