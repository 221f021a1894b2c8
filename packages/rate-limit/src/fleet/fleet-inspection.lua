-- What a key says, read only: one JSON text, of at most so many waiting and holding processes as asked for.
local OLD, FACTS, OUT, REST, LINE, TILL, WANT, HOLD, SEEN, SHARE = unpack(KEYS)
local most = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local facts = {}
local saved = redis.call('HGETALL', FACTS)
for i = 1, #saved, 2 do facts[saved[i]] = tonumber(saved[i + 1]) end
if not facts.born then return false end

local limit, interval
for name, at in pairs(facts) do
  local l, i = string.match(name, '^named:(%d+)/(%d+)/')
  if l and now - at <= 60000 then
    limit, interval = math.min(limit or tonumber(l), tonumber(l)), math.max(interval or 0, tonumber(i))
  end
end
local recent = redis.call('ZCOUNT', REST, now, '+inf')
local holders = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', OUT, now, '+inf', 'LIMIT', 0, most)) do
  local id, process = string.match(member, '^(%d+) (.*)$')
  holders[#holders + 1] = { permit = tonumber(id), process = process }
end
local waiting = {}
for _, member in ipairs(redis.call('ZRANGE', LINE, 0, most - 1)) do
  waiting[#waiting + 1] = {
    process = string.sub(member, 2),
    lane = string.sub(member, 1, 1) == 'B' and 'background' or 'live',
    wanted = tonumber(redis.call('HGET', WANT, member) or 0),
  }
end
return cjson.encode({
  protocol = facts.protocol,
  limit = limit,
  interval = interval,
  cutTo = facts.cutTo,
  cutForMs = facts.cutAt and facts.cutAt > 0 and now - facts.cutAt or nil,
  inUse = redis.call('ZCOUNT', OUT, now, '+inf'),
  coolingDown = recent,
  processes = redis.call('ZCOUNT', SEEN, now, '+inf'),
  waitingProcesses = redis.call('ZCARD', LINE),
  quietForMs = math.max(0, facts.quiet - now),
  returningForMs = math.max(0, facts.phaseEnd - now),
  shares = facts.promised,
  hasPredecessors = redis.call('GETRANGE', OLD, 0, 0) == '{',
  holders = holders,
  waiting = waiting,
})
