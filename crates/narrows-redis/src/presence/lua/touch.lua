-- Gives what nobody changes time to live on.
--
-- KEYS: any. ARGV: the time.
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 1
