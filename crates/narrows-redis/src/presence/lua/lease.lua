-- Says that a node lives, and finds what there is to be done for those that do not.
--
-- KEYS: leases (sorted set: node -> when it ends); calls (hash: node -> the number of its last call, and `seen`: when any
-- node was heard of last); dead (sorted set: node -> when it may be taken up); the groups with changes; the groups with
-- connections away. All times are in milliseconds, by the clock of Redis.
-- ARGV: the node; `new`, `renew`, or `look` for one that has no lease and wants none; its lease; the number of its last
-- call that was done; the time to live; for how long changes are left to the node that made them; for how long others
-- leave a dead node to the caller.
-- Returns {whether its lease is good, dead nodes, groups with connections whose time is over, groups with changes, in how
-- many milliseconds the next lease ends}.
local leases, calls, dead, changed, waiting = unpack(KEYS)
local node, what, lease, call, alive = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function at(time) return string.format('%.0f', time) end

local good = 1
if what == 'renew' then
  local ends = redis.call('ZSCORE', leases, node)
  -- A store that was set back to an earlier state does not know what was done since.
  if not ends or tonumber(redis.call('HGET', calls, node) or 0) < call then good = 0 end
end

-- Each says every third of its lease that it lives. When nobody could for longer, it was the store that was away, and nobody is to die of that.
local seen = tonumber(redis.call('HGET', calls, 'seen') or now)
if now - seen > lease / 2 then
  local all = redis.call('ZRANGE', leases, 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) < now + lease then redis.call('ZADD', leases, at(now + lease), all[i]) end
  end
end

if good == 1 and what ~= 'look' then
  redis.call('ZADD', leases, at(now + lease), node)
  if what == 'new' then
    redis.call('HSET', calls, node, ARGV[4])
    redis.call('HSETNX', calls, 'seen', at(now))
    for key = 1, 2 do redis.call('PEXPIRE', KEYS[key], alive) end
    return { good }
  end
end

for _, other in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', at(now), 'LIMIT', 0, 100)) do
  redis.call('ZADD', dead, 0, other)
  redis.call('ZREM', leases, other)
  redis.call('HDEL', calls, other)
end
local bury = redis.call('ZRANGEBYSCORE', dead, '-inf', at(now), 'LIMIT', 0, 4)
for _, other in ipairs(bury) do redis.call('ZADD', dead, at(now + ARGV[7]), other) end

if redis.call('EXISTS', leases, dead) > 0 then
  redis.call('HSET', calls, 'seen', at(now))
  for key = 1, 5 do redis.call('PEXPIRE', KEYS[key], alive) end
else
  redis.call('HDEL', calls, 'seen')
end
local next = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
return {
  good,
  bury,
  redis.call('ZRANGEBYSCORE', waiting, '-inf', at(now), 'LIMIT', 0, 100),
  redis.call('ZRANGEBYSCORE', changed, '-inf', at(now - ARGV[6]), 'LIMIT', 0, 1000),
  next and math.ceil(tonumber(next) - now) or lease,
}
