#!lua
-- Commits one group of mutations, each on its own conditions (interface.py says which), and keeps the cell's books.
-- Run without mutations it is the greeting of a new connection: it lays out a new cell and notices a server whose
-- history may have been lost.
--
-- KEYS  1 meta, 2 log, 3 fence, 4 runs, 5 resources, 6 segments, 7 tokens, 8 the older tokens, 9 claims, 10 ledgers,
--       11 the objects of "namespaces", 12… those of others
-- ARGV  1 schema version, 2 number of shards, 3 the server's run id, 4 most log entries, 5 most log bytes,
--       6 most tokens of a generation, 7 their most bytes, 8 the seconds of a generation,
--       9 the deadline in microseconds of this server's clock (0: none), 10 whether memory is short (1 or 0),
--       11 number of tokens, then each token, then for each mutation a header (layout.py packs it) and the value
-- Reply the revision, the server's time in microseconds, then for each mutation a code (0 committed, else the number of
--       its refusal; REPEATED more when an earlier sending was told that) and a revision
local META, LOG, FENCE, RUNS, RESOURCES, SEGMENTS, TOKENS, OLDER_TOKENS, CLAIMS = 1, 2, 3, 4, 5, 6, 7, 8, 9
local LEDGERS, NAMESPACES = 10, 11
local TOKEN_COUNT = 11
local EXISTS, MISSING, STALE, NAMESPACE_MISSING, NAMESPACE_SEALED, FENCED, NOT_ATTEMPTED = 1, 2, 3, 4, 5, 6, 7
local WITHDRAWN, NO_MEMORY, CLAIMED, OVERTAKEN, REPEATED = 8, 9, 10, 11, 16
local ABSENT, REVISION, NEVER = 0, 2, 3 -- of the two lowest bits of the flags; 1 is present
local DELETE, SEALED, LOG_PREVIOUS, HAS_FENCE, CLAIMING, RECKONING = 4, 8, 16, 32, 64, 128
local HEADER_BYTES = 9 -- of a stored value: revision, sealed
local SEGMENTS_IN_LOG = 16
local JUMP_MARGIN = 2 ^ 32
local LOG_BOOK, TOKEN_BOOK = '>I8I8I8I8', '>I8I8I8'
local SLACK_BYTES = 512 -- by which an object may grow when memory is short: marks for deletion, and conditions that tell of it

local call, pack, unpack_struct, format, band, sub = redis.call, struct.pack, struct.unpack, string.format, bit.band, string.sub
local max_entries, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local memory_is_short = ARGV[10] == '1'
local tokens_end = TOKEN_COUNT + tonumber(ARGV[TOKEN_COUNT])

local time = call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
-- Whoever sent it has given it up, and may have told so.
if ARGV[9] ~= '0' and now > tonumber(ARGV[9]) then
  return redis.error_reply('LATE the deadline passed before the commit began')
end
local replication = call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
  return redis.error_reply('READONLY this server is a replica')
end
local history = string.match(replication, 'master_replid:(%w+)')

-- A command that the user may not run would end the script where it stands, with all done that it did before. The rarer
-- ones are asked for by the commits of nothing, which greet each connection and look once a second.
local commands = {'HSET', 'HDEL', 'XADD'}
if #ARGV == tokens_end then
  commands = {
    'HSET', 'HDEL', 'XADD', 'HGET', 'HMGET', 'XTRIM', 'RPUSH', 'LPOP', 'SADD', 'DEL', 'UNLINK', 'RENAME', 'EXISTS',
  }
end
for _, command in ipairs(commands) do
  if not redis.acl_check_cmd(command, KEYS[META], KEYS[META]) then
    return redis.error_reply('NOPERM this user may not run ' .. command)
  end
end

-- A field of several numbers costs as much as a field of one.
local book = call('HMGET', KEYS[META], 'schema', 'shards', 'run', 'history', 'revision', 'oldest', 'log', 'tokens')
local schema, shards, run, known_history = book[1], book[2], book[3], book[4]
local revision, oldest = tonumber(book[5] or 0), tonumber(book[6] or 0)

local function numbers(packed, format)
  if packed then
    return unpack_struct(format, packed)
  end
  return 0, 0, 0, 0
end

-- The newest entries form the open segment; a full one is closed, and closed ones are trimmed whole.
local entries, bytes, open_entries, open_bytes = numbers(book[7], LOG_BOOK)
local token_entries, token_bytes, tokens_since = numbers(book[8], TOKEN_BOOK)
local before = revision

-- Lua would print a revision in microseconds as 1.7e+15.
local function text(number)
  return format('%.0f', number)
end

local function count_entry(size)
  entries, bytes = entries + 1, bytes + size
  open_entries, open_bytes = open_entries + 1, open_bytes + size
end

-- The server's run id and the id of its replication say which history the data are a part of: another process, or the
-- same one after it was a replica, may hold an older state than was acknowledged. So every revision up to now may have
-- been given out for something else, and some above. Microseconds since the epoch are above all of them, as long as the
-- clock does not go back. Where it did, the margin is above all that were given out behind this state, up to 2^32
-- writes, and chance keeps apart what was given out behind other jumps that this state does not know of.
local function jump()
  local last, to = revision, now
  if to <= last then
    local chance = tonumber(sub(ARGV[3], 1, 8), 16) + tonumber(sub(history, 1, 8), 16)
    to = last + JUMP_MARGIN + chance % JUMP_MARGIN
  end
  revision = to + 1
  local span = text(last) .. ' ' .. text(to)
  call('RPUSH', KEYS[RUNS], span)
  call('DEL', KEYS[FENCE])
  call('XADD', KEYS[LOG], text(revision) .. '-0', 'j', span)
  count_entry(#span)
  call('HSET', KEYS[META], 'schema', ARGV[1], 'shards', ARGV[2], 'run', ARGV[3], 'history', history)
end

local function close_segment()
  if open_entries > 0 then
    call('RPUSH', KEYS[SEGMENTS], text(revision) .. ' ' .. open_entries .. ' ' .. text(open_bytes))
    open_entries, open_bytes = 0, 0
  end
end

local function trim()
  local is_full = open_entries * SEGMENTS_IN_LOG >= max_entries or open_bytes * SEGMENTS_IN_LOG >= max_bytes
  if is_full and not memory_is_short then
    close_segment()
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
    call('HSET', KEYS[META], 'oldest', text(oldest))
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

local epochs = {} -- of shards, as found in this commit

local function accepted_epoch(shard)
  local epoch = epochs[shard]
  if not epoch then
    epoch = tonumber(call('HGET', KEYS[FENCE], shard) or -1)
    epochs[shard] = epoch
  end
  return epoch
end

local function refusal(flags, wanted, epoch, namespace, shard, stored_revision)
  if band(flags, HAS_FENCE) ~= 0 and accepted_epoch(shard) ~= epoch then
    return FENCED
  end
  return (namespace ~= '' and namespace_refusal(namespace)) or unmet(band(flags, 3), wanted, stored_revision)
end

local function is_claimed(claims, holder)
  for claim in string.gmatch(claims, '[^\n]+') do
    local known = call('HGET', KEYS[CLAIMS], claim)
    if known and known ~= holder then
      return true
    end
  end
  return false
end

local function keep_claims(claims, frees, holder)
  for claim in string.gmatch(frees, '[^\n]+') do
    if call('HGET', KEYS[CLAIMS], claim) == holder then
      call('HDEL', KEYS[CLAIMS], claim)
    end
  end
  for claim in string.gmatch(claims, '[^\n]+') do
    call('HSET', KEYS[CLAIMS], claim, holder)
  end
end

local ledgers = {} -- as found or entered in this commit

-- A page holds who entered the ledger last, at which revision, and the last revision at which another did.
local function page_of(ledger)
  local page = ledgers[ledger]
  if not page then
    page = {last = 0, others = 0, reader = ''}
    local stored = call('HGET', KEYS[LEDGERS], ledger)
    if stored then
      page.last, page.others, page.reader = unpack_struct('>I8I8s', stored)
    end
    ledgers[ledger] = page
  end
  return page
end

local function is_overtaken(ledger, reader, seen)
  local page = page_of(ledger)
  return (page.reader == reader and page.others or page.last) > seen
end

local function enter(ledger, reader)
  local page = page_of(ledger)
  if page.reader ~= reader then
    page.others, page.reader = page.last, reader
  end
  page.last = revision
  call('HSET', KEYS[LEDGERS], ledger, pack('>I8I8s', page.last, page.others, reader))
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
  local id, name = format('%.0f-0', revision), resource_name(index)
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
    if band(flags, DELETE) ~= 0 then
      call('HDEL', KEYS[LEDGERS], sub(key, 2))
      ledgers[sub(key, 2)] = nil
    end
  end
end

local known, fresh = {}, {} -- of tokens by their place: what is stored of them; fields for the tokens key
if tokens_end > TOKEN_COUNT then
  local older
  known = call('HMGET', KEYS[TOKENS], unpack(ARGV, TOKEN_COUNT + 1, tokens_end))
  older = call('HMGET', KEYS[OLDER_TOKENS], unpack(ARGV, TOKEN_COUNT + 1, tokens_end))
  for place = 1, #known do
    known[place] = known[place] or older[place]
  end
end

-- Of a token given up, the revision is 0.
local function note(place, token_revision)
  if place > 0 then
    local token, stored = ARGV[TOKEN_COUNT + place], pack('>I8', token_revision)
    known[place] = stored
    fresh[#fresh + 1] = token
    fresh[#fresh + 1] = stored
    token_entries, token_bytes = token_entries + 1, token_bytes + #token
  end
end

local function keep_tokens()
  local is_old = now - tokens_since >= tonumber(ARGV[8]) * 1000000
  if is_old or token_entries >= tonumber(ARGV[6]) or token_bytes >= tonumber(ARGV[7]) then
    call('UNLINK', KEYS[OLDER_TOKENS]) -- before it would be done at once, by the renaming
    if call('EXISTS', KEYS[TOKENS]) == 1 then
      call('RENAME', KEYS[TOKENS], KEYS[OLDER_TOKENS])
    end
    token_entries, token_bytes, tokens_since = 0, 0, now
  end
  call('HSET', KEYS[TOKENS], unpack(fresh))
end

local function makes_room(flags, value, stored)
  return band(flags, DELETE) ~= 0 or (stored and #value <= #stored + SLACK_BYTES)
end

if schema and schema ~= ARGV[1] then
  return redis.error_reply('SCHEMA ' .. schema)
end
if shards and shards ~= ARGV[2] then
  return redis.error_reply('SHARDS ' .. shards)
end
if run ~= ARGV[3] or known_history ~= history then
  jump()
end
if memory_is_short then
  -- A deletion only moves bytes from the objects to the log, which is freed when it is trimmed. This commit's own
  -- entries stay, so that whoever has read all that was before goes on.
  close_segment()
  max_bytes = bytes / 2
end

local function attempt(index, flags, place, wanted, epoch, key, namespace, shard, value, claims, frees, ledger, reader, seen)
  local stored = call('HGET', KEYS[index], key)
  local stored_revision = stored and unpack_struct('>I8', stored)
  local refused = refusal(flags, wanted, epoch, namespace, shard, stored_revision)
  local holder = claims and sub(KEYS[index], prefix + 1) .. ' ' .. key
  if not refused and claims and is_claimed(claims, holder) then
    refused = CLAIMED
  end
  if not refused and ledger and is_overtaken(ledger, reader, tonumber(seen)) then
    refused = OVERTAKEN
  end
  if not refused and memory_is_short and not makes_room(flags, value, stored) then
    refused = NO_MEMORY
  end
  if refused then
    return refused, stored_revision or 0
  end
  if claims then
    keep_claims(claims, frees, holder)
  end
  store(index, key, flags, value, stored and sub(stored, HEADER_BYTES + 1))
  if ledger then
    enter(ledger, reader)
  end
  note(place, revision)
  return 0, revision
end

local reply, failed = {0, now}, {}
for item = tokens_end + 1, #ARGV, 2 do
  local index, flags, place, wanted, epoch, key, namespace, shard, group, rest = unpack_struct('>HBHI8I8ssss', ARGV[item])
  local claims, frees, ledger, reader, seen
  if band(flags, CLAIMING) ~= 0 then
    claims, frees, rest = unpack_struct('ss', ARGV[item], rest)
  end
  if band(flags, RECKONING) ~= 0 then
    ledger, reader, seen = unpack_struct('sss', ARGV[item], rest)
  end
  local code, about = NOT_ATTEMPTED, 0
  if known[place] then
    about = unpack_struct('>I8', known[place])
    code = REPEATED + (about == 0 and WITHDRAWN or 0)
  elseif band(flags, 3) == NEVER then
    note(place, 0)
    code = WITHDRAWN
  elseif not failed[group] then
    code, about = attempt(
      index, flags, place, wanted, epoch, key, namespace, shard, ARGV[item + 1], claims, frees, ledger, reader, seen
    )
  end
  if group ~= '' and code % REPEATED ~= 0 then
    failed[group] = true
  end
  reply[#reply + 1] = code
  reply[#reply + 1] = about
end

if #fresh > 0 then
  keep_tokens()
end
if revision ~= before or #fresh > 0 then
  trim()
  call('HSET', KEYS[META], 'revision', text(revision), 'log', pack(LOG_BOOK, entries, bytes, open_entries, open_bytes),
    'tokens', pack(TOKEN_BOOK, token_entries, token_bytes, tokens_since))
end
reply[1] = revision
return reply
