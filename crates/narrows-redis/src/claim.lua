-- Claims an id for a time, unless somebody has, or one of the other ids was revoked.
--
-- KEYS: the claim's, and those that say that the others were revoked. ARGV: the time in milliseconds.
-- Returns 1 for the first who claims it.
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
if redis.call('SET', KEYS[1], '1', 'PX', ARGV[1], 'NX') then return 1 end
return 0
