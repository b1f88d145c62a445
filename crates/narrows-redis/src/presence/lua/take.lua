-- Takes what changed in a group, unless somebody has within the period.
--
-- ARGV: the group, the time to live, the period, how many people at the most, and how many bytes that are sent: what stands
-- in people for each has so many that are not, and this part of the others is.
-- Returns {0}: nothing; {1, time}: not before this; {2, count, version, how many are left, joins, updates, leaves}, where
-- the first two have each key with what stands in people.
local group, alive, period, most, room = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local beside, share = tonumber(ARGV[6]), tonumber(ARGV[7])

if redis.call('HLEN', changes) == 0 then
  redis.call('ZREM', changed, group)
  return { 0 }
end
local taken = tonumber(redis.call('HGET', state, 'taken') or 0)
-- A clock that was set back is no reason to wait for longer.
if taken <= now and now < taken + period then return { 1, taken + period - now } end

-- Who read a roster since the last take may have seen what cancelled out.
local seen = redis.call('HEXISTS', state, 'seen') == 1

local function metas(packed)
  local person, sorted = cmsgpack.unpack(packed), {}
  for at = 3, #person, 2 do table.insert(sorted, person[at]) end
  table.sort(sorted)
  return sorted
end

local function same(one, other)
  if one == other then return true end
  one, other = metas(one), metas(other)
  if #one ~= #other then return false end
  for at, meta in ipairs(one) do
    if meta ~= other[at] then return false end
  end
  return true
end

local joins, updates, leaves, found, is_full = {}, {}, {}, 0, false

local function classify(key, before)
  local after = redis.call('HGET', people, key)
  local bytes = #key + math.max(0, #(after or '') - beside) * share
  is_full = found == most or found > 0 and bytes > room
  -- A scan may come by twice.
  if is_full or redis.call('HDEL', changes, key) == 0 then return end
  if not after then
    if before == '' and not seen then return end
    table.insert(leaves, key)
  elseif before == '' then
    table.insert(joins, key)
    table.insert(joins, after)
  elseif not seen and same(before, after) then
    return
  else
    table.insert(updates, key)
    table.insert(updates, after)
  end
  found, room = found + 1, room - bytes
end

local left
repeat
  local cursor, some = '0', nil
  repeat
    cursor, some = unpack(redis.call('HSCAN', changes, cursor, 'COUNT', most))
  until #some > 0 or cursor == '0'
  for at = 1, #some, 2 do
    if not is_full then classify(some[at], some[at + 1]) end
  end
  left = redis.call('HLEN', changes)
until is_full or left == 0

local version
if left == 0 then redis.call('HDEL', state, 'seen') end
if found > 0 then
  local server = replication()
  version = tonumber(redis.call('HGET', state, 'version') or now)
  -- The count may be behind: what it would go on with may have been given.
  if redis.call('HGET', state, 'server') ~= server then version = math.max(version, now) end
  version = version + 1
  redis.call('HSET', state, 'version', number(version), 'taken', number(now), 'server', server)
end
settle(group, alive)
if found == 0 then return { 0 } end
if redis.call('EXISTS', people) == 0 then redis.call('PEXPIRE', state, number(math.max(period, 1000))) end
return { 2, redis.call('ZCARD', names), number(version), left, joins, updates, leaves }
