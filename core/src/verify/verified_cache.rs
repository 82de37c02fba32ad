//! Verified tokens, remembered by their SHA-256: a service sees the same token for an hour, and the second time costs a
//! hash instead of an RSA operation.
//!
//! Only successes are remembered, and only what neither time nor a key rotation changes: that this key signed these
//! octets, and that their claims met this verifier's own fixed policy. On every hit the times are compared anew,
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

/// Independent parts, each replaced as a whole when a token is added to it: the more there are, the less is copied. loom
/// looks at each lock that there is.
const SHARDS: usize = if cfg!(loom) { 4 } else { 2048 };
/// Bounds of one part, in tokens and in octets of their payloads. Digests are spread at random, so that some parts have
/// more than their share: twice that is let in, and none overflows before all of the memory is full.
const SHARD_ENTRIES: usize = 128;
const SHARD_OCTETS: usize = 64 * 1024;
/// The low bits of an entry's number.
const PLACE_BITS: u32 = 17;

/// There is a place for each token that can be remembered: 131,072, a power of two.
pub const PLACES: u64 = 1 << PLACE_BITS;

pub(crate) type Digest = [u8; SHA256_LENGTH];

/// A token that was verified once.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) payload: Arc<[u8]>,
    pub(crate) times: Times,
    /// The moments at which it is accepted with its key.
    pub(crate) accepted: Range<Millis>,
    pub(crate) header: Header,
    pub(crate) key: Arc<Jwk>,
    /// The set in which the key was found last.
    pub(crate) keys: Arc<KeySet>,
}

/// A memory of a token and its number: the place that it takes in the low bits, and above them how many were added
/// before. A place is given again only when the memory that had it is gone.
///
/// What a hit looks at stands here itself: with a hundred thousand tokens, each pointer that is followed is a wait for
/// memory that no cache holds.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    accepted: Range<Millis>,
    /// Where the key set of `token` is, which nothing else can be as long as `token` holds it.
    keys: usize,
    pub(crate) token: Arc<Remembered>,
}

/// A bounded memory. Tokens that have expired make way for new ones, and then the oldest.
pub(crate) struct VerifiedCache {
    shards: Box<[Shard]>,
    places: Mutex<Places>,
}

struct Shard {
    tokens: Snapshot<Tokens>,
    /// Held by whoever replaces the tokens.
    writer: Mutex<()>,
}

#[derive(Clone, Default)]
struct Tokens {
    entries: HashMap<Digest, Entry, BuildHasherDefault<DigestHasher>>,
    octets: usize,
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
    pub(crate) fn new() -> Self {
        let none = Arc::new(Tokens::default());
        let shard = || Shard { tokens: Snapshot::shared(Arc::clone(&none)), writer: Mutex::new(()) };
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), places: Mutex::new(Places::default()) }
    }

    /// What `look` makes of the remembered token, if there is one.
    pub(crate) fn read<R>(&self, digest: &Digest, look: impl FnOnce(&Entry) -> R) -> Option<R> {
        self.shard(digest)?.tokens.read(|tokens| tokens.entries.get(digest).map(look))
    }

    /// Remembers a token, or what is new about one that is remembered; tells by which number. Those for which `is_over`
    /// holds make way.
    pub(crate) fn put(
        &self,
        digest: Digest,
        token: Arc<Remembered>,
        is_over: impl Fn(&Remembered) -> bool,
    ) -> u64 {
        let Some(shard) = self.shard(&digest) else { return 0 };
        let _writer = lock(&shard.writer);
        let mut tokens = shard.tokens.read(Tokens::clone);
        if let Some(known) = tokens.entries.get_mut(&digest) {
            let number = known.number;
            *known = Entry::new(number, token);
            shard.tokens.replace(tokens);
            return number;
        }
        let mut gone = tokens.make_room(token.payload.len(), is_over);
        let free = gone.pop().or_else(|| lock(&self.places).free());
        // The memory is full, and this part makes way for its own; one that holds nothing remembers nothing.
        let Some(place) = free.or_else(|| tokens.drop_oldest()) else { return 0 };
        let number = lock(&self.places).number(place);
        tokens.octets += token.payload.len();
        tokens.entries.insert(digest, Entry::new(number, token));
        shard.tokens.replace(tokens);
        // Now that nobody finds them here any more.
        lock(&self.places).free.extend(gone);
        number
    }

    fn shard(&self, digest: &Digest) -> Option<&Shard> {
        let [first, second, ..] = digest;
        self.shards.get(usize::from(u16::from_be_bytes([*first, *second])) % SHARDS)
    }
}

impl Tokens {
    /// Drops what is over and then the oldest, until one more of this size has room; gives their places.
    fn make_room(&mut self, octets: usize, is_over: impl Fn(&Remembered) -> bool) -> Vec<u64> {
        let mut gone = Vec::new();
        self.entries.retain(|_, entry| {
            let is_over = is_over(&entry.token);
            if is_over {
                self.octets -= entry.token.payload.len();
                gone.push(entry.place());
            }
            !is_over
        });
        while self.entries.len() >= SHARD_ENTRIES || self.octets + octets > SHARD_OCTETS {
            let Some(place) = self.drop_oldest() else { break };
            gone.push(place);
        }
        gone
    }

    /// Drops the oldest token, if there is one; gives its place.
    fn drop_oldest(&mut self) -> Option<u64> {
        let digest = *self.entries.iter().min_by_key(|(_, entry)| entry.number)?.0;
        let entry = self.entries.remove(&digest)?;
        self.octets -= entry.token.payload.len();
        Some(entry.place())
    }
}

impl Entry {
    fn new(number: u64, token: Arc<Remembered>) -> Self {
        Self { number, accepted: token.accepted.clone(), keys: Arc::as_ptr(&token.keys).addr(), token }
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

/// Takes eight octets of a digest as they are: only tokens that were verified are looked for by their own digests, and
/// nobody chooses those.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, octets: &[u8]) {
        if let Some(last) = octets.last_chunk() {
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

    /// A token that ends at this second, with a payload of so many octets.
    fn token(exp: u64, octets: usize) -> Arc<Remembered> {
        let claims = format!(r#"{{"iat":0,"exp":{exp}}}"#);
        let key = VerifyingKey::new(PublicKey::Ed25519 { point: Vec::new() });
        let times = Claims::parse(claims.as_bytes()).unwrap().times().unwrap();
        Arc::new(Remembered {
            payload: vec![b' '; octets].into(),
            times,
            accepted: times.accepted(0),
            header: Header { alg: Algorithm::EdDsa, kid: String::new() },
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
        let cache = VerifiedCache::new();
        let numbers: Vec<u64> = (0..1000).map(|i| put(&cache, i, token(10, 300), 0)).collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 1000);
        assert!(numbers.iter().all(|number| number % PLACES < 1000), "places in use are few for few tokens");
        let again: Vec<u64> = (0..1000).map(|i| put(&cache, i, token(10, 300), 0)).collect();
        assert_eq!(again, numbers);
    }

    #[test]
    fn what_has_expired_makes_way_and_gives_its_place_back() {
        let cache = VerifiedCache::new();
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
    }

    #[test]
    fn each_part_is_bounded_in_tokens_and_in_octets_and_the_oldest_make_way() {
        for (octets, most) in [(10, SHARD_ENTRIES), (4000, SHARD_OCTETS / 4000)] {
            let cache = VerifiedCache::new();
            // All of one part.
            let digests: Vec<Digest> = (0..200)
                .map(|i| {
                    let mut digest = digest(i);
                    digest[..2].fill(0);
                    digest
                })
                .collect();
            for digest in &digests {
                let number = cache.put(*digest, token(10, octets), |_| false);
                assert!(number % PLACES < most as u64);
            }
            let is_kept = |digest: &&Digest| cache.read(digest, |_| ()).is_some();
            let kept: Vec<&Digest> = digests.iter().filter(is_kept).collect();
            assert_eq!(kept, digests.iter().skip(200 - most).collect::<Vec<_>>());
        }
    }

    #[test]
    fn all_of_the_memory_is_bounded_and_whoever_finds_it_full_makes_way() {
        let cache = VerifiedCache::new();
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
    fn a_token_that_is_larger_than_all_of_a_part_is_remembered_alone() {
        let cache = VerifiedCache::new();
        put(&cache, 0, token(10, SHARD_OCTETS + 1), 0);
        assert!(cache.read(&digest(0), |_| ()).is_some());
    }
}
