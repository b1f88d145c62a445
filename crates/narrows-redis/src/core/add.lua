-- Adds one message to each of several channels, all in one step.
--
-- KEYS: the channels' keys. ARGV: the time, the expiry, and for each key: the capacity, the message, and "1" where the
-- key is that of a Narrows node.
-- Returns for each key what became of it.
local now, expiry, done = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local capacity, message, node = tonumber(ARGV[3 * i]), ARGV[3 * i + 1], ARGV[3 * i + 2] == '1'
  done[i] = add(key, capacity, message, node, now, expiry)
  if type(done[i]) == 'table' then return done[i] end
end
return done
