//! Functions of Promtail's `template` stage: all of sprig's, and a few of its own.

use sha2::Digest as _;

use super::clock::Clock;
use super::set::Functions;
use super::text::STR2;
use super::{loki, sha3, sprig};

/// Go's functions, sprig's and Promtail's.
pub fn functions(clock: &Clock) -> Functions {
    let mut functions = sprig::functions(clock);
    loki::add_strings(&mut functions);
    functions.add("Hash", STR2, |call| {
        let digest = sha3::sha3_256(format!("{}{}", call.str(0), call.str(1)).as_bytes());
        Ok(sprig::hex(&digest).into())
    });
    functions.add("Sha2Hash", STR2, |call| {
        let digest = sha2::Sha256::digest(format!("{}{}", call.str(0), call.str(1)));
        Ok(sprig::hex(&digest).into())
    });
    functions
}
