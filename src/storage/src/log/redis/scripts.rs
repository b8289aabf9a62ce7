//! What runs inside Redis. Each script is one atomic step, safe to be asked for twice.
//!
//! Keys, all in one hash slot: `meta` (hash: gen, born, founded, head, link, at, base, blink, beat, ttl), `log`
//! (stream: entry `{seq}-0` has a time, n node, i id, l link, b body), `ids` (hash: id to seq), `snap` (hash: seq,
//! link, at, bytes), `beats` (sorted set: node by the ms its heartbeat runs out),
//! `said` (hash: node to the ms at which it said something of itself, a space, and that). Channel `wake`: the head.
//!
//! A script that fails must have written nothing: what may be refused (no memory, a damaged stream) comes first.

use redis::Script;

/// What every script begins with. Numbers are doubles: exact to 2^53, written without exponent by `s`.
const PRELUDE: &str = r"
local META, LOG, IDS, SNAP, BEATS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local SAID = KEYS[6]
local ZERO = '0000000000000000'
local call = redis.call
local function s(n) return string.format('%.0f', n) end
local t = call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local m = call('HMGET', META, 'gen', 'head', 'link', 'at', 'base', 'blink', 'founded', 'born')
local head, link = tonumber(m[2] or '0'), m[3] or ZERO
local base, blink = tonumber(m[5] or '0'), m[6] or ZERO
local function begin(gen)
  if not m[1] then call('HSET', META, 'gen', gen, 'born', s(now)); m[1] = gen; m[8] = s(now) end
end
local function field(e, name)
  for i = 1, #e[2], 2 do if e[2][i] == name then return e[2][i + 1] end end
end
local function link_at(seq)
  if seq == head then return link end
  if seq == base then return blink end
  if seq < base or seq > head then return false end
  local e = call('XRANGE', LOG, s(seq) .. '-0', s(seq) .. '-0')[1]
  if not e then return redis.error_reply('CORRUPT record ' .. s(seq) .. ' is missing') end
  return field(e, 'l')
end
local function diverged(seq, l)
  if seq < base then return false end
  local ours = link_at(seq)
  if type(ours) == 'table' then error(ours.err) end
  return ours ~= l
end
local function rows(after, limit)
  local out = {}
  for i, e in ipairs(call('XRANGE', LOG, s(after + 1) .. '-0', '+', 'COUNT', limit)) do
    out[i] = {tonumber(string.match(e[1], '^%d+')), tonumber(field(e, 'a')), field(e, 'n'), field(e, 'i'),
      field(e, 'l'), field(e, 'b')}
  end
  return out
end
local function whole()
  if call('XLEN', LOG) ~= head - base or call('HLEN', IDS) ~= head - base then
    error('CORRUPT: records or their ids are missing')
  end
end
local function put(seq, at, node, id, l, body)
  call('XADD', LOG, s(seq) .. '-0', 'a', at, 'n', node, 'i', id, 'l', l, 'b', body)
end
";

/// ARGV: gen, channel, after, link, node, then id and body of each entry.
const APPEND: &str = r"
whole()
local after = tonumber(ARGV[3])
if diverged(after, ARGV[4]) then return {'diverged', head} end
local n, ids = (#ARGV - 5) / 2, {}
if n == 0 then return {'ok', 0, {}, {}} end
for i = 1, n do ids[i] = ARGV[4 + 2 * i] end
local known = call('HMGET', IDS, unpack(ids))
local seqs, links, fresh, seen = {}, {}, {}, {}
local at, last, l = math.max(now, tonumber(m[4] or '0')), head, link
for i = 1, n do
  local seq = tonumber(known[i] or seen[ids[i]])
  if not seq then
    local body = ARGV[5 + 2 * i]
    last = last + 1
    seq = last
    l = string.sub(redis.sha1hex(l .. '|' .. s(at) .. '|' .. #ARGV[5] .. ARGV[5] .. #ids[i] .. ids[i] .. body), 1, 16)
    seen[ids[i]] = seq
    fresh[#fresh + 1] = {seq, ids[i], l, body}
    links[#links + 1] = l
  end
  seqs[i] = seq
end
if #fresh > 0 then
  if after ~= head then return {'conflict', head} end
  if head == 0 and not m[7] then return {'diverged', head} end
  for _, r in ipairs(fresh) do put(r[1], s(at), ARGV[5], r[2], r[3], r[4]) end
  begin(ARGV[1])
  for _, r in ipairs(fresh) do call('HSET', IDS, r[2], s(r[1])) end
  call('HSET', META, 'head', s(last), 'link', l, 'at', s(at))
  call('PUBLISH', ARGV[2], s(last))
end
return {'ok', at, seqs, links}
";

/// ARGV: after, link, limit.
const READ: &str = r"
whole()
local after = tonumber(ARGV[1])
if diverged(after, ARGV[2]) then return {'diverged', head} end
if after < base then return {'compacted', base} end
return {'ok', head, rows(after, ARGV[3])}
";

/// Whatever there is, as in a log whose ends are not known. ARGV: after, limit.
const SCAN: &str = "return rows(tonumber(ARGV[1]), ARGV[2])";

/// ARGV: gen, channel, after, link, then seq, ms, node, id, link and body of each record.
const RESTORE: &str = r"
local after = tonumber(ARGV[3])
if diverged(after, ARGV[4]) then return {'diverged', head} end
if after ~= head then return {'conflict', head} end
local at, last, l = tonumber(m[4] or '0'), head, link
for i = 5, #ARGV, 6 do
  last, l = tonumber(ARGV[i]), ARGV[i + 4]
  at = math.max(at, tonumber(ARGV[i + 1]))
  put(last, ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], l, ARGV[i + 5])
end
begin(ARGV[1])
for i = 5, #ARGV, 6 do call('HSET', IDS, ARGV[i + 3], ARGV[i]) end
call('HSET', META, 'head', s(last), 'link', l, 'at', s(at), 'founded', '1')
call('PUBLISH', ARGV[2], s(last))
return {'ok'}
";

/// Throws away a log that is damaged, or older than what this node can fill up, and begins it anew from a snapshot.
/// ARGV: gen, the head and link it must still have, the new base and its link, ms, then, when there is a snapshot,
/// its seq, link, ms and bytes.
const REPLACE: &str = r"
if s(head) ~= ARGV[2] or link ~= ARGV[3] then return {'conflict', head} end
call('DEL', LOG, IDS, SNAP)
if #ARGV > 6 then call('HSET', SNAP, 'seq', ARGV[7], 'link', ARGV[8], 'at', ARGV[9], 'bytes', ARGV[10]) end
begin(ARGV[1])
call('HSET', META, 'head', ARGV[4], 'link', ARGV[5], 'base', ARGV[4], 'blink', ARGV[5],
  'at', s(math.max(tonumber(ARGV[6]), tonumber(m[4] or '0'))), 'founded', '1')
return {'ok'}
";

/// ARGV: grace in ms, gen. Answers with the ms still to wait, 0 when the log may begin.
const FOUND: &str = r"
begin(ARGV[2])
if m[7] or head > 0 then return 0 end
local left = tonumber(m[8] or s(now)) + tonumber(ARGV[1]) - now
if left > 0 then return left end
call('HSET', META, 'founded', '1')
return 0
";

/// ARGV: seq, link, ms, bytes.
const SAVE: &str = r"
local seq = tonumber(ARGV[1])
if diverged(seq, ARGV[2]) then return {'diverged', head} end
if seq < base or seq <= tonumber(call('HGET', SNAP, 'seq') or '-1') then return {'ok'} end
call('HSET', SNAP, 'seq', ARGV[1], 'link', ARGV[2], 'at', ARGV[3], 'bytes', ARGV[4])
return {'ok'}
";

/// Drops up to 500 records that are more than a tail behind the snapshot. ARGV: tail. Answers whether there are more.
/// Works when memory is full, because it frees some first.
const TRIM: &str = r"
local upto = tonumber(call('HGET', SNAP, 'seq') or '0') - tonumber(ARGV[1])
if upto <= base then return 0 end
local old = call('XRANGE', LOG, '-', s(upto) .. '-0', 'COUNT', 500)
if #old == 0 then return 0 end
local e = old[#old]
local seq, l, ids = string.match(e[1], '^%d+'), field(e, 'l'), {}
for i, o in ipairs(old) do ids[i] = field(o, 'i') end
call('XTRIM', LOG, 'MINID', s(tonumber(seq) + 1) .. '-0')
call('HDEL', IDS, unpack(ids))
call('HSET', META, 'base', seq, 'blink', l)
return tonumber(seq) < upto and 1 or 0
";

const LOAD: &str = r"
local r = call('HMGET', SNAP, 'seq', 'link', 'at', 'bytes')
if not r[1] then return {} end
return {tonumber(r[1]), r[2], tonumber(r[3]), r[4]}
";

/// ARGV: gen, given to a log that has none.
const LIFE: &str = "begin(ARGV[1]) return m[1]";

/// Head, link, base, link, whether it was begun, whether it is whole.
const INFO: &str = r"
local n, ids = redis.pcall('XLEN', LOG), redis.pcall('HLEN', IDS)
return {head, link, base, blink, m[7] and 1 or 0, n == head - base and ids == n and 1 or 0}
";

/// ARGV: a seq. Its link, or an empty string when no such record is kept.
const LINK: &str = r"
local l = link_at(tonumber(ARGV[1]))
if type(l) == 'table' then return l end
return l or ''
";

/// ARGV: ids. Those that are in the log.
const KNOWN: &str = r"
local out = {}
for i, seq in ipairs(call('HMGET', IDS, unpack(ARGV))) do
  if seq then out[#out + 1] = ARGV[i] end
end
return out
";

/// ARGV: node, ttl in ms.
const BEAT: &str = r"
local p = call('HMGET', META, 'beat', 'ttl')
local until_ms = now + tonumber(ARGV[2])
call('ZADD', BEATS, s(until_ms), ARGV[1])
if now - tonumber(p[1] or '0') > tonumber(p[2] or '0') / 2 then
  for _, node in ipairs(call('ZRANGEBYSCORE', BEATS, '-inf', '(' .. s(until_ms))) do
    call('ZADD', BEATS, s(until_ms), node)
  end
end
call('HSET', META, 'beat', s(now), 'ttl', ARGV[2])
return 1
";

/// ARGV: ttl in ms, nodes.
const EXPECT: &str = r"
for i = 2, #ARGV do call('ZADD', BEATS, 'NX', s(now + tonumber(ARGV[1])), ARGV[i]) end
return 1
";

const LOST: &str = r"
local p = call('HMGET', META, 'beat', 'ttl')
if now - tonumber(p[1] or '0') > tonumber(p[2] or '0') / 2 then return {} end
local r, out = call('ZRANGEBYSCORE', BEATS, '-inf', '(' .. s(now), 'WITHSCORES'), {}
for i = 1, #r, 2 do out[#out + 1] = {r[i], tonumber(r[i + 1])} end
return out
";

/// ARGV: node, ms.
const FORGET: &str = r"
if tonumber(call('ZSCORE', BEATS, ARGV[1]) or '-1') == tonumber(ARGV[2]) then call('ZREM', BEATS, ARGV[1]) end
return 1
";

/// Keeps what a node says of itself, and drops what was said more than a week ago. ARGV: node, text.
const SAY: &str = r"
local all = call('HGETALL', SAID)
call('HSET', SAID, ARGV[1], s(now) .. ' ' .. ARGV[2])
for i = 1, #all, 2 do
  local at = tonumber(string.match(all[i + 1], '^%d+'))
  if all[i] ~= ARGV[1] and now - at > 604800000 then call('HDEL', SAID, all[i]) end
end
return 1
";

const WAS_SAID: &str = r"
local all, out = call('HGETALL', SAID), {}
for i = 1, #all, 2 do
  local at, text = string.match(all[i + 1], '^(%d+) (.*)$')
  out[#out + 1] = {all[i], math.max(0, now - tonumber(at)), text}
end
return out
";

pub(crate) struct Scripts {
    pub(crate) append: Script,
    pub(crate) read: Script,
    pub(crate) scan: Script,
    pub(crate) restore: Script,
    pub(crate) replace: Script,
    pub(crate) found: Script,
    pub(crate) save: Script,
    pub(crate) trim: Script,
    pub(crate) load: Script,
    pub(crate) life: Script,
    pub(crate) info: Script,
    pub(crate) link: Script,
    pub(crate) known: Script,
    pub(crate) beat: Script,
    pub(crate) expect: Script,
    pub(crate) lost: Script,
    pub(crate) forget: Script,
    pub(crate) say: Script,
    pub(crate) said: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        let script = |body: &str| Script::new(&format!("{PRELUDE}{body}"));
        Self {
            append: script(APPEND),
            read: script(READ),
            scan: script(SCAN),
            restore: script(RESTORE),
            replace: script(REPLACE),
            found: script(FOUND),
            save: script(SAVE),
            trim: script(TRIM),
            load: script(LOAD),
            life: script(LIFE),
            info: script(INFO),
            link: script(LINK),
            known: script(KNOWN),
            beat: script(BEAT),
            expect: script(EXPECT),
            lost: script(LOST),
            forget: script(FORGET),
            say: script(SAY),
            said: script(WAS_SAID),
        }
    }
}
