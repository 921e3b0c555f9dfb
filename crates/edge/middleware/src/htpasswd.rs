//! Password hashes as `htpasswd` writes them: bcrypt (`$2y$…`), MD5 (`$apr1$…`, `$1$…`), SHA-1 (`{SHA}…`).

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Rounds of the MD5 scheme, part of its definition.
const MD5_ROUNDS: usize = 1000;
const MD5_ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether the password is the hash's. Slow by design: bcrypt takes milliseconds to a second.
pub(crate) fn verify(password: &str, hash: &str) -> bool {
    if hash.starts_with("$2") {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    let computed = if let Some(encoded) = hash.strip_prefix("{SHA}") {
        let digest = BASE64_STANDARD.encode(Sha1::digest(password.as_bytes()));
        return digest.as_bytes().ct_eq(encoded.as_bytes()).into();
    } else {
        ["$apr1$", "$1$"].iter().find_map(|magic| {
            let salt = hash.strip_prefix(magic)?.split('$').next()?;
            Some(md5_crypt(password.as_bytes(), salt.as_bytes(), magic))
        })
    };
    computed.is_some_and(|computed| computed.as_bytes().ct_eq(hash.as_bytes()).into())
}

/// Whether [`verify`] knows the hash's scheme.
pub(crate) fn is_known(hash: &str) -> bool {
    ["$2", "{SHA}", "$apr1$", "$1$"].iter().any(|start| hash.starts_with(start))
}

/// The MD5-based crypt of FreeBSD and Apache, whole, `magic` and salt included.
fn md5_crypt(password: &[u8], salt: &[u8], magic: &str) -> String {
    let salt = salt.get(..8).unwrap_or(salt);
    let mut inner = Md5::new();
    inner.update(password);
    inner.update(magic.as_bytes());
    inner.update(salt);
    let mixed = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    for chunk in password.chunks(16) {
        inner.update(mixed.get(..chunk.len()).unwrap_or_default());
    }
    let mut bits = password.len();
    while bits > 0 {
        inner.update(if bits & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    let mut digest: [u8; 16] = inner.finalize().into();
    for round in 0..MD5_ROUNDS {
        let mut next = Md5::new();
        next.update(if round & 1 == 1 { password } else { &digest });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if round & 1 == 1 { &digest } else { password });
        digest = next.finalize().into();
    }
    let mut text = format!("{magic}{}$", String::from_utf8_lossy(salt));
    let mut push = |value: u32, characters: u32| {
        for at in 0..characters {
            text.push(char::from(MD5_ALPHABET[(value >> (6 * at)) as usize & 0x3f]));
        }
    };
    let byte = |at: usize| u32::from(digest[at]);
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        push(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
    }
    push(byte(11), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_schemes() {
        let check =
            |password: &str, hash: &str, want: bool| assert_eq!(verify(password, hash), want, "{hash}");
        check("secret", "$apr1$testsalt$j7AAmGAhN8liB8qiU.irj1", true);
        check("secreT", "$apr1$testsalt$j7AAmGAhN8liB8qiU.irj1", false);
        // The example of Traefik's documentation: test:test in MD5, test2:test2.
        check("test", "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", true);
        check("test2", "$apr1$d9hr9HBB$4HxwgUir3HP4EsggP/QNo0", true);
        check("password", "$1$3azHgidD$SrJPt7B.9rekpmwJwtON31", true);
        check("password", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", true);
        check("passwor", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", false);
        check("bcrypt", &bcrypt::hash("bcrypt", 4).expect("hashes"), true);
        check("other", &bcrypt::hash("bcrypt", 4).expect("hashes"), false);
        for broken in ["", "$apr1$", "$2y$", "$2y$05$x", "{SHA}", "$1$$", "plain"] {
            check("x", broken, false);
        }
    }
}
