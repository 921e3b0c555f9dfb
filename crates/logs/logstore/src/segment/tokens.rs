//! Token filters: what cannot occur in a row group.
//!
//! A *token* is a longest run of ASCII letters, digits, `_` and bytes from 0x80 on. A filter holds a hash of each token shorter than
//! [`LONG`] bytes. Of a longer one (an id, a hash, a blob) it holds *minimizers*: every eight bytes of it are hashed, and of each
//! [`WINDOW`] neighbours the least hash is kept. Which are kept depends on the bytes of the window alone, so that also a part of a long
//! token can be asked for, if it has [`LONG`] bytes.
//!
//! From a text that lines must contain, hashes follow that must be in the filter: of the short tokens that have something else on both
//! sides within the text (at its ends a token may go on in the line), and the minimizers of the long ones. If one is missing, the row
//! group cannot contain the text. False positives are possible (about 1 in 100 a hash), false negatives are not.
//!
//! The filter is a split block Bloom filter as in Parquet's specification: blocks of 256 bits; the upper half of the hash chooses the
//! block, the lower half one bit in each of its eight words. It is built at its largest size and then *folded*: so many neighbouring
//! blocks become one that about [`BITS_PER_HASH`] bits remain for each hash. On disk it is the number of blocks folded into one (4
//! bytes), and the words; all little-endian.

use go_regex::Literals;
use streams::LineFilter;

/// Tokens of so many bytes are cut into minimizers.
const LONG: usize = 16;
/// Bytes of a piece of a long token.
const GRAM: usize = 8;
/// Neighbouring pieces of which one is kept: as many as a run of [`LONG`] bytes has.
const WINDOW: usize = LONG - GRAM + 1;
/// Bits of the filter for each hash in it.
const BITS_PER_HASH: usize = 10;
/// Blocks of a filter before it is folded: 2 MiB.
const BLOCKS: usize = 64 << 10;
/// More hashes than this and the row group gets no filter: it would let nearly everything pass.
const MAX_HASHES: usize = 2 << 20;
/// Slots of the table that remembers hashes seen just now; a power of two.
const RECENT: usize = 4096;

const BLOCK_WORDS: usize = 8;
const BLOCK_BYTES: usize = BLOCK_WORDS * 4;
/// Bytes of a filter on disk at most.
pub(super) const MAX_FILTER_BYTES: u32 = (4 + BLOCKS * BLOCK_BYTES) as u32;
/// Parquet's salts.
const SALTS: [u32; BLOCK_WORDS] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// Collects the hashes of a row group.
pub(crate) struct TokenSet {
    words: Vec<u32>,
    /// Hashes that were not there yet when they were added (as far as the filter can tell).
    hashes: usize,
    /// Most tokens repeat soon: these need no look into the large table.
    recent: Vec<u64>,
}

/// Says what a row group cannot contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFilter {
    /// How many blocks of the largest size became one.
    fold: usize,
    words: Vec<u32>,
}

/// What a query's conditions require: of each group one alternative, of an alternative all hashes.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    groups: Vec<Vec<Vec<u64>>>,
}

// === impl TokenSet ===

impl TokenSet {
    pub(crate) fn new() -> Self {
        Self { words: vec![0; BLOCKS * BLOCK_WORDS], hashes: 0, recent: nothing_recent() }
    }

    /// Adds a line's tokens.
    pub(crate) fn add_line(&mut self, line: &[u8]) {
        let mut start = None;
        for (at, byte) in line.iter().enumerate() {
            match (TOKEN_BYTES[usize::from(*byte)], start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    self.add_token(&line[from..at]);
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(from) = start {
            self.add_token(&line[from..]);
        }
    }

    /// The filter of what was added, and a set that is empty again. `None` where there was too much.
    pub(crate) fn take_filter(&mut self) -> Option<TokenFilter> {
        let filter = (self.hashes <= MAX_HASHES).then(|| TokenFilter::folded(&self.words, self.hashes));
        self.words.fill(0);
        self.recent = nothing_recent();
        self.hashes = 0;
        filter
    }

    fn add_token(&mut self, token: &[u8]) {
        if token.len() < LONG {
            self.add_hash(hash_short(token));
        } else {
            for_each_minimizer(token, |hash| self.add_hash(hash));
        }
    }

    fn add_hash(&mut self, hash: u64) {
        let slot = &mut self.recent[hash as usize & (RECENT - 1)];
        if *slot == hash {
            return;
        }
        *slot = hash;
        let block = block(hash) * BLOCK_WORDS;
        let mut is_new = false;
        for (word, bit) in self.words[block..block + BLOCK_WORDS].iter_mut().zip(bits(hash)) {
            is_new |= *word & bit == 0;
            *word |= bit;
        }
        self.hashes += usize::from(is_new);
    }
}

/// Slots that no hash is equal to: a hash is looked for in the slot of its lowest bits.
fn nothing_recent() -> Vec<u64> {
    let mut recent = vec![0; RECENT];
    recent[0] = 1;
    recent
}

// === impl TokenFilter ===

impl TokenFilter {
    /// A filter of the size that so many hashes need.
    fn folded(words: &[u32], hashes: usize) -> Self {
        let wanted = (hashes * BITS_PER_HASH).div_ceil(BLOCK_BYTES * 8).clamp(1, BLOCKS);
        let fold = BLOCKS / wanted;
        let mut folded = vec![0; BLOCKS.div_ceil(fold) * BLOCK_WORDS];
        for (block, from) in words.chunks_exact(BLOCK_WORDS).enumerate() {
            let to = block / fold * BLOCK_WORDS;
            for (word, bits) in folded[to..to + BLOCK_WORDS].iter_mut().zip(from) {
                *word |= bits;
            }
        }
        Self { fold, words: folded }
    }

    /// A filter as it lies on disk. `None` where that makes no sense.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |chunk: &[u8]| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        let (fold, words) = bytes.split_at_checked(4)?;
        let fold = word(fold) as usize;
        let is_whole = (1..=BLOCKS).contains(&fold) && words.len() == BLOCKS.div_ceil(fold) * BLOCK_BYTES;
        is_whole.then(|| Self { fold, words: words.chunks_exact(4).map(word).collect() })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let words = [self.fold as u32].into_iter().chain(self.words.iter().copied());
        words.flat_map(u32::to_le_bytes).collect()
    }

    fn may_contain(&self, hash: u64) -> bool {
        let block = block(hash) / self.fold * BLOCK_WORDS;
        let words = &self.words[block..block + BLOCK_WORDS];
        words.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0)
    }
}

/// The block of a hash, before folding.
fn block(hash: u64) -> usize {
    ((hash >> 32) as usize * BLOCKS) >> 32
}

fn bits(hash: u64) -> impl Iterator<Item = u32> {
    SALTS.iter().map(move |salt| 1 << ((hash as u32).wrapping_mul(*salt) >> 27))
}

// === impl Needles ===

impl Needles {
    pub(crate) fn new(filters: &[LineFilter]) -> Self {
        let mut groups = Vec::new();
        for filter in filters {
            let alternatives = match filter {
                LineFilter::Contains(texts) => {
                    texts.iter().map(|text| required_hashes(text.as_bytes())).collect()
                }
                LineFilter::Matches(regex) => match regex.literals() {
                    Literals::Literal(text)
                    | Literals::Prefix(text)
                    | Literals::Suffix(text)
                    | Literals::Contains(text) => {
                        vec![required_hashes(text.as_bytes())]
                    }
                    Literals::Set(texts) => {
                        texts.iter().map(|text| required_hashes(text.as_bytes())).collect()
                    }
                    Literals::None => continue,
                },
                LineFilter::ContainsNot(_) | LineFilter::MatchesNot(_) => continue,
            };
            // An alternative that requires nothing is always possible, and so is its group.
            if alternatives.iter().all(|hashes: &Vec<u64>| !hashes.is_empty()) {
                groups.push(alternatives);
            }
        }
        Self { groups }
    }

    /// Whether nothing can be excluded.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the row group of this filter may contain what is sought.
    pub(crate) fn may_match(&self, filter: &TokenFilter) -> bool {
        let possible = |hashes: &Vec<u64>| hashes.iter().all(|hash| filter.may_contain(*hash));
        self.groups.iter().all(|group| group.iter().any(possible))
    }
}

/// Hashes that are in the filter of every row group with a line that contains the text.
fn required_hashes(text: &[u8]) -> Vec<u64> {
    let mut hashes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let size = rest.iter().position(|byte| !TOKEN_BYTES[usize::from(*byte)]).unwrap_or(rest.len());
        let token = &rest[..size];
        let bounded = at > 0 && at + size < text.len();
        if size >= LONG {
            for_each_minimizer(token, |hash| hashes.push(hash));
        } else if size > 0 && bounded {
            hashes.push(hash_short(token));
        }
        at += size + 1;
    }
    hashes
}

/// Which bytes are parts of tokens.
static TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte >= 0x80 || byte == b'_' as usize || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Calls `found` with the minimizers of a token of [`LONG`] or more bytes; neighbouring windows often share one.
fn for_each_minimizer(token: &[u8], mut found: impl FnMut(u64)) {
    let mut window = [u64::MAX; WINDOW];
    let (mut least, mut least_at) = (u64::MAX, 0);
    let mut last = None;
    for (at, gram) in token.windows(GRAM).enumerate() {
        let hash = hash_gram(gram);
        window[at % WINDOW] = hash;
        if hash <= least {
            (least, least_at) = (hash, at);
        } else if least_at + WINDOW <= at {
            // The least one has left the window: look for the next.
            least = u64::MAX;
            for other in at + 1 - WINDOW..=at {
                if window[other % WINDOW] <= least {
                    (least, least_at) = (window[other % WINDOW], other);
                }
            }
        }
        if at + 1 >= WINDOW && last != Some(least) {
            found(least);
            last = Some(least);
        }
    }
}

// The hashes are part of the sidecar's format: changing them means another version of it.

const K1: u64 = 0x9e37_79b9_7f4a_7c15;
const K2: u64 = 0xd6e8_feb8_6659_fd93;
const K3: u64 = 0xa076_1d64_78bd_642f;

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Hash of a token of fewer than 16 bytes: its first and last bytes, which overlap where it has fewer than those.
fn hash_short(token: &[u8]) -> u64 {
    let size = token.len();
    let (head, tail) = match size {
        8.. => (read_u64(&token[..8]), read_u64(&token[size - 8..])),
        4.. => (read_u32(&token[..4]), read_u32(&token[size - 4..])),
        1.. => (u64::from(token[0]) | u64::from(token[size / 2]) << 8, u64::from(token[size - 1])),
        0 => (0, 0),
    };
    fold(fold(head ^ K1, tail ^ K2 ^ size as u64) ^ K3, K1)
}

/// Hash of eight bytes of a long token.
fn hash_gram(gram: &[u8]) -> u64 {
    fold(fold(read_u64(gram) ^ K2, K3) ^ K1, K2)
}

fn read_u64(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

fn read_u32(bytes: &[u8]) -> u64 {
    let mut word = [0; 4];
    word.copy_from_slice(bytes);
    u64::from(u32::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(lines: &[&str]) -> TokenFilter {
        let mut set = TokenSet::new();
        lines.iter().for_each(|line| set.add_line(line.as_bytes()));
        set.take_filter().expect("few tokens")
    }

    fn may_match(lines: &[&str], texts: &[&str]) -> bool {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Needles::new(&[LineFilter::Contains(texts)]).may_match(&filter(lines))
    }

    #[test]
    fn absent_words_and_ids_are_excluded() {
        let lines = ["GET /api/v1/users 200", "trace=4bf92f3577b34da6a3ce929d0e0e4736 done"];
        assert!(may_match(&lines, &["/v1/"]));
        assert!(!may_match(&lines, &["/v2/"]));
        assert!(may_match(&lines, &["4bf92f3577b34da6a3ce929d0e0e4736"]));
        assert!(!may_match(&lines, &["00f067aa0ba902b700f067aa0ba902b7"]));
        assert!(may_match(&lines, &["/v2/", "/v1/"]), "one alternative is enough");
        assert!(may_match(&lines, &["xyz"]), "a word at the text's end may go on in the line");
    }

    #[test]
    fn regular_expressions_with_a_literal_are_used() {
        let regex = go_regex::Regex::new("=4bf92f3577b34da6a3ce929d0e0e4736").expect("a valid pattern");
        let needles = Needles::new(&[LineFilter::Matches(regex)]);
        assert!(!needles.is_empty());
        assert!(!needles.may_match(&filter(&["nothing of the kind"])));
    }

    #[test]
    fn a_filter_reads_back() {
        let filter = filter(&["a b c"]);
        assert_eq!(TokenFilter::from_bytes(&filter.to_bytes()), Some(filter));
        assert_eq!(TokenFilter::from_bytes(&[]), None);
        assert_eq!(TokenFilter::from_bytes(&[0; 36]), None);
        assert_eq!(TokenFilter::from_bytes(&[1; 36]), None);
    }

    #[test]
    fn folding_keeps_filters_small_and_sharp() {
        for count in [1usize, 100, 10_000, 300_000] {
            let mut set = TokenSet::new();
            (0..count).for_each(|number| set.add_line(format!("token{number}").as_bytes()));
            let filter = set.take_filter().expect("not too many");
            let bits = filter.words.len() * 32;
            assert!(bits <= count * BITS_PER_HASH * 3 / 2 + 512, "{bits} bits for {count}");
            let hash = |number: usize| hash_short(format!("token{number}").as_bytes());
            assert!((0..count).all(|number| filter.may_contain(hash(number))));
            let wrong = (count..count + 10_000).filter(|number| filter.may_contain(hash(*number))).count();
            assert!(wrong < 300, "{wrong} of 10,000 for {count}");
        }
    }

    #[test]
    fn too_many_tokens_make_no_filter() {
        let mut set = TokenSet::new();
        for number in 0..MAX_HASHES * 2 {
            set.add_line(format!("{number:x}").as_bytes());
        }
        assert_eq!(set.take_filter(), None);
        set.add_line(b"a");
        assert!(set.take_filter().is_some(), "it starts anew");
    }

    proptest! {
        #[test]
        fn a_text_from_a_line_is_never_excluded(
            lines in prop::collection::vec("[a-d0-9_ /=.é\"-]{0,80}", 1..20), pick in any::<prop::sample::Index>(),
            from in any::<prop::sample::Index>(), size in 1usize..60,
        ) {
            let line: Vec<char> = lines[pick.index(lines.len())].chars().collect();
            prop_assume!(!line.is_empty());
            let from = from.index(line.len());
            let text: String = line[from..(from + size).min(line.len())].iter().collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert!(may_match(&lines, &[&text]), "{text:?}");
        }
    }
}
