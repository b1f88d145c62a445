-- Appends a message to a group's history and publishes it, once where it has an id.
--
-- KEYS: the position, the messages, and where there is an id what knows it. ARGV: an epoch for the case that there is
-- none, the size and the time to live, what stands before and behind the position in the message, and how the position
-- is written there; for how long the id is known; the command that publishes, and the Redis channel.
-- Returns the message's position.
local position = known(KEYS[3])
if position then return position end
local message
position, message = append(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
if not message then return position end
if KEYS[3] then redis.call('SET', KEYS[3], position, 'PX', ARGV[7]) end
redis.call(ARGV[8], ARGV[9], message)
return position
