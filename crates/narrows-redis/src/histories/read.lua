-- Reads messages of a group's history, and its position.
--
-- KEYS: the position and the messages. ARGV: an epoch for the case that there is none, `after` or `before`, the epoch
-- meant or nothing for any, the offset, how many messages, and how many bytes it may be before the last one.
-- Returns the epoch, the newest offset, the offset of the next message in this direction that had no room, or 0, and the
-- offsets and the messages. Of an epoch that is not this one, nothing.
local at = standing(KEYS[1], KEYS[2], ARGV[1])
-- The position is a promise, also where nothing stands yet.
if at.is_new then keep(KEYS[1], at) end
-- Where that cannot be written now the messages can be read all the same.
redis.pcall('PEXPIRE', KEYS[1], lasts(at))
local forward, wanted, offset = ARGV[2] == 'after', ARGV[3], tonumber(ARGV[4])
local limit, room, alive = tonumber(ARGV[5]), tonumber(ARGV[6]), now() - at.ttl
local found, count, next = {}, 0, 0
-- So many are read at once: few, until it is known how large they are, and never many, as the next may be larger.
local largest, step = 0, 1

-- The offset and the message of an entry, unless it is junk.
local function read(entry)
  local number = tonumber(string.match(entry[1], '^(%d+)-0$'))
  local fields = entry[2]
  if number and #fields == 4 and fields[1] == 't' and fields[3] == 'm' and tonumber(fields[2]) then
    return number, fields[4], tonumber(fields[2]) >= alive
  end
end

local function page(command, from, last, step)
  return redis.call(command, KEYS[2], string.format('%.0f-0', from), string.format('%.0f', last), 'COUNT', step)
end

-- Where the first message is that has not ended, from this offset on. What is older ends first.
local function first_alive(from)
  local last = at.top + 1
  while from < last do
    local middle = math.floor((from + last) / 2)
    local number, _, is_alive = nil, nil, true
    local entry = page('XRANGE', middle, at.top, 1)[1]
    if entry then number, _, is_alive = read(entry) end
    if number and not is_alive then from = number + 1 else last = middle end
  end
  return from
end

local from = forward and math.max(offset + 1, at.oldest) or math.min(offset - 1, at.top)
if wanted ~= '' and wanted ~= at.epoch then from = nil end
while from and from >= at.oldest and from <= at.top do
  local entries
  if forward then
    entries = page('XRANGE', from, at.top, step)
  else
    entries = page('XREVRANGE', from, at.oldest, step)
  end
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    local number, message, is_alive = read(entry)
    if number and is_alive then
      if count >= limit or room < 0 then
        next, from = number, nil
        break
      end
      found[2 * count + 1], found[2 * count + 2] = string.format('%.0f', number), message
      count, room, largest = count + 1, room - #message, math.max(largest, #message)
    elseif number then
      -- All that is older has ended, too.
      from = forward and first_alive(number + 1) or nil
      break
    end
    local last, is_junk = tonumber(string.match(entry[1], '^(%d+)-')), string.sub(entry[1], -2) ~= '-0'
    if forward then
      from = last + 1
    else
      from = is_junk and last or last - 1
    end
  end
  step = math.max(1, math.min(2 * step, 16, math.floor(room / (largest + 1))))
end
return { at.epoch, string.format('%.0f', at.top), string.format('%.0f', next), found }
