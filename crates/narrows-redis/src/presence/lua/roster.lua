-- A page of who is in a group.
--
-- KEYS: people, names, changes, state. ARGV: where the page begins, as ZRANGEBYLEX has it; how many keys at the most; after
-- how many bytes it ends.
-- Returns {count, version, whether there are more, keys, what stands in people for each}.
local people, names, changes, state = unpack(KEYS)
local most, bytes = tonumber(ARGV[2]), tonumber(ARGV[3])

local found = redis.call('ZRANGEBYLEX', names, ARGV[1], '+', 'LIMIT', 0, most + 1)
local keys, listed = {}, {}
for _, key in ipairs(found) do
  if #keys == most or bytes <= 0 then break end
  local person = redis.call('HGET', people, key) or ''
  bytes = bytes - #key - #person
  table.insert(keys, key)
  table.insert(listed, person)
end
if redis.call('EXISTS', changes) == 1 and redis.call('HEXISTS', state, 'seen') == 0 then
  -- A script whose first write needs no memory goes on where there is none.
  redis.call('HDEL', state, 'seen')
  redis.call('HSET', state, 'seen', '1')
end
local version = redis.call('HGET', state, 'version')
if not version then
  -- Nothing is known of the group: no version that it had is above this.
  local clock = redis.call('TIME')
  version = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
end
return { redis.call('ZCARD', names), version, #found > #keys and 1 or 0, keys, listed }
