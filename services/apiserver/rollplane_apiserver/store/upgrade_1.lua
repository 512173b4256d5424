#!lua
-- Takes a cell from layout 1 to layout 2: the numbers of the log and of the young tokens, a field each before, are packed
-- into two fields. KEYS and ARGV as commit.lua has them.
local META = KEYS[1]
local LOG = { 'entries', 'bytes', 'open_entries', 'open_bytes' }
local TOKENS = { 'token_entries', 'token_bytes', 'tokens_since' }

local function numbers(names)
  local found = redis.call('HMGET', META, unpack(names))
  for place = 1, #names do
    found[place] = tonumber(found[place] or 0)
  end
  return unpack(found)
end

redis.call('HSET', META, 'log', struct.pack('>I8I8I8I8', numbers(LOG)), 'tokens', struct.pack('>I8I8I8', numbers(TOKENS)))
redis.call('HDEL', META, unpack(LOG))
redis.call('HDEL', META, unpack(TOKENS))
return redis.call('HSET', META, 'schema', 2)
