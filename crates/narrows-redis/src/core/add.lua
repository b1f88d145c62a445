-- Adds one message to each of several channels, all in one step.
--
-- KEYS: the channels' keys. ARGV: the time, the expiry, and for each key: the capacity, the message, and "1" where the
-- key is that of a Narrows node.
-- Returns for each key: 0 added, 1 over capacity, 2 the node is gone, 3 something else has the key.
--
-- Redis refuses a script for want of memory at its first write only, so nothing is removed where there is nothing.
-- Scores only grow within a key, so that messages come out in the order of the calls, whatever the senders' clocks say.
local now, expiry = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = string.format('%.6f', now - expiry)

local function add(key, capacity, message, node)
  local count = redis.call('ZCARD', key)
  local score, newest = now, ''
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

local done = {}
for i, key in ipairs(KEYS) do
  local capacity, message, node = tonumber(ARGV[3 * i]), ARGV[3 * i + 1], ARGV[3 * i + 2] == '1'
  local stale = redis.pcall('ZCOUNT', key, '-inf', '(' .. oldest)
  if type(stale) == 'table' then
    if not string.find(stale.err, 'WRONGTYPE', 1, true) then return stale end
    done[i] = 3
  else
    if stale > 0 then redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. oldest) end
    done[i] = add(key, capacity, message, node)
  end
end
return done
