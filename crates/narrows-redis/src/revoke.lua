-- Makes ids revoked for a time, or leaves them so for longer.
--
-- KEYS: those that say so. ARGV: the time in milliseconds.
local time = tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < time then redis.call('SET', key, '1', 'PX', ARGV[1]) end
end
return #KEYS
