//! Verified tokens, remembered by their SHA-256: a service sees the same token for an hour, and the second time costs a
//! hash instead of an RSA operation.
//!
//! Only successes are remembered, and only what neither time nor a key rotation changes: that this key signed these
//! bytes, and that their claims met this verifier's own fixed policy. On every hit the times are compared anew,
//! and the key must still be in the key set.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use crate::crypto::SHA256_LENGTH;
use crate::jose::claims::Times;
use crate::jose::jwk::Jwk;
use crate::jose::jwks::KeySet;
use crate::jose::jws::Header;
use crate::step::Millis;
use crate::sync::{Mutex, MutexGuard, Snapshot};

/// The bytes that remembered tokens may take, unless an option says otherwise.
pub const DEFAULT_REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;
/// Most independent parts, each replaced as a whole when a token is added to it: the more there are, the less is copied.
/// loom looks at each lock that there is.
const MAX_SHARDS: usize = if cfg!(loom) { 4 } else { 2048 };
/// The bytes of one part, as far as the whole bound allows that many parts.
const SHARD_BYTES: usize = 128 * 1024;
/// Most tokens of one part: all of them are copied when one is added.
const SHARD_ENTRIES: usize = 256;
/// What the core itself spends on a token, and on each byte of its payload.
const OWN_COST: HostCost = HostCost { token: 512, member: 0, byte: 1 };
/// The low bits of an entry's number.
const PLACE_BITS: u32 = 17;

/// There is a place for each token that can be remembered: 131,072, a power of two.
pub const PLACES: u64 = 1 << PLACE_BITS;

pub(crate) type Digest = [u8; SHA256_LENGTH];

/// The bytes that a host spends on the claims of one remembered token, estimated from above.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostCost {
    /// For each token.
    pub token: u64,
    /// For each member of an object and each element of an array, nested ones included.
    pub member: u64,
    /// For each byte of the payload.
    pub byte: u64,
}

impl HostCost {
    fn of(self, payload: &[u8]) -> u64 {
        // Not counted where each would add nothing: that takes longer than all else that is done to remember a token.
        let of_members = if self.member == 0 { 0 } else { self.member.saturating_mul(members(payload)) };
        let of_bytes = self.byte.saturating_mul(payload.len() as u64);
        self.token.saturating_add(of_members).saturating_add(of_bytes)
    }
}

/// How many members and elements a JSON text has, at most: each comes after a brace, a bracket or a comma. Those in strings
/// are counted, too: to leave them out takes several times as long, and names and addresses have none.
fn members(json: &[u8]) -> u64 {
    // In chunks of which a byte holds the count, so that the compiler takes many at once.
    let count =
        |chunk: &[u8]| chunk.iter().map(|byte| u8::from(matches!(byte, b'{' | b'[' | b','))).sum::<u8>();
    json.chunks(u8::MAX.into()).map(|chunk| u64::from(count(chunk))).sum()
}

/// A token that was verified once.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) payload: Arc<[u8]>,
    pub(crate) times: Times,
    /// The moments at which it is accepted with its key.
    pub(crate) accepted: Range<Millis>,
    pub(crate) header: Arc<Header>,
    pub(crate) key: Arc<Jwk>,
    /// The set in which the key was found last.
    pub(crate) keys: Arc<KeySet>,
}

/// A memory of a token and its number: the place that it takes in the low bits, and above them how many were added
/// before. A place is given again only when the memory that had it is gone.
///
/// What a hit looks at is stored inline: with a hundred thousand tokens, each pointer that is followed is a wait for
/// memory that no cache holds.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    accepted: Range<Millis>,
    /// Where the key set of `token` is, which nothing else can be as long as `token` holds it.
    keys: usize,
    /// In bytes, the host's included.
    cost: u64,
    pub(crate) token: Arc<Remembered>,
}

/// A memory that is bounded in bytes. Tokens that have expired make way for new ones, and then the oldest.
pub(crate) struct VerifiedCache {
    /// A power of two.
    shards: Box<[Shard]>,
    places: Mutex<Places>,
    shard_bytes: u64,
    host_cost: HostCost,
}

struct Shard {
    tokens: Snapshot<Tokens>,
    /// Held by whoever replaces the tokens.
    writer: Mutex<()>,
}

#[derive(Clone, Default)]
struct Tokens {
    entries: HashMap<Digest, Entry, BuildHasherDefault<DigestHasher>>,
    bytes: u64,
}

#[derive(Default)]
struct Places {
    /// Places that were given back.
    free: Vec<u64>,
    /// How many are in use or free: the next one that was never given.
    made: u64,
    /// How many entries were added.
    entries: u64,
}

impl VerifiedCache {
    /// A memory of at most so many bytes, the host's included.
    pub(crate) fn new(bytes: u64, host_cost: HostCost) -> Self {
        let parts = usize::try_from(bytes).unwrap_or(usize::MAX) / SHARD_BYTES;
        // Rounded down to a power of two.
        let shards = 1 << parts.clamp(1, MAX_SHARDS).ilog2();
        let none = Arc::new(Tokens::default());
        let shard = || Shard { tokens: Snapshot::shared(Arc::clone(&none)), writer: Mutex::new(()) };
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            places: Mutex::new(Places::default()),
            shard_bytes: bytes / shards as u64,
            host_cost,
        }
    }

    /// What `look` makes of the remembered token, if there is one.
    pub(crate) fn read<R>(&self, digest: &Digest, look: impl FnOnce(&Entry) -> R) -> Option<R> {
        self.shard(digest)?.tokens.read(|tokens| tokens.entries.get(digest).map(look))
    }

    /// Remembers a token, or what is new about one that is remembered, and gives its number; 0 if it is not remembered,
    /// because it alone would cost too much. Those for which `is_over` holds make way.
    pub(crate) fn put(
        &self,
        digest: Digest,
        token: Arc<Remembered>,
        is_over: impl Fn(&Remembered) -> bool,
    ) -> u64 {
        let Some(shard) = self.shard(&digest) else { return 0 };
        let _writer = lock(&shard.writer);
        if let Some(known) = shard.tokens.read(|tokens| tokens.entries.get(&digest).cloned()) {
            let number = known.number;
            let entry = Entry::new(number, known.cost, token);
            shard.tokens.change(|tokens| tokens.entries.insert(digest, entry));
            return number;
        }
        // What a host spends takes longer to tell.
        let own_cost = OWN_COST.of(&token.payload);
        if own_cost > self.shard_bytes {
            return 0;
        }
        let cost = own_cost.saturating_add(self.host_cost.of(&token.payload));
        let Some(limit) = self.shard_bytes.checked_sub(cost) else { return 0 };
        let (number, gone) = shard.tokens.change(|tokens| {
            let mut gone = tokens.make_room(limit, is_over);
            let free = gone.pop().or_else(|| lock(&self.places).free());
            // The memory is full, and this part makes way for its own; one that holds nothing remembers nothing.
            let Some(place) = free.or_else(|| tokens.drop_oldest()) else { return (0, gone) };
            let number = lock(&self.places).number(place);
            tokens.bytes += cost;
            tokens.entries.insert(digest, Entry::new(number, cost, token));
            (number, gone)
        });
        // Now that nobody finds them here any more.
        lock(&self.places).free.extend(gone);
        number
    }

    fn shard(&self, digest: &Digest) -> Option<&Shard> {
        let [first, second, ..] = digest;
        self.shards.get(usize::from(u16::from_be_bytes([*first, *second])) & (self.shards.len() - 1))
    }
}

impl Tokens {
    /// Drops what is over and then the oldest, until no more than `limit` bytes are left; gives their places.
    fn make_room(&mut self, limit: u64, is_over: impl Fn(&Remembered) -> bool) -> Vec<u64> {
        let mut gone = Vec::new();
        self.entries.retain(|_, entry| {
            let is_over = is_over(&entry.token);
            if is_over {
                self.bytes -= entry.cost;
                gone.push(entry.place());
            }
            !is_over
        });
        while self.entries.len() >= SHARD_ENTRIES || self.bytes > limit {
            let Some(place) = self.drop_oldest() else { break };
            gone.push(place);
        }
        gone
    }

    /// Drops the oldest token, if there is one; gives its place.
    fn drop_oldest(&mut self) -> Option<u64> {
        let digest = *self.entries.iter().min_by_key(|(_, entry)| entry.number)?.0;
        let entry = self.entries.remove(&digest)?;
        self.bytes -= entry.cost;
        Some(entry.place())
    }
}

impl Entry {
    fn new(number: u64, cost: u64, token: Arc<Remembered>) -> Self {
        let (accepted, keys) = (token.accepted.clone(), Arc::as_ptr(&token.keys).addr());
        Self { number, accepted, keys, cost, token }
    }

    /// Whether the token is to be accepted at this moment without another look at these keys, because its own was found
    /// in them.
    pub(crate) fn is_good(&self, keys: &Arc<KeySet>, now: Millis) -> bool {
        self.keys == Arc::as_ptr(keys).addr() && self.accepted.contains(&now)
    }

    fn place(&self) -> u64 {
        self.number % PLACES
    }
}

impl Places {
    /// A place that nobody has, as long as there is one.
    fn free(&mut self) -> Option<u64> {
        self.free.pop().or_else(|| {
            let next = self.made;
            self.made = (next + 1).min(PLACES);
            (next < PLACES).then_some(next)
        })
    }

    /// The number of a new entry at this place.
    fn number(&mut self, place: u64) -> u64 {
        self.entries += 1;
        (self.entries << PLACE_BITS) | place
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes eight bytes of a digest as they are: only tokens that were verified are looked for by their own digests, and
/// nobody chooses those.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_ne_bytes(*last);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;
    use crate::crypto::{self, PublicKey, VerifyingKey};
    use crate::jose::alg::Algorithm;
    use crate::jose::claims::Claims;

    fn digest(token: u64) -> Digest {
        crypto::sha256(&token.to_be_bytes())
    }

    fn cache() -> VerifiedCache {
        VerifiedCache::new(64 * DEFAULT_REMEMBERED_BYTES, HostCost::default())
    }

    /// The bytes that all parts say they hold, and how many tokens that are.
    fn held(cache: &VerifiedCache) -> (u64, usize) {
        let held = cache.shards.iter().map(|shard| shard.tokens.read(|t| (t.bytes, t.entries.len())));
        held.fold((0, 0), |(bytes, tokens), (b, t)| (bytes + b, tokens + t))
    }

    /// A token that ends at this second, with a payload of so many bytes.
    fn token(exp: u64, bytes: usize) -> Arc<Remembered> {
        let claims = format!(r#"{{"iat":0,"exp":{exp}}}"#);
        let key = VerifyingKey::new(PublicKey::Ed25519 { point: Vec::new() });
        let times = Claims::parse(claims.as_bytes()).unwrap().times().unwrap();
        Arc::new(Remembered {
            payload: vec![b' '; bytes].into(),
            times,
            accepted: times.accepted(0),
            header: Arc::new(Header { alg: Algorithm::EdDsa, kid: None }),
            key: Arc::new(Jwk { key, alg: None, validity: None }),
            keys: Arc::new(KeySet::parse(r#"{"keys":[]}"#).unwrap()),
        })
    }

    /// Adds a token at this second.
    fn put(cache: &VerifiedCache, number: u64, token: Arc<Remembered>, now: u64) -> u64 {
        cache.put(digest(number), token, |other| other.times.is_over(Millis::from_secs(now), 0))
    }

    #[test]
    fn a_token_keeps_its_number_and_no_other_gets_it() {
        let cache = cache();
        let numbers: Vec<u64> = (0..1000).map(|i| put(&cache, i, token(10, 300), 0)).collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 1000);
        assert!(numbers.iter().all(|number| number % PLACES < 1000), "places in use are few for few tokens");
        let again: Vec<u64> = (0..1000).map(|i| put(&cache, i, token(10, 300), 0)).collect();
        assert_eq!(again, numbers);
    }

    #[test]
    fn what_has_expired_makes_way_and_gives_its_place_back() {
        let cache = cache();
        let mut places = 0;
        let mut numbers = HashSet::new();
        for hour in 0..10 {
            for i in 0..2_000 {
                let number = put(&cache, hour * 2_000 + i, token((hour + 1) * 3600, 300), hour * 3600);
                assert!(numbers.insert(number));
                places = places.max(number % PLACES);
            }
        }
        // 2,000 are live at a time; the others wait for the next token of their part.
        assert!(places < 4_000, "{places}");
        let (bytes, tokens) = held(&cache);
        assert_eq!(bytes, 812 * tokens as u64);
    }

    #[test]
    fn each_part_is_bounded_in_tokens_and_in_bytes_and_the_oldest_make_way() {
        for (length, most) in [(10, SHARD_ENTRIES), (4000, (512 * 1024) / 4512)] {
            let cache = cache();
            assert_eq!((cache.shards.len(), cache.shard_bytes), (2048, 512 * 1024));
            // All of one part.
            let digests: Vec<Digest> = (0..300)
                .map(|i| {
                    let mut digest = digest(i);
                    digest[..2].fill(0);
                    digest
                })
                .collect();
            for digest in &digests {
                let number = cache.put(*digest, token(10, length), |_| false);
                assert!(number % PLACES < most as u64);
            }
            let is_kept = |digest: &&Digest| cache.read(digest, |_| ()).is_some();
            let kept: Vec<&Digest> = digests.iter().filter(is_kept).collect();
            assert_eq!(kept, digests.iter().skip(300 - most).collect::<Vec<_>>());
            assert_eq!(held(&cache), (most as u64 * (512 + length as u64), most));
        }
    }

    #[test]
    fn the_hosts_cost_counts_and_the_whole_stays_within_the_bound() {
        let cost = HostCost { token: 1000, member: 100, byte: 2 };
        for bytes in [0, 4000, 100_000, 1_000_000, DEFAULT_REMEMBERED_BYTES] {
            let cache = VerifiedCache::new(bytes, cost);
            for i in 0..20_000 {
                put(&cache, i, token(10, 300), 0);
            }
            // 512 + 300 of the core's own, 1000 + 2 × 300 of the host's.
            let (held, tokens) = held(&cache);
            assert_eq!(held, tokens as u64 * 2412);
            assert!(held <= bytes, "{held} of {bytes}");
            assert!(held >= bytes / 10 * 7 || bytes < 10_000, "{held} of {bytes} is a waste");
        }
    }

    #[test]
    fn members_are_counted_at_every_depth_and_never_too_few() {
        for (json, count) in [
            (r#"{}"#, 1),
            (r#"{"a":1,"b":2}"#, 2),
            (r#"{"a":{"b":[1,2,3]}}"#, 5),
            (r#"{"a":"b,c"}"#, 2),
            ("not json", 0),
            (&",".repeat(1_000), 1_000),
        ] {
            assert_eq!(members(json.as_bytes()), count, "{json}");
        }
        let payload = br#"{"a":[1,2]}"#;
        assert_eq!(HostCost { token: 7, member: 100, byte: 1 }.of(payload), 7 + 300 + payload.len() as u64);
        assert_eq!(HostCost { token: 1, member: u64::MAX, byte: u64::MAX }.of(payload), u64::MAX);
    }

    #[test]
    fn all_of_the_memory_is_bounded_and_whoever_finds_it_full_makes_way() {
        let cache = cache();
        cache.places.lock().unwrap().made = PLACES - 1;
        let in_part = |part: u8, i: u64| [[0, part].as_slice(), &digest(i)[2..]].concat().try_into().unwrap();
        let (first, second, other): (Digest, Digest, Digest) = (in_part(0, 0), in_part(0, 1), in_part(1, 2));
        let kept = |digest: &Digest| cache.read(digest, |_| ()).is_some();

        assert_eq!(cache.put(first, token(10, 300), |_| false) % PLACES, PLACES - 1, "the last place");
        assert_eq!(cache.put(second, token(10, 300), |_| false) % PLACES, PLACES - 1, "the same place again");
        assert_eq!((kept(&first), kept(&second)), (false, true));
        assert_eq!(cache.put(other, token(10, 300), |_| false), 0, "its part has nothing to drop");
        assert_eq!((kept(&second), kept(&other)), (true, false));
    }

    #[test]
    fn a_token_that_costs_more_than_all_of_a_part_is_not_remembered() {
        let cache = VerifiedCache::new(2 * SHARD_BYTES as u64, HostCost::default());
        assert_ne!(put(&cache, 0, token(10, SHARD_BYTES - 512), 0), 0);
        assert_eq!(put(&cache, 1, token(10, SHARD_BYTES - 511), 0), 0);
        assert!(cache.read(&digest(0), |_| ()).is_some() && cache.read(&digest(1), |_| ()).is_none());
    }

    #[test]
    fn as_many_tokens_are_held_as_fit() {
        let cache = VerifiedCache::new(4 * 812, HostCost::default());
        (0..4).for_each(|i| assert_ne!(put(&cache, i, token(10, 300), 0), 0));
        assert_eq!(held(&cache), (4 * 812, 4));
        assert_ne!(put(&cache, 4, token(10, 300), 0), 0);
        assert_eq!(held(&cache), (4 * 812, 4), "the oldest has made way");
    }
}
