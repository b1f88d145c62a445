-- Some of a node's groups. KEYS: the set of them. ARGV: from where, how many. Returns {where to go on, groups}.
return redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
