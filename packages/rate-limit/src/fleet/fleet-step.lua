-- One step of the fleet protocol, version 2: atomic, on the clock of the server. A process reports what ended and how many
-- permits it wants, and receives every permit that it holds. Instants are whole milliseconds of the server's clock.
--
--   facts  hash   the key's own numbers, with the cardinalities of the other structures
--   out    zset   permits that processes hold ("id process"), by the end of their lease
--   rest   zset   permits that cool down, by the instant at which they are free
--   line   zset   waiting processes, by turn; those in the background ("B…") behind all live ones ("L…")
--   till   zset   the same, by the instant at which a silent one is forgotten
--   want   hash   how many permits each of them wants
--   hold   hash   the permits that each process holds ("id:from,…")
--   seen   zset   processes, by the instant at which they are forgotten
--   share  hash   what each process may use while it cannot reach the server ("permits:phase"); together at most the limit
--
-- A call reads and writes a bounded number of members, so its cost grows with the logarithm of the number of processes.
local PROTOCOL = 2
local GRACE = 1000 -- the last packet of a holder that lost its lease is on its way for so long at most
local SHORTEST = 500 -- the shortest lease
local SILENCE = 2500 -- without a call for so long, processes may have gone on without the server
local PHASE = 12000 -- after that, all of them are back within this time
local CONTACT = 750 -- in a phase, those that are back call more often than this
local FORGET = 60000
local NAMED = 5000 -- what a process names is written again after so long
local TOUCH = 3600000 -- the time to live of all structures is set again after so long, and when a structure is new
local AHEAD = 200
local IDLE = 250 -- a permit that is free for so long goes to any process that asks
local TICK = 200
local FENCE = 12000
local BATCH = 64
local BACKGROUND = 2 ^ 50
local WEEK = 604800000

local OLD, FACTS, OUT, REST, LINE, TILL, WANT, HOLD, SEEN, SHARE = unpack(KEYS)
local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me = request.process
local call = redis.call
local max, min, ceil, floor = math.max, math.min, math.ceil, math.floor

local function text(number) return string.format('%.0f', number) end

local facts, stored = {}, {}
local saved = call('HGETALL', FACTS)
for i = 1, #saved, 2 do
  local value = tonumber(saved[i + 1])
  facts[saved[i]], stored[saved[i]] = value, value
end
if facts.protocol and facts.protocol ~= PROTOCOL then
  return redis.error_reply('PROTOCOL ' .. text(facts.protocol))
end

-- A client that was cut off may send late what its process no longer waits for: that must grant nothing.
local isLate = request.at and now - request.at > 1000 + 2 * request.rtt or false

-- What processes named lately: the smallest limit holds, over the longest interval, with the longest lease.
local named = string.format('named:%d/%d/%d/%d', request.limit, request.interval, request.recover, request.lease)
if not facts[named] or now - facts[named] > NAMED or now < facts[named] then facts[named] = now end
local limit, interval, recover, slowest = request.limit, request.interval, request.recover, request.lease
for name, at in pairs(facts) do
  if string.sub(name, 1, 6) == 'named:' then
    local l, i, r, s = string.match(name, '^named:(%d+)/(%d+)/(%d+)/(%d+)$')
    if now - at > FORGET + NAMED then
      call('HDEL', FACTS, name)
      facts[name] = nil
    else
      limit, interval = min(limit, tonumber(l)), max(interval, tonumber(i))
      recover, slowest = max(recover, tonumber(r)), max(slowest, tonumber(s))
    end
  end
end
-- Two milliseconds as for one process, and one because instants here are rounded down.
local rest = interval + 3

-- Missing or evicted in part: what it said is lost. Time that goes back, or that a process saw jump, says nothing about
-- when a permit is free.
local isLost = not facts.born
  or call('ZCARD', OUT) ~= facts.out
  or call('ZCARD', REST) ~= facts.rest
  or call('HLEN', HOLD) ~= facts.hold
  or call('ZCARD', SEEN) ~= facts.seen
  or call('HLEN', SHARE) ~= facts.holders
if isLost or now < facts.last or facts.born == request.reset then
  call('DEL', OUT, REST, LINE, TILL, WANT, HOLD)
  if isLost then call('DEL', SHARE, SEEN) end
  facts.protocol, facts.born, facts.last, facts.turn = PROTOCOL, now, now, facts.turn or 0
  facts.id = max(facts.id or 0, now * 16)
  -- A state that was not lost knows its leases.
  facts.quiet, facts.spread = isLost and 0 or now + slowest + GRACE + rest, 0
  facts.cutTo, facts.cutAt = facts.cutTo or 0, facts.cutAt and min(facts.cutAt, now) or 0
  facts.phase = facts.phase or 0
  if isLost then facts.promised, facts.holders, facts.phaseEnd, facts.loss, facts.back = 0, 0, 0, 0, 0 end
  facts.lost = isLost and now or min(facts.lost or 0, now)
  facts.phaseEnd = facts.phaseEnd > 0 and now + PHASE or 0
end
-- Whatever was granted before has by then ended, arrived and cooled down. A process that remembers an earlier life of the
-- key tells how long its leases were, in time.
local isFromBefore = request.born and request.born ~= facts.born
local longest = isFromBefore and max(request.slowest or 0, request.lease) or SHORTEST
if now < max(facts.quiet, facts.born + 1) then facts.quiet = max(facts.quiet, facts.born + longest + GRACE + rest) end

local function nextId()
  facts.id = facts.id + 1
  return text(facts.id)
end

local function coolDown(id, at)
  if at > now then call('ZADD', REST, at, id) end
end

local function effective()
  if facts.cutAt == 0 then return limit end
  return min(limit, facts.cutTo + floor((now - facts.cutAt) / recover))
end

-- Processes of protocol 1 keep their state in one JSON text. They get half of the limit while there are any: the other half is
-- marked as cooling down there. While there are none, the text says that nothing is free, in case that one comes.
local ours = limit
local function writeFence()
  local marks = {}
  for i = 1, limit do marks[i] = text(now + FENCE + 2 * interval) .. '.5' end
  call('SET', OLD, string.format(
    ' {"born":%.0f,"last":%.0f,"id":%.0f,"turn":0,"quiet":0,"resume":0,"back":{},"leases":{},"resting":[%s],"line":{},'
      .. '"limits":{"%d/%d":%.0f},"seen":{},"peak":{"count":2,"at":%.0f},"cut":{"to":0,"at":0}}',
    now, now, now, table.concat(marks, ','), limit, interval, now, now), 'PX', WEEK)
  facts.fenceAt = now
end
-- Only the fence begins with a blank.
local first = call('GETRANGE', OLD, 0, 0)
if first == '{' then
  local old = cjson.decode(call('GET', OLD))
  local theirs, cooling, processes = 0, {}, 0
  for _, at in ipairs(old.resting) do
    if at % 1 == 0 and at > now then
      theirs = theirs + 1
      cooling[theirs] = at
    end
  end
  for _, lease in ipairs(old.leases) do
    if lease.till + GRACE + rest > now then theirs = theirs + 1 end
  end
  for _ in pairs(old.seen) do processes = processes + 1 end
  if now - old.last > FORGET and theirs == 0 then
    writeFence()
  else
    -- At a limit of 1 the two versions take turns of some seconds.
    local half = ceil(limit / 2)
    if limit == 1 then half = floor(now / (8 * rest)) % 2 end
    -- What is occupied here stays marked until it is free, though it be more than half.
    local marks = max(half, call('ZCARD', OUT) + call('ZCARD', REST))
    for _ = 1, marks do cooling[#cooling + 1] = now + FENCE + 2 * interval + 0.5 end
    old.resting = cooling
    old.limits[limit .. '/' .. interval] = now
    old.peak.count = max(old.peak.count, 2 * processes)
    call('SET', OLD, cjson.encode(old), 'PX', WEEK)
    ours = max(0, min(half, limit - theirs))
  end
elseif first ~= ' ' or now - (facts.fenceAt or 0) > 1000 or now < facts.fenceAt then
  writeFence()
end

-- The permits of this process.
local mine = {}
for id, from in string.gmatch(call('HGET', HOLD, me) or '', '(%d+):(%d+)') do mine[id] = tonumber(from) end

for _, each in ipairs(request.settled) do
  local id, age, throttled = text(each[1]), each[2], each[3] == 1
  local from = mine[id]
  if from then
    mine[id] = nil
    call('ZREM', OUT, id .. ' ' .. me)
    coolDown(id, max(now - age, from) + rest)
    if throttled and from > facts.cutAt and now - facts.cutAt >= interval then
      facts.cutTo, facts.cutAt = max(1, floor(effective() / 2)), now
    end
  else
    -- It lapsed, and its attempt was made all the same.
    coolDown(nextId(), now - age + rest)
  end
end
for _, number in ipairs(request.cancelled) do
  local id = text(number)
  if mine[id] then
    call('ZREM', OUT, id .. ' ' .. me)
    coolDown(id, mine[id])
    mine[id] = nil
  end
end
for _, age in ipairs(request.others) do coolDown(nextId(), now - age + rest) end

local expired = call('ZRANGEBYSCORE', OUT, '-inf', now, 'WITHSCORES', 'LIMIT', 0, BATCH)
for i = 1, #expired, 2 do
  local id, owner = string.match(expired[i], '^(%d+) (.*)$')
  call('ZREM', OUT, expired[i])
  coolDown(id, tonumber(expired[i + 1]) + GRACE + rest)
  if owner == me then
    mine[id] = nil
  else
    local held = {}
    for other, from in string.gmatch(call('HGET', HOLD, owner) or '', '(%d+):(%d+)') do
      if other ~= id then held[#held + 1] = other .. ':' .. from end
    end
    if #held == 0 then call('HDEL', HOLD, owner) else call('HSET', HOLD, owner, table.concat(held, ',')) end
  end
end
call('ZREMRANGEBYSCORE', REST, '-inf', now)

-- Attempts that were under way without the server's knowledge are permits from now on, whatever the limit.
local adopted = 0
if not isLate then
  for id, from in pairs(mine) do call('ZADD', OUT, max(from, now) + request.lease, id .. ' ' .. me) end
  for i = 1, request.adopt do
    local id = nextId()
    if i == 1 then adopted = facts.id end
    mine[id] = now
    call('ZADD', OUT, now + request.lease, id .. ' ' .. me)
  end
end

-- Shares: what each process may use without the server, agreed on beforehand. A process counts with the larger of what it
-- believes and what it is told, as it may not hear the answer; so together they are never more than the limit.
local share, renew = 0, 0
if not isLate then
  local silence = now - facts.last
  local believed = request.share
  local charged, phase = string.match(call('HGET', SHARE, me) or '', '^(%d+):(-?%d+)$')
  charged, phase = tonumber(charged or 0), tonumber(phase or -1)
  -- It was told its share in an earlier life of the key: others were as well.
  local isClaim = charged == 0 and believed > 0 and request.born ~= facts.born
  -- It has no share, but others that are not back may have one of that life.
  local isWitness = isFromBefore and request.shares and now < (facts.lost or 0) + PHASE
  local before = charged

  -- Who finds the server back may be the first of many that went on without it. Until all are back, or had the time for it,
  -- those that are back have no more than their shares.
  if facts.phaseEnd > 0 and silence >= CONTACT + 2 * request.rtt then facts.phaseEnd = now + PHASE end
  if facts.phaseEnd == 0 and ((silence >= SILENCE and facts.promised > before) or isClaim or isWitness) then
    facts.phase, facts.phaseEnd, facts.back, facts.loss = facts.phase + 1, now + PHASE, 0, 0
  end
  if facts.phaseEnd > 0 and (isClaim or isWitness) then facts.loss = 1 end
  if facts.phaseEnd > 0 and now >= facts.phaseEnd then facts.phaseEnd, facts.loss, facts.lost = 0, 0, 0 end

  call('ZADD', SEEN, now + FORGET, me)
  if facts.phaseEnd == 0 then
    local gone = call('ZRANGEBYSCORE', SEEN, '-inf', now, 'LIMIT', 0, BATCH)
    for _, process in ipairs(gone) do
      call('ZREM', SEEN, process)
      local theirs = string.match(call('HGET', SHARE, process) or '', '^(%d+):')
      if theirs then
        facts.promised = facts.promised - tonumber(theirs)
        call('HDEL', SHARE, process)
      end
    end
  end
  local target = ceil(ours / max(1, call('ZCARD', SEEN)))
  if request.bye == 1 then
    target, believed = 0, 0
    call('ZREM', SEEN, me)
  end
  if not request.shares or request.bye == 1 then
    share = 0
  elseif facts.phaseEnd > 0 then
    share = believed
  elseif now < facts.quiet then
    share = min(believed, target)
  else
    share = max(0, min(target, ours - (facts.promised - before)))
  end
  local charge = max(share, believed)
  facts.promised = facts.promised - before + charge
  if facts.phaseEnd > 0 then
    if phase == facts.phase then
      facts.back = facts.back + charge - before
    elseif facts.loss == 0 or isClaim then
      facts.back, phase = facts.back + charge, facts.phase
    end
    if facts.back >= (facts.loss == 1 and limit or facts.promised) then
      facts.phaseEnd, facts.loss, facts.lost = 0, 0, 0
    end
  end
  if charge > 0 then
    call('HSET', SHARE, me, text(charge) .. ':' .. text(phase))
  elseif before > 0 then
    call('HDEL', SHARE, me)
  end
  facts.holders = call('HLEN', SHARE)
  if facts.phaseEnd > 0 then renew = 250
  elseif share > 0 then
    renew = call('ZCARD', SEEN) == 1 and 20000 or min(20000, max(1500, 200 * facts.holders))
  end
  facts.last = now
end

local allowed = effective()
local capacity = min(allowed, ours)
if facts.phaseEnd > 0 then capacity = min(capacity, facts.back) end

-- Evicted in part: those who wait join again, with their turns.
if call('ZCARD', LINE) ~= call('ZCARD', TILL) then call('DEL', LINE, TILL, WANT) end
local gone = call('ZRANGEBYSCORE', TILL, '-inf', now, 'LIMIT', 0, BATCH)
if #gone > 0 then
  call('ZREM', LINE, unpack(gone))
  call('ZREM', TILL, unpack(gone))
  call('HDEL', WANT, unpack(gone))
end

local held = call('ZCARD', OUT)
local cooling = call('ZCARD', REST)
-- Calls within one tick: the part of a crowd that is known while it arrives.
local tick = floor(now / TICK)
if tick ~= facts.tick then
  facts.lastCalls = tick == (facts.tick or 0) + 1 and facts.calls or 0
  facts.tick, facts.calls = tick, 0
end
facts.calls = facts.calls + 1
local crowd = max(facts.calls, facts.lastCalls)
local ahead = AHEAD + 2 * request.rtt
local retry = 0

local function leave(member)
  call('ZREM', LINE, member)
  call('ZREM', TILL, member)
  call('HDEL', WANT, member)
end

-- Gives one lane of this process the permits that it is next for, and returns its position in the queue from now on.
local function serve(lane, want, turn)
  local member = lane .. me
  if want <= 0 then
    if call('ZREM', LINE, member) == 1 then leave(member) end
    return 0
  end
  local isBackground = lane == 'B'
  local own = tonumber(call('ZSCORE', LINE, member) or 0)
  if own == 0 then
    -- One that was forgotten while its call was on its way gets its position back.
    if turn > 0 and turn <= facts.turn then own = turn else
      facts.turn = facts.turn + 1
      own = facts.turn
    end
    if isBackground then own = own + BACKGROUND end
    call('ZADD', LINE, own, member)
  end
  call('HSET', WANT, member, want)
  local waiting = call('ZCARD', LINE)
  local fair = max(1, ceil(capacity / waiting))
  -- Background leaves one permit to the live request that may come next.
  local spare = isBackground and capacity > 1 and 1 or 0

  local function before()
    local rank = call('ZRANK', LINE, member)
    if fair == 1 or rank == 0 then return rank + spare end
    if rank > 200 then return rank * fair + spare end
    local sum = 0
    local wants = call('HMGET', WANT, unpack(call('ZRANGE', LINE, 0, rank - 1)))
    for _, each in ipairs(wants) do sum = sum + min(tonumber(each or 1), fair) end
    return sum + spare
  end

  local start = before()
  local free = capacity - held - cooling
  local count = min(want, fair)
  -- Those in front are late or gone.
  local isIdle = facts.idleAt > 0 and now - facts.idleAt > IDLE
  if isIdle and isBackground then isIdle = string.sub(call('ZRANGE', LINE, 0, 0)[1], 1, 1) == 'B' end
  if isIdle and free > spare then
    start = spare
    count = min(count, free - spare)
  end
  local soonest = {}
  if start + count > free and cooling > 0 then
    local from = max(0, start - free)
    soonest = call('ZRANGE', REST, from, from + count - 1, 'WITHSCORES')
  end
  local taken, granted = {}, 0
  for k = start + 1, start + count do
    local from = now
    if k > free then
      local index = k - max(start, free)
      if not soonest[2 * index - 1] then break end
      from = tonumber(soonest[2 * index])
    end
    from = max(from, facts.quiet)
    -- The first permits of a key do not all start at once: else a fleet that waits has long gaps between its bursts.
    if facts.spread < limit then from = max(from, facts.quiet + floor(facts.spread * interval / (16 * limit))) end
    if from > now + ahead then break end
    facts.spread = facts.spread + 1
    if k > free then taken[#taken + 1] = soonest[2 * (k - max(start, free)) - 1] end
    local id = nextId()
    mine[id] = from
    call('ZADD', OUT, from + request.lease, id .. ' ' .. me)
    granted = granted + 1
  end
  if #taken > 0 then call('ZREM', REST, unpack(taken)) end
  held, cooling, want = held + granted, cooling - #taken, want - granted
  if want == 0 then
    leave(member)
    return 0
  end
  if granted > 0 then
    facts.turn = facts.turn + 1
    own = facts.turn + (isBackground and BACKGROUND or 0)
    call('ZADD', LINE, own, member)
    call('HSET', WANT, member, want)
  end

  -- The earliest instant at which the permit that is this lane's turn can be free.
  local k = before() + 1 - (capacity - held - cooling)
  local due = max(now, facts.quiet)
  if k > cooling then
    due = due + rest * (1 + floor((k - cooling - 1) / max(1, capacity)))
  elseif k > 0 then
    due = tonumber(call('ZRANGE', REST, k - 1, k - 1, 'WITHSCORES')[2])
  end
  -- Half the way ahead, so that one call finds several. Permits may come back sooner, and those in front may leave.
  local wait = max(10, max(due, facts.quiet) - floor(ahead / 2) - now)
  -- Processes that started together do not ask again together.
  local spread = 0.5 + ((own % BACKGROUND + now) * 0.618034) % 1
  local longest = floor(spread * max(2000, waiting, crowd * 1000 / TICK))
  wait = max(10, min(wait, max(250, floor(wait / 2)), longest))
  call('ZADD', TILL, now + wait + 500 + 2 * request.rtt, member)
  if retry == 0 or wait < retry then retry = wait end
  return own - (isBackground and BACKGROUND or 0)
end

facts.idleAt = min(facts.idleAt or 0, now)
local liveTurn, backgroundTurn = request.turn[1], request.turn[2]
if isLate then
  -- Overloaded or cut off: processes that wait ask again, not at once.
  if request.want[1] + request.want[2] > 0 then retry = 250 + 2 * request.rtt end
else
  liveTurn = serve('L', request.want[1], liveTurn)
  backgroundTurn = serve('B', request.want[2], backgroundTurn)
end

local answer = {
  now, isLate and 1 or 0, facts.born, limit, allowed, max(1, call('ZCARD', SEEN)), retry, share, renew, slowest, adopted,
  liveTurn, backgroundTurn, call('ZCARD', LINE), held,
}
local listed = {}
for id, from in pairs(mine) do
  listed[#listed + 1] = id .. ':' .. text(from)
  answer[#answer + 1] = tonumber(id)
  answer[#answer + 1] = max(0, from - now)
end
if #listed == 0 then call('HDEL', HOLD, me) else call('HSET', HOLD, me, table.concat(listed, ',')) end

local isCollected = now < facts.quiet or capacity - held - cooling <= 0 or call('ZCARD', LINE) == 0
if isCollected then facts.idleAt = 0 elseif facts.idleAt == 0 then facts.idleAt = now end

local isNew = false
for name, count in pairs({
  out = call('ZCARD', OUT), rest = call('ZCARD', REST), line = call('ZCARD', LINE), hold = call('HLEN', HOLD),
  seen = call('ZCARD', SEEN), holders = call('HLEN', SHARE),
}) do
  if count > 0 and (stored[name] or 0) == 0 then isNew = true end
  facts[name] = count
end
local isTouch = isNew or now - (facts.touched or 0) > TOUCH or now < facts.touched
if isTouch then facts.touched = now end
local fields = {}
for name, value in pairs(facts) do
  if stored[name] ~= value then
    fields[#fields + 1] = name
    fields[#fields + 1] = text(value)
  end
end
if #fields > 0 then call('HSET', FACTS, unpack(fields)) end
if isTouch then
  for i = 2, #KEYS do call('PEXPIRE', KEYS[i], WEEK) end
end
return answer
