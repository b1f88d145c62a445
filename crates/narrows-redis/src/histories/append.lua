-- Gives a message its position and appends it.
--
-- Returns the position as a text of a fixed length, the message with it, and the position as it stands there: between
-- `head` and `tail`, each of its characters as the one of `digits` in the place where `0123456789abcdef-` has it.
local function append(key, stream, fresh, size, ttl, head, tail, digits)
  local at, time = standing(key, stream, fresh), now()
  at.top, at.ttl = at.top + 1, tonumber(ttl)
  at.oldest = math.max(at.oldest, at.top - tonumber(size) + 1)
  -- Times never go back, whatever the clock does: what is older ends first.
  at.time = math.max(at.time, time)
  local position = at.epoch .. string.format('-%016.0f', at.top)
  local text = position
  if digits ~= '' then
    text = string.gsub(text, '.', function(character)
      local place = string.find('0123456789abcdef-', character, 1, true)
      return string.sub(digits, place, place)
    end)
  end
  local message = head .. text .. tail
  local function add()
    local id, kept_at = string.format('%.0f-0', at.top), string.format('%.0f', at.time)
    return redis.pcall('XADD', stream, 'MAXLEN', '~', size, id, 't', kept_at, 'm', message)
  end
  local added = add()
  if type(added) == 'table' and string.find(added.err, 'equal or smaller', 1, true) then
    -- Somebody else has put something there, or the position is older than the messages.
    redis.call('DEL', stream)
    added, at.oldest = add(), at.top
  end
  if type(added) == 'table' then return added end
  redis.call('PEXPIRE', stream, ttl)
  keep(key, at)
  return position, message, text
end

-- Where a message with this id is that was appended before, if it is known.
local function known(once)
  return once and redis.call('GET', once)
end
