/**
 * One step of the fleet protocol, atomic and on Redis's clock. A process says what it has given back and how many permits
 * it wants, and is answered with all that it holds.
 *
 * The state of a key is one JSON text, readable with `GET`. Instants are whole milliseconds of Redis's clock.
 *
 * - `leases`: permits that are out, or reserved for an instant to come. A lease ends when its holder says so, or at `till`,
 *   which every step of its holder puts off: a holder that has crashed or is frozen loses it.
 * - `resting`: when each place whose attempt has ended is free again, soonest first.
 * - `line`: the processes whose requests wait. Whoever got something goes to the back, so all get the same in turn.
 * - `limits`: the limits that processes have named lately. The smallest holds, over the longest interval.
 *
 * A key that is missing was lost with all that it said, or never was: nothing is granted before every permit that may
 * have been out has ended and rested.
 */
export const fleetScript = `
local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me = request.process
-- Kept back somewhere, as clients do while they are cut off: whoever sent it has given it up, and must get nothing for it.
local isLate = request.at and now - request.at > 600
if isLate then request.want, request.rejoins = 0, false end

local saved = redis.call('GET', KEYS[1])
local state = saved and cjson.decode(saved)
-- Time that goes back, or that a process saw jump, tells nothing about when a place is free: that is as good as lost.
if not state or state.born == request.reset or now < state.last then
  state = {
    born = now, last = now, id = state and state.id or now, turn = 0,
    quiet = now + request.lease + request.interval + 3, resume = 0, back = {},
    leases = {}, resting = {}, line = {}, limits = {}, seen = {},
    peak = { count = request.known or 0, at = now }, cut = { to = 0, at = 0 },
  }
end

state.limits[request.limit .. '/' .. request.interval] = now
local limit, interval = request.limit, request.interval
for name, at in pairs(state.limits) do
  if now - at > 60000 then
    state.limits[name] = nil
  else
    local named, over = string.match(name, '(%d+)/(%d+)')
    limit, interval = math.min(limit, tonumber(named)), math.max(interval, tonumber(over))
  end
end
-- Two milliseconds as for one process, and one because instants here are rounded down.
local rest = interval + 3

-- Whoever found the store lost may have gone on alone, and others, whose clients try again only now and then, may not have
-- found out yet that it is back. So all go on alone until all are back, and then rest together.
local isBack = now - state.last > 1000 or now - state.born < 5000
if request.rejoins and isBack and now > state.resume + 5000 then
  state.resume, state.back = now + 10000, {}
end
if request.rejoins and now < state.resume then
  state.back[me] = true
  local back = 0
  for _ in pairs(state.back) do back = back + 1 end
  -- Whoever is told another time looks again before that, or no longer trusts what it was told.
  if back >= request.known then state.resume = math.min(state.resume, now + 750) end
  state.quiet = state.resume + request.lease + rest
end
if not isLate then state.last = now end

local function effective()
  if state.cut.at == 0 then return limit end
  return math.min(limit, state.cut.to + math.floor((now - state.cut.at) / request.recover))
end

local settled, cancelled = {}, {}
for _, each in ipairs(request.settled) do settled[each.id] = each end
for _, id in ipairs(request.cancelled) do cancelled[id] = true end
local leases, resting = {}, state.resting
local function restFrom(at) resting[#resting + 1] = at + rest end

for _, lease in ipairs(state.leases) do
  local outcome = lease.process == me and settled[lease.id]
  if outcome then
    settled[lease.id] = nil
    restFrom(math.max(now - outcome.age, lease.from))
    if outcome.throttled and lease.from > state.cut.at and now - state.cut.at >= interval then
      state.cut = { to = math.max(1, math.floor(effective() / 2)), at = now }
    end
  elseif lease.process == me and cancelled[lease.id] then
    if lease.from > now then resting[#resting + 1] = lease.from end
  elseif lease.till <= now then
    restFrom(lease.till)
  else
    if lease.process == me then lease.till = math.max(lease.from, now) + request.lease end
    leases[#leases + 1] = lease
  end
end
-- Attempts that no lease covers, made while the store was lost or by a holder that was late: they count all the same.
for _, outcome in pairs(settled) do restFrom(now - outcome.age) end
for _, age in ipairs(request.others) do restFrom(now - age) end

table.sort(resting)
local still = {}
for _, at in ipairs(resting) do
  if at > now then still[#still + 1] = at end
end
resting = still

for process, place in pairs(state.line) do
  if place.till < now and process ~= me then state.line[process] = nil end
end
local place = state.line[me]
if request.want > 0 then
  state.turn = state.turn + 1
  place = place or { turn = state.turn }
  place.want = request.want
  state.line[me] = place
else
  state.line[me] = nil
  place = nil
end

local allowed = effective()
local waiting = 0
for _ in pairs(state.line) do waiting = waiting + 1 end
local share = math.ceil(allowed / math.max(1, waiting))
local function ahead()
  local sum = 0
  for process, other in pairs(state.line) do
    if process ~= me and other.turn < place.turn then sum = sum + math.min(other.want, share) end
  end
  return sum
end

-- Places that are free count before those that rest; below zero so many must come free first, the limit being lower now.
local free = allowed - #leases - #resting
local retry = 0
if place then
  local before = ahead()
  local taken = {}
  for k = before + 1, before + math.min(place.want, share) do
    local from = now
    if k > free then from = resting[k - free] end
    if not from then break end
    from = math.max(from, state.quiet)
    if from > now + request.ahead then break end
    if k > free then taken[k - free] = true end
    state.id = state.id + 1
    leases[#leases + 1] = { id = state.id, process = me, from = from, till = from + request.lease }
    place.want = place.want - 1
  end
  if place.want < request.want then
    state.turn = state.turn + 1
    place.turn = state.turn
    local left = {}
    for index, at in ipairs(resting) do
      if not taken[index] then left[#left + 1] = at end
    end
    resting = left
  end
  if place.want == 0 then
    state.line[me] = nil
  else
    -- The earliest instant at which the place that is this process's turn can come free.
    local bounds = {}
    for _ = 1, allowed - #leases - #resting do bounds[#bounds + 1] = now end
    for _, at in ipairs(resting) do bounds[#bounds + 1] = at end
    for _, lease in ipairs(leases) do bounds[#bounds + 1] = math.max(lease.from, now) + rest end
    table.sort(bounds)
    local k = ahead() + #bounds - allowed
    local due = math.max(bounds[k % #bounds + 1] + math.floor(k / #bounds) * rest, state.quiet)
    -- Half the way ahead, so that one question finds several. Places may come back sooner, and those in front may leave.
    retry = due - math.floor(request.ahead / 2) - now
    retry = math.max(10, math.min(retry, math.max(250, math.floor(retry / 2))))
    place.till = now + retry + 300
  end
end

state.seen[me] = now
local processes = 0
for process, at in pairs(state.seen) do
  if now - at > 10000 then state.seen[process] = nil else processes = processes + 1 end
end
if processes >= state.peak.count or now - state.peak.at > 3600000 then
  state.peak = { count = processes, at = now }
end

state.leases, state.resting = leases, resting
redis.call('SET', KEYS[1], cjson.encode(state), 'PX', 604800000)

local answer = { now, state.born, limit, allowed, state.peak.count, retry, math.max(0, state.resume - now) }
for _, lease in ipairs(leases) do
  if lease.process == me then
    answer[#answer + 1] = lease.id
    answer[#answer + 1] = math.max(0, lease.from - now)
  end
end
return answer
`
