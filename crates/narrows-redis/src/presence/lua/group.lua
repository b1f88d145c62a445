-- One group's presence: who is there, and what of it nobody was told yet. Scripts that change it begin with this.
--
-- KEYS 1 to 7, all of one group:
--   people   hash: key -> {number of connections, connection, meta, connection, meta, ...}; at most 16 are listed
--   names    sorted set, each score 0: the keys, for pages and the count
--   conns    hash: connection -> {node, key}, and {node, key, meta} for one that is not listed; no node: it is away
--   more     sorted set, each score 0: length of the key, key, connection; for those not listed
--   away     sorted set: connections that are away, by when their time is over
--   changes  hash: key -> what stood in people when changes were taken last; empty: nothing
--   state    hash: version, and server: whose count that is; taken: when changes were taken last; seen: a roster showed what
--            is not taken yet
-- KEYS 8 and 9: the groups with changes, by the time of the first; the groups with connections away, by when the first
-- one's time is over. All times are in milliseconds, by the clock of Redis.
local people, names, conns, more, away, changes, state = unpack(KEYS, 1, 7)
local changed, waiting = KEYS[8], KEYS[9]
local LISTED = 16

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function number(value) return string.format('%.0f', value) end

-- The server's replication id: another one after each start and each take-over. The data may be older then than what others
-- have seen.
local function replication()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '-'
end

local function read(hash, field)
  local packed = redis.call('HGET', hash, field)
  if packed then return cmsgpack.unpack(packed), packed end
end

-- Where a connection stands among those listed.
local function place(person, conn)
  for at = 2, #person, 2 do
    if person[at] == conn then return at end
  end
end

local function unlisted(key) return struct.pack('>I4', #key) .. key end

-- Puts down a person as they are now; `before` is what stood there.
local function write(key, before, person)
  local after = ''
  if person[1] > 0 then
    after = cmsgpack.pack(person)
    redis.call('HSET', people, key, after)
    if before == '' then redis.call('ZADD', names, 0, key) end
  else
    redis.call('HDEL', people, key)
    redis.call('ZREM', names, key)
  end
  local told = redis.call('HGET', changes, key)
  if not told then
    if before ~= after then redis.call('HSET', changes, key, before) end
  elseif told == after and redis.call('HEXISTS', state, 'seen') == 0 then
    redis.call('HDEL', changes, key)
  end
end

-- Takes out a connection that is there; `entry` is what conns has of it.
local function remove(conn, entry)
  local key = entry[2]
  redis.call('HDEL', conns, conn)
  local person, before = read(people, key)
  if not person then return end
  person[1] = person[1] - 1
  local at = place(person, conn)
  if at then
    table.remove(person, at)
    table.remove(person, at)
  else
    redis.call('ZREM', more, unlisted(key) .. conn)
  end
  if person[1] > (#person - 1) / 2 and at then
    -- One that was only counted takes the place.
    local first = unlisted(key)
    local next = redis.call('ZRANGEBYLEX', more, '[' .. first, '[' .. first .. string.rep('\255', 16), 'LIMIT', 0, 1)[1]
    local other = next and read(conns, string.sub(next, -16))
    if other then
      redis.call('ZREM', more, next)
      table.insert(person, string.sub(next, -16))
      table.insert(person, other[3])
      redis.call('HSET', conns, string.sub(next, -16), cmsgpack.pack({ other[1], other[2] }))
    end
  end
  write(key, before, person)
end

-- Puts the group where it belongs, and gives all of it a time to live: `alive` for as long as somebody is in it.
local function settle(group, alive)
  if redis.call('HLEN', changes) > 0 then
    redis.call('ZADD', changed, 'NX', number(now), group)
    if redis.call('HSETNX', state, 'version', number(now)) == 1 then
      redis.call('HSET', state, 'server', replication())
    end
  else
    redis.call('ZREM', changed, group)
  end
  local first = redis.call('ZRANGE', away, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', waiting, first[2], group)
  else
    redis.call('ZREM', waiting, group)
  end
  for at = 1, 7 do redis.call('PEXPIRE', KEYS[at], alive) end
  redis.call('PEXPIRE', changed, alive)
  redis.call('PEXPIRE', waiting, alive)
  if redis.call('EXISTS', people, changes) == 0 then redis.call('PEXPIRE', state, 1000) end
end
