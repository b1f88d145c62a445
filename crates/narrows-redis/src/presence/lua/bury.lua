-- Takes some of a dead node's connections out of one group.
--
-- KEYS from 10: the dead nodes, by when another may take up the work; the node's groups; its connections in this group.
-- ARGV: the group, the node, the time to live, how many at the most, for how long the others leave it to the caller.
-- Returns how many are left.
local dead, groups, theirs = unpack(KEYS, 10, 12)
local group, node, alive = ARGV[1], ARGV[2], ARGV[3]

for _, conn in ipairs(redis.call('SPOP', theirs, ARGV[4])) do
  local entry = read(conns, conn)
  -- Another node may have it by now, or nobody, for it is away.
  if entry and entry[1] == node then remove(conn, entry) end
end
settle(group, alive)
redis.call('ZADD', dead, 'XX', number(now + ARGV[5]), node)
local left = redis.call('SCARD', theirs)
if left == 0 then redis.call('SREM', groups, group) end
return left
