-- Does what one node asks for connections in one group, in its order.
--
-- KEYS from 10: the leases of nodes; their last calls (hash: node -> number); the node's groups (set); the node's
-- connections in this group (set). ARGV: the group, the node, the number of this call and of its last one that was done, the
-- time to live; then
--   't', connection, key, meta: it is there;  'r', connection, key, meta: the same, unless another living node has it;
--   'l', connection: it left;                 'a', connection, time: it is away for so long.
-- Returns {1, the places of the 'r' that were not done}; {0} where the node has no lease, or this is a store that was set back
-- to an earlier state and does not know what was done since; {-1} where a later call of the node came before this one, which
-- was held up on its way: nothing is done in these cases. {2, ...} where the node has no connections left here: its lease
-- ends with that.
local leases, calls, groups, mine = unpack(KEYS, 10, 13)
local group, node, alive = ARGV[1], ARGV[2], ARGV[5]

if not redis.call('ZSCORE', leases, node) then return { 0 } end
local last = tonumber(redis.call('HGET', calls, node) or 0)
if last < tonumber(ARGV[4]) then return { 0 } end
if last >= tonumber(ARGV[3]) then return { -1 } end

local function track(conn, key, meta)
  local entry = read(conns, conn)
  if entry and entry[2] ~= key then
    remove(conn, entry)
    entry = nil
  end
  redis.call('SADD', mine, conn)
  if not entry then
    local person, before = read(people, key)
    person = person or { 0 }
    person[1] = person[1] + 1
    if #person <= 2 * LISTED - 1 then
      table.insert(person, conn)
      table.insert(person, meta)
      redis.call('HSET', conns, conn, cmsgpack.pack({ node, key }))
    else
      redis.call('ZADD', more, 0, unlisted(key) .. conn)
      redis.call('HSET', conns, conn, cmsgpack.pack({ node, key, meta }))
    end
    return write(key, before or '', person)
  end
  if entry[1] == '' then redis.call('ZREM', away, conn) end
  if entry[3] then
    redis.call('HSET', conns, conn, cmsgpack.pack({ node, key, meta }))
    return
  end
  if entry[1] ~= node then redis.call('HSET', conns, conn, cmsgpack.pack({ node, key })) end
  local person, before = read(people, key)
  local at = person and place(person, conn)
  if at and person[at + 1] ~= meta then
    person[at + 1] = meta
    write(key, before, person)
  end
end

-- A node has one name for each of its lives: a lease that it lost and got anew.
local function life(name) return string.match(name, '^[^.]*') end

local function is_of_another(conn)
  local entry = read(conns, conn)
  if not entry or entry[1] == '' or life(entry[1]) == life(node) then return false end
  local ends = redis.call('ZSCORE', leases, entry[1])
  return ends and tonumber(ends) > now
end

local function untrack(conn, time)
  redis.call('SREM', mine, conn)
  local entry = read(conns, conn)
  if not entry or life(entry[1]) ~= life(node) then return end
  if not time then return remove(conn, entry) end
  entry[1] = ''
  redis.call('HSET', conns, conn, cmsgpack.pack(entry))
  redis.call('ZADD', away, number(now + time), conn)
end

local at, nth, done = 6, 0, { 1 }
while ARGV[at] do
  if ARGV[at] == 't' or ARGV[at] == 'r' then
    if ARGV[at] == 'r' and is_of_another(ARGV[at + 1]) then
      table.insert(done, nth)
    else
      track(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    end
    at = at + 4
  elseif ARGV[at] == 'a' then
    untrack(ARGV[at + 1], tonumber(ARGV[at + 2]))
    at = at + 3
  else
    untrack(ARGV[at + 1])
    at = at + 2
  end
  nth = nth + 1
end

-- Not before: a script whose first write needs no memory goes on where there is none, and who leaves is to leave then, too.
redis.call('HSET', calls, node, ARGV[3])
settle(group, alive)
if redis.call('EXISTS', mine) == 1 then
  redis.call('SADD', groups, group)
  redis.call('PEXPIRE', mine, alive)
  redis.call('PEXPIRE', groups, alive)
  return done
end
redis.call('SREM', groups, group)
if redis.call('EXISTS', groups) == 1 then return done end
redis.call('ZREM', leases, node)
redis.call('HDEL', calls, node)
done[1] = 2
return done
