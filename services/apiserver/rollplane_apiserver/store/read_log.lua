#!lua flags=no-writes,allow-oom
-- Reads entries of the log, as many as make a batch: bounded by their number, and by the bytes of their values, which no
-- COUNT of a plain read can do. The first entry is read whatever its size.
--
-- KEYS  1 log
-- ARGV  1 the revision behind which to begin, 2 most entries, 3 most bytes
-- Reply the entries, as XRANGE gives them
local most, room = tonumber(ARGV[2]), tonumber(ARGV[3])
local entries, from, step = {}, '(' .. ARGV[1] .. '-0', 8

local function size(fields)
  local sum = 0
  for at = 2, #fields, 2 do
    sum = sum + #fields[at]
  end
  return sum
end

while #entries < most do
  local chunk = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', math.min(step, most - #entries))
  for _, entry in ipairs(chunk) do
    room = room - size(entry[2])
    if room < 0 and #entries > 0 then
      return entries
    end
    entries[#entries + 1] = entry
  end
  if #chunk < step then break end
  from, step = '(' .. entries[#entries][1], math.min(step * 2, 128)
end
return entries
