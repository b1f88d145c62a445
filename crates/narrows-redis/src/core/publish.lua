-- Appends a message to a group's history and adds it to its members' channels, once where it has an id; but not when
-- other nodes are members by now than the sender knows: one that has come would never learn of it.
--
-- KEYS: the position, the messages, the group, where there is an id what knows it, and the channels' keys. ARGV: an
-- epoch for the case that there is none, the size and the time to live, what stands before and behind the position in
-- the message, and how the position is written there; for how long the id is known, or nothing where there is none; the
-- SHA-1 of the nodes that the sender knows, in the order of the set; the time, the expiry; and for each channel: the capacity, the message, for
-- a node what stands of it before the position, and "1" where it is a node.
-- Returns the position, or nothing when the nodes are others, whether the message is a new one, and for each channel what
-- became of it.
local once, channels = nil, 3
if ARGV[7] ~= '' then once, channels = KEYS[4], 4 end
local position = known(once)
if position then return { position, 0 } end

local nodes = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if string.sub(member, 1, 8) == 'narrows.' then nodes[#nodes + 1] = member end
end
if redis.sha1hex(table.concat(nodes, '\n')) ~= ARGV[8] then return { '' } end

local message, text
position, message, text = append(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
if not message then return position end
if once then redis.call('SET', once, position, 'PX', ARGV[7]) end

local now, expiry, done = tonumber(ARGV[9]), tonumber(ARGV[10]), { position, 1 }
for i = 1, #KEYS - channels do
  local capacity, own, node = tonumber(ARGV[3 * i + 8]), ARGV[3 * i + 9], ARGV[3 * i + 10] == '1'
  if node then own = own .. text .. ARGV[5] end
  local added = add(KEYS[channels + i], capacity, own, node, now, expiry)
  if type(added) == 'table' then return added end
  done[i + 2] = added
end
return done
