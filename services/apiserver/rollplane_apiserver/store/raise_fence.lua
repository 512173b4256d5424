#!lua flags=allow-oom
-- Makes an epoch the one its shard accepts, unless a higher one is set, no write had that revision, a jump made it void,
-- or it would be the first of one shard too many.
--
-- KEYS  1 fence, 2 runs, 3 meta
-- ARGV  1 shard, 2 epoch, 3 most shards
-- Reply nothing when done, else the revision, the epoch that is set (0: none), the number of shards and the jumps
--       ("last to")
local set = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
local shards = redis.call('HLEN', KEYS[1])
local revision = tonumber(redis.call('HGET', KEYS[3], 'revision') or 0)
local epoch = tonumber(ARGV[2])
local runs = redis.call('LRANGE', KEYS[2], 0, -1)
local is_void = epoch < set or epoch < 1 or epoch > revision
for _, span in ipairs(runs) do
  local last, to = string.match(span, '^(%d+) (%d+)$')
  is_void = is_void or (tonumber(last) < epoch and epoch <= tonumber(to))
end
if is_void or (set == 0 and shards >= tonumber(ARGV[3])) then
  return {revision, set, shards, runs}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return false
