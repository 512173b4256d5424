#!lua
-- Makes an epoch the one its shard accepts, unless a higher one is set or a jump made it void.
--
-- KEYS  1 fence, 2 runs
-- ARGV  1 shard, 2 epoch
-- Reply nothing when done, else the epoch that is set, or the span ("last to") of the jump
local set = redis.call('HGET', KEYS[1], ARGV[1])
local epoch = tonumber(ARGV[2])
if set and tonumber(set) > epoch then
  return set
end
for _, span in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local last, to = string.match(span, '^(%d+) (%d+)$')
  if tonumber(last) < epoch and epoch <= tonumber(to) then
    return span
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return false
