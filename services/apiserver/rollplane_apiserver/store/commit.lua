#!lua
-- Commits one group of mutations, each on its own conditions (interface.py says which), and keeps the cell's books.
-- Run without mutations it is the greeting of a new connection: it lays out a new cell and notices a server whose
-- history may have been lost.
--
-- KEYS  1 meta, 2 log, 3 fence, 4 runs, 5 resources, 6 segments, 7 the objects of "namespaces", 8… those of others
-- ARGV  1 schema version, 2 number of shards, 3 the server's run id, 4 most log entries, 5 most log bytes,
--       then for each mutation a header (layout.py packs it) and the value
-- Reply the revision, then for each mutation a code (0 committed, else the number of its refusal) and a revision
local META, LOG, FENCE, RUNS, RESOURCES, SEGMENTS, NAMESPACES = 1, 2, 3, 4, 5, 6, 7
local FIRST_ITEM = 6
local EXISTS, MISSING, STALE, NAMESPACE_MISSING, NAMESPACE_SEALED, FENCED, NOT_ATTEMPTED = 1, 2, 3, 4, 5, 6, 7
local ABSENT, REVISION = 0, 2 -- of the two lowest bits of the flags; 1 is present
local DELETE, SEALED, LOG_PREVIOUS, HAS_FENCE = 4, 8, 16, 32
local HEADER_BYTES = 9 -- of a stored value: revision, sealed
local SEGMENTS_IN_LOG = 16

local call, pack, unpack_struct, format, band, sub = redis.call, struct.pack, struct.unpack, string.format, bit.band, string.sub
local max_entries, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])

local book = call('HMGET', KEYS[META], 'schema', 'shards', 'run', 'revision', 'oldest', 'entries', 'bytes', 'open_entries', 'open_bytes')
local schema, shards, run = book[1], book[2], book[3]
local revision, oldest = tonumber(book[4] or 0), tonumber(book[5] or 0)
local entries, bytes = tonumber(book[6] or 0), tonumber(book[7] or 0)
-- The newest entries form the open segment; a full one is closed, and closed ones are trimmed whole.
local open_entries, open_bytes = tonumber(book[8] or 0), tonumber(book[9] or 0)
local before = revision

-- Lua would print a revision in microseconds as 1.7e+15.
local function text(number)
  return format('%.0f', number)
end

local function count_entry(size)
  entries, bytes = entries + 1, bytes + size
  open_entries, open_bytes = open_entries + 1, open_bytes + size
end

-- A server that is not the one which made the last commit may hold an older state than was acknowledged, so every
-- revision up to now may have been given out for something else. Microseconds since the epoch are above all of them.
local function jump()
  local time = call('TIME')
  local last = revision
  local to = math.max(last, tonumber(time[1]) * 1000000 + tonumber(time[2]))
  revision = to + 1
  local span = text(last) .. ' ' .. text(to)
  call('RPUSH', KEYS[RUNS], span)
  call('DEL', KEYS[FENCE])
  call('XADD', KEYS[LOG], text(revision) .. '-0', 'j', span)
  count_entry(#span)
  call('HSET', KEYS[META], 'schema', ARGV[1], 'shards', ARGV[2], 'run', ARGV[3])
end

local function trim()
  if open_entries * SEGMENTS_IN_LOG >= max_entries or open_bytes * SEGMENTS_IN_LOG >= max_bytes then
    call('RPUSH', KEYS[SEGMENTS], text(revision) .. ' ' .. open_entries .. ' ' .. text(open_bytes))
    open_entries, open_bytes = 0, 0
  end
  local trimmed = false
  while entries > max_entries or bytes > max_bytes do
    local segment = call('LPOP', KEYS[SEGMENTS])
    if not segment then break end
    local last, count, size = string.match(segment, '^(%d+) (%d+) (%d+)$')
    oldest, entries, bytes = tonumber(last), entries - tonumber(count), bytes - tonumber(size)
    trimmed = true
  end
  if trimmed then
    call('XTRIM', KEYS[LOG], 'MINID', text(oldest + 1) .. '-0')
  end
end

local namespaces = {} -- refusals by namespace, false for one that is open, as found in this commit

local function namespace_refusal(name)
  local known = namespaces[name]
  if known == nil then
    local stored = call('HGET', KEYS[NAMESPACES], '/' .. name)
    if not stored then
      known = NAMESPACE_MISSING
    else
      known = string.byte(stored, HEADER_BYTES) == 1 and NAMESPACE_SEALED
    end
    namespaces[name] = known
  end
  return known
end

local function unmet(required, wanted, stored_revision)
  if required == ABSENT then
    return stored_revision and EXISTS
  end
  if not stored_revision then
    return MISSING
  end
  return required == REVISION and stored_revision ~= wanted and STALE
end

local function refusal(flags, wanted, epoch, namespace, shard, stored_revision)
  if band(flags, HAS_FENCE) ~= 0 and tonumber(call('HGET', KEYS[FENCE], shard) or -1) ~= epoch then
    return FENCED
  end
  return (namespace ~= '' and namespace_refusal(namespace)) or unmet(band(flags, 3), wanted, stored_revision)
end

local names = {} -- of resources, by their index in KEYS
local prefix = #KEYS[NAMESPACES] - #'namespaces'

local function resource_name(index)
  local name = names[index]
  if not name then
    name = sub(KEYS[index], prefix + 1)
    names[index] = name
    call('SADD', KEYS[RESOURCES], name)
  end
  return name
end

local function store(index, key, flags, value, stored)
  revision = revision + 1
  local id, name = text(revision) .. '-0', resource_name(index)
  if band(flags, DELETE) ~= 0 then
    call('HDEL', KEYS[index], key)
    call('XADD', KEYS[LOG], id, 'h', 'D' .. name .. '\0' .. key, 'v', stored)
    count_entry(#stored)
  else
    call('HSET', KEYS[index], key, pack('>I8B', revision, band(flags, SEALED) ~= 0 and 1 or 0) .. value)
    local head = (stored and 'M' or 'A') .. name .. '\0' .. key
    if stored and band(flags, LOG_PREVIOUS) ~= 0 then
      call('XADD', KEYS[LOG], id, 'h', head, 'v', value, 'p', stored)
      count_entry(#value + #stored)
    else
      call('XADD', KEYS[LOG], id, 'h', head, 'v', value)
      count_entry(#value)
    end
  end
  if index == NAMESPACES then
    namespaces = {}
  end
end

if schema and schema ~= ARGV[1] then
  return redis.error_reply('SCHEMA ' .. schema)
end
if shards and shards ~= ARGV[2] then
  return redis.error_reply('SHARDS ' .. shards)
end
if run ~= ARGV[3] then
  jump()
end

local reply, failed = {0}, {}
for item = FIRST_ITEM, #ARGV, 2 do
  local index, flags, wanted, epoch, key, namespace, shard, group = unpack_struct('>HBI8I8ssss', ARGV[item])
  if group ~= '' and failed[group] then
    reply[#reply + 1] = NOT_ATTEMPTED
    reply[#reply + 1] = 0
  else
    local stored = call('HGET', KEYS[index], key)
    local stored_revision = stored and unpack_struct('>I8', stored)
    local refused = refusal(flags, wanted, epoch, namespace, shard, stored_revision)
    if refused then
      failed[group] = true
      reply[#reply + 1] = refused
      reply[#reply + 1] = stored_revision or 0
    else
      store(index, key, flags, ARGV[item + 1], stored and sub(stored, HEADER_BYTES + 1))
      reply[#reply + 1] = 0
      reply[#reply + 1] = revision
    end
  end
end

if revision ~= before then
  trim()
  call('HSET', KEYS[META], 'revision', text(revision), 'oldest', text(oldest), 'entries', entries, 'bytes', text(bytes),
    'open_entries', open_entries, 'open_bytes', text(open_bytes))
end
reply[1] = revision
return reply
