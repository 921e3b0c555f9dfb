//! SHA3-256 (FIPS 202), which Promtail's `Hash` is made of.

const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// The step ρ and π as one walk over the lanes: rotation and target.
const WALK: [(u32, usize); 24] = [
    (1, 10),
    (3, 7),
    (6, 11),
    (10, 17),
    (15, 18),
    (21, 3),
    (28, 5),
    (36, 16),
    (45, 8),
    (55, 21),
    (2, 24),
    (14, 4),
    (27, 15),
    (41, 23),
    (56, 19),
    (8, 13),
    (25, 12),
    (43, 2),
    (62, 20),
    (18, 14),
    (39, 22),
    (61, 9),
    (20, 6),
    (44, 1),
];

/// Bytes taken in at a time.
const RATE: usize = 136;

/// The digest of `data`.
pub(super) fn sha3_256(data: &[u8]) -> [u8; 32] {
    let mut state = [0_u64; 25];
    let mut chunks = data.chunks_exact(RATE);
    for chunk in &mut chunks {
        absorb(&mut state, chunk);
    }
    let rest = chunks.remainder();
    let mut last = [0_u8; RATE];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x06;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (bytes, lane) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    digest
}

fn absorb(state: &mut [u64; 25], block: &[u8]) {
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane ^= bytes.iter().rev().fold(0, |lane, byte| lane << 8 | u64::from(*byte));
    }
    for round in ROUNDS {
        permute(state, round);
    }
}

fn permute(state: &mut [u64; 25], round: u64) {
    let mut parity = [0_u64; 5];
    for (x, column) in parity.iter_mut().enumerate() {
        *column = (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]);
    }
    for x in 0..5 {
        let change = parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1);
        for y in 0..5 {
            state[x + 5 * y] ^= change;
        }
    }
    let mut carried = state[1];
    for (rotation, target) in WALK {
        carried = std::mem::replace(&mut state[target], carried.rotate_left(rotation));
    }
    for y in 0..5 {
        let row: [u64; 5] = std::array::from_fn(|x| state[x + 5 * y]);
        for x in 0..5 {
            state[x + 5 * y] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
    state[0] ^= round;
}
