//! Identifiers: random ones, stable ones, and which texts may be one.

use sha2::{Digest, Sha256};

/// Longest uid, as Grafana has it.
const MAX_UID_CHARS: usize = 40;

/// 256 random bits as hex: for session tokens.
pub(crate) fn random_token() -> String {
    hex(&rand::random::<[u8; 32]>())
}

/// A new uid: 14 characters of letters and digits, beginning with a letter.
pub(crate) fn random_uid() -> String {
    uid_of_bytes(&rand::random::<[u8; 16]>())
}

/// A uid that is the same for the same text, on every machine.
pub(crate) fn stable_uid(text: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    uid_of_bytes(&digest)
}

fn uid_of_bytes(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    const LETTERS_AND_DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    bytes
        .iter()
        .take(14)
        .enumerate()
        .map(|(at, byte)| {
            let byte = usize::from(*byte);
            char::from(if at == 0 { LETTERS[byte % 26] } else { LETTERS_AND_DIGITS[byte % 36] })
        })
        .collect()
}

/// Why a text cannot be a uid, in Grafana's words.
pub(crate) fn check_uid(uid: &str) -> Result<(), &'static str> {
    let holds = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !uid.chars().all(holds) {
        return Err("uid contains illegal characters");
    }
    if uid.len() > MAX_UID_CHARS {
        return Err("uid too long, max 40 characters");
    }
    Ok(())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]].map(char::from))
        .collect()
}
