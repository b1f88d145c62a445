-- Some of the groups in which a dead node has connections; none: that was all of it.
--
-- KEYS: the dead nodes; the node's groups. ARGV: the node, how many.
local groups = redis.call('SRANDMEMBER', KEYS[2], ARGV[2])
if #groups == 0 then redis.call('ZREM', KEYS[1], ARGV[1]) end
return groups
