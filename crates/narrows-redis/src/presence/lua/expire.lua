-- Takes out some of the connections that did not come back in their time.
--
-- ARGV: the group, the time to live, how many at the most. Returns 1 where more are due.
local due = redis.call('ZRANGEBYSCORE', away, '-inf', number(now), 'LIMIT', 0, ARGV[3])
for _, conn in ipairs(due) do
  redis.call('ZREM', away, conn)
  local entry = read(conns, conn)
  if entry and entry[1] == '' then remove(conn, entry) end
end
settle(ARGV[1], ARGV[2])
return redis.call('ZCOUNT', away, '-inf', number(now)) > 0 and 1 or 0
