-- Where a group's history stands. It is kept as a text: the epoch, the offset of the newest message and that of the
-- oldest kept, the time to live, the time of the newest message (both in milliseconds), and whose data this is.
--
-- The last is the server's replication id, another one after each start and each take-over. The data may be older then
-- than what others have seen, so that offsets would come twice: what follows is of another epoch, and goes on counting.
local function standing(key, stream, fresh)
  local text, id = redis.call('GET', key), redis.call('INFO', 'replication')
  local epoch, top, oldest, ttl, time, server =
    string.match(text or '', '^(%x+) (%d+) (%d+) (%d+) (%d+) (%S+)$')
  id = string.match(id, 'master_replid:(%x+)') or '-'
  if epoch and #epoch == 16 and #top <= 15 then
    return {
      epoch = server == id and epoch or fresh, is_new = server ~= id, server = id, top = tonumber(top),
      oldest = tonumber(oldest), ttl = tonumber(ttl), time = tonumber(time),
    }
  end
  -- What has no position is of no use.
  if redis.call('EXISTS', stream) == 1 then redis.call('DEL', stream) end
  return { epoch = fresh, is_new = true, server = id, top = 0, oldest = 1, ttl = 0, time = 0 }
end

-- A day longer than the messages.
local function lasts(at) return string.format('%.0f', at.ttl + 86400000) end

local function keep(key, at)
  local text = string.format('%s %.0f %.0f %.0f %.0f %s', at.epoch, at.top, at.oldest, at.ttl, at.time, at.server)
  redis.call('SET', key, text, 'PX', lasts(at))
end

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
