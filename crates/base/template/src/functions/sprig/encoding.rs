//! Base64, base32 and check sums.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest as _;

use crate::functions::set::Functions;
use crate::functions::text::{Answer, STR};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn add_to(functions: &mut Functions) {
    let mut add = |name: &'static str, change: fn(&str) -> String| {
        functions.add(name, STR, move |call| -> Answer {
            let text = change(call.str(0));
            call.check_size(text.len())?;
            Ok(text.into())
        });
    };
    add("b64enc", |text| STANDARD.encode(text));
    add("b64dec", |text| match STANDARD.decode(text) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        // As in sprig, the message takes the place of the text.
        Err(_) => "illegal base64 data".to_owned(),
    });
    add("b32enc", |text| base32_encode(text.as_bytes()));
    add("b32dec", |text| match base32_decode(text) {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => "illegal base32 data".to_owned(),
    });
    add("sha1sum", |text| hex(&sha1::Sha1::digest(text)));
    add("sha256sum", |text| hex(&sha2::Sha256::digest(text)));
    add("sha512sum", |text| hex(&sha2::Sha512::digest(text)));
    add("adler32sum", |text| adler32(text.as_bytes()).to_string());
}

/// Two digits a byte.
pub(in crate::functions) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    high << 16 | low
}

fn base32_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, at| bits << 8 | chunk.get(at).copied().map_or(0, u64::from));
        let used = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = (bits >> (35 - 5 * at) & 31) as usize;
            out.push(if at < used { char::from(BASE32[digit]) } else { '=' });
        }
    }
    out
}

fn base32_decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(8) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if !matches!(padding, 0 | 1 | 3 | 4 | 6) {
        return None;
    }
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in digits.bytes() {
        let value = BASE32.iter().position(|known| *known == digit)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}
