-- What every process knows about the threads, in one place: who waits in which order, who runs under which lease, who is woken again
-- later. One call is one atomic step. KEYS[1]: the prefix of all keys; ARGV[1]: the name of the command, then its arguments.
--
-- waiting   hash  thread -> its path (a JSON list), while it waits for its turn
-- running   zset  thread, by when its lease ends (ms)
-- later     zset  thread, by when it is woken again (ms)
-- flows     hash  thread -> path under which it waits again, of those that run or come later
-- holders   hash  thread -> token of the lease
-- cancels   hash  thread -> token of the lease whose handler is to be stopped
-- again     hash  thread -> path; a wake came while it ran
-- failures  hash  thread -> failures in a row
-- n:* s:* t:*     the order: members of the tree, turns of a group by tag, threads of a last level (FairOrder says what they mean)

local prefix = KEYS[1]
local function key(name) return prefix .. name end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- What had a turn is remembered for so long after it stopped waiting; longer than any round of turns takes.
local memory_ms = 3600000

local epoch = redis.call('GET', key('epoch')) or '0'
local function member_key(id) return key('n:' .. epoch .. ':' .. id) end
local function turns_key(id) return key('s:' .. epoch .. ':' .. id) end
local function threads_key(id) return key('t:' .. epoch .. ':' .. id) end

local function whole(number) return string.format('%.0f', number) end

-- Turns with one tag sort by these words: new members first, then by when they joined.
local function turn(is_new, joined, tag, id)
  return (is_new and '0' or '1') .. string.format('%016.0f', joined) .. ' ' .. whole(tag) .. ' ' .. id
end

local function insert(thread, flow)
  redis.call('ZREM', key('later'), thread)
  redis.call('HDEL', key('flows'), thread)
  if redis.call('HSETNX', key('waiting'), thread, flow) == 0 then return end
  local joins = redis.call('INCR', key('joins'))
  local parent = ''
  for _, id in ipairs(cjson.decode(flow)) do
    local member = member_key(id)
    local fields = redis.call('HMGET', member, 'waiting', 'next', 'joined', 'new')
    local waiting = tonumber(fields[1] or '0')
    local next_tag = tonumber(fields[2] or '0')
    local joined = tonumber(fields[3] or '0')
    local is_new = fields[4] == '1'
    if waiting == 0 then
      local group_now = tonumber(redis.call('HGET', member_key(parent), 'now') or '0')
      is_new = next_tag <= group_now
      next_tag = math.max(next_tag, group_now)
      joined = joins
      redis.call('HSET', member, 'next', whole(next_tag), 'joined', whole(joined), 'new', is_new and '1' or '0')
      redis.call('PERSIST', member)
    end
    redis.call('HSET', member, 'waiting', whole(waiting + 1))
    local tag = next_tag + waiting
    redis.call('ZADD', turns_key(parent), whole(tag), turn(is_new and waiting == 0, joined, tag, id))
    parent = id
  end
  redis.call('ZADD', threads_key(parent), whole(joins), thread)
end

local function pop()
  local parent = ''
  while true do
    local first = redis.call('ZRANGE', turns_key(parent), 0, 0, 'WITHSCORES')
    if #first == 0 then break end
    redis.call('ZREM', turns_key(parent), first[1])
    local tag = tonumber(first[2])
    redis.call('HSET', member_key(parent), 'now', whole(tag))
    local id = string.match(first[1], '^%d+ %d+ (.*)$')
    local member = member_key(id)
    redis.call('HSET', member, 'next', whole(tag + 1), 'new', '0')
    if redis.call('HINCRBY', member, 'waiting', -1) == 0 then redis.call('PEXPIRE', member, memory_ms) end
    parent = id
  end
  local thread = redis.call('ZRANGE', threads_key(parent), 0, 0)[1]
  if not thread then return nil end
  redis.call('ZREM', threads_key(parent), thread)
  local flow = redis.call('HGET', key('waiting'), thread)
  redis.call('HDEL', key('waiting'), thread)
  if redis.call('ZCARD', turns_key('')) == 0 then
    -- When nothing waits, all that was is forgotten.
    redis.call('PEXPIRE', member_key(''), memory_ms)
    epoch = whole(redis.call('INCR', key('epoch')))
  end
  return thread, flow
end

-- Those that are woken again later and whose time has come.
local function wake_due()
  for _, thread in ipairs(redis.call('ZRANGEBYSCORE', key('later'), '-inf', now, 'LIMIT', 0, 100)) do
    local flow = redis.call('HGET', key('flows'), thread)
    if flow then insert(thread, flow) else redis.call('ZREM', key('later'), thread) end
  end
end

-- Ends the lease; gives the path of a wake that came meanwhile.
local function let_go(thread)
  local again = redis.call('HGET', key('again'), thread)
  redis.call('ZREM', key('running'), thread)
  for _, name in ipairs({ 'holders', 'cancels', 'again', 'flows' }) do redis.call('HDEL', key(name), thread) end
  return again
end

local commands = {}

-- thread, path -> 1 where it waits from now on, and somebody must be told
function commands.wake(thread, flow)
  if redis.call('ZSCORE', key('running'), thread) then
    redis.call('HSET', key('again'), thread, flow)
    return 0
  end
  if redis.call('HEXISTS', key('waiting'), thread) == 1 then return 0 end
  insert(thread, flow)
  return 1
end

-- owner, lease (ms) -> thread and token of the lease, path; nothing where none waits
function commands.take(owner, lease_ms)
  wake_due()
  while true do
    local thread, flow = pop()
    if not thread then return {} end
    if redis.call('ZSCORE', key('running'), thread) then
      redis.call('HSET', key('again'), thread, flow)
    else
      -- At least the time, so that it grows also over the loss of everything that is kept here.
      local fence = math.max(tonumber(redis.call('GET', key('fence')) or '0') + 1, now)
      redis.call('SET', key('fence'), whole(fence))
      local token = whole(fence) .. '-' .. owner
      redis.call('ZADD', key('running'), now + tonumber(lease_ms), thread)
      redis.call('HSET', key('holders'), thread, token)
      redis.call('HSET', key('flows'), thread, flow)
      return { thread, token, flow }
    end
  end
end

-- thread, token, path, lease (ms) -> held | cancelled | lost
function commands.renew(thread, token, flow, lease_ms)
  local holder = redis.call('HGET', key('holders'), thread)
  if holder and holder ~= token then return 'lost' end
  -- Where nobody holds it, everything here was lost, and the one that runs goes on.
  redis.call('ZADD', key('running'), now + tonumber(lease_ms), thread)
  redis.call('HSET', key('holders'), thread, token)
  redis.call('HSET', key('flows'), thread, flow)
  return redis.call('HGET', key('cancels'), thread) == token and 'cancelled' or 'held'
end

-- thread, token, path of what still waits in it or '' -> 1 where it waits again, 0 where not, -1 where another holds it
function commands.done(thread, token, flow)
  local holder = redis.call('HGET', key('holders'), thread)
  if holder and holder ~= token then return -1 end
  redis.call('HDEL', key('failures'), thread)
  local again = let_go(thread)
  if flow == '' then flow = again end
  if not flow then return 0 end
  insert(thread, flow)
  return 1
end

-- thread, token, path, wait (ms; -1: by the number of failures), first wait (ms), longest wait (ms) -> wait (ms; 0: now), -1 as above
function commands.failed(thread, token, flow, wait_ms, first_ms, longest_ms)
  local holder = redis.call('HGET', key('holders'), thread)
  if holder and holder ~= token then return -1 end
  local failures = redis.call('HINCRBY', key('failures'), thread, 1)
  local wait = tonumber(wait_ms)
  if wait < 0 then wait = math.min(tonumber(first_ms) * 2 ^ (failures - 1), tonumber(longest_ms)) end
  local again = let_go(thread)
  if again or wait == 0 then
    insert(thread, again or flow)
    return 0
  end
  if redis.call('HEXISTS', key('waiting'), thread) == 1 then return 0 end
  redis.call('HSET', key('flows'), thread, flow)
  redis.call('ZADD', key('later'), now + wait, thread)
  return wait
end

-- thread -> 1 where its handler runs, and is to be stopped
function commands.cancel(thread)
  local holder = redis.call('HGET', key('holders'), thread)
  if not holder then return 0 end
  redis.call('HSET', key('cancels'), thread, holder)
  redis.call('PUBLISH', key('cancel'), holder)
  return 1
end

-- thread, token -> 1 where the handler of this lease is to be stopped
function commands.cancelled(thread, token)
  return redis.call('HGET', key('cancels'), thread) == token and 1 or 0
end

function commands.place(thread)
  local flow = redis.call('HGET', key('waiting'), thread)
  if not flow then return 0 end
  local path = cjson.decode(flow)
  local index = redis.call('ZRANK', threads_key(path[#path]), thread)
  for level = #path, 1, -1 do
    local id = path[level]
    local fields = redis.call('HMGET', member_key(id), 'next', 'joined', 'new')
    local tag = tonumber(fields[1]) + index
    local word = turn(fields[3] == '1' and index == 0, tonumber(fields[2]), tag, id)
    index = redis.call('ZRANK', turns_key(path[level - 1] or ''), word)
  end
  return index
end

-- -> how many threads wait, now or until later; how many run
function commands.depth()
  local waiting = redis.call('HLEN', key('waiting')) + redis.call('ZCARD', key('later'))
  return { waiting, redis.call('ZCARD', key('running')) }
end

-- threads -> those that neither wait nor run nor come later
function commands.unknown(...)
  local unknown = {}
  for _, thread in ipairs({ ... }) do
    local is_known = redis.call('HEXISTS', key('waiting'), thread) == 1
      or redis.call('ZSCORE', key('running'), thread)
      or redis.call('ZSCORE', key('later'), thread)
    if not is_known then unknown[#unknown + 1] = thread end
  end
  return unknown
end

-- Leases that ended without being given back, and waits that are over -> how many leases, how many threads wait now
function commands.repair()
  local ended = redis.call('ZRANGEBYSCORE', key('running'), '-inf', now, 'LIMIT', 0, 100)
  for _, thread in ipairs(ended) do
    local flow = redis.call('HGET', key('flows'), thread)
    flow = let_go(thread) or flow
    if flow then insert(thread, flow) end
  end
  wake_due()
  return { #ended, redis.call('HLEN', key('waiting')) }
end

return commands[ARGV[1]](unpack(ARGV, 2))
