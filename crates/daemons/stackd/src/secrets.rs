//! The administrator's password, made at the first start, and the proxy's password file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rand::RngExt;

/// Cost of the password's hash: about a tenth of a second a check, remembered by the proxy.
const BCRYPT_COST: u32 = 10;
/// Characters that cannot be mistaken for one another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH: usize = 20;

/// The administrator as this start knows them.
#[derive(Debug)]
pub(crate) struct Admin {
    /// The user's name.
    pub user: String,
    /// The password, when it is known: at the first start.
    pub password: Password,
    /// The line for the proxy's password file.
    pub htpasswd: String,
}

/// Where the password comes from. Never printed but by the table of the first start.
pub(crate) enum Password {
    /// Made just now.
    Random(String),
    /// Given by `GF_SECURITY_ADMIN_PASSWORD` at the first start.
    Given(String),
    /// Set at an earlier start.
    Known,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Random(_) => "Random",
            Self::Given(_) => "Given",
            Self::Known => "Known",
        })
    }
}

impl Admin {
    /// Reads the password file, or makes it at the first start. `given` is the password from the environment.
    pub fn load_or_create(dir: &Path, user: &str, given: Option<&str>) -> io::Result<Self> {
        let path = dir.join("htpasswd");
        if let Ok(line) = fs::read_to_string(&path)
            && let Some((known_user, _)) = line.trim().split_once(':')
        {
            return Ok(Self {
                user: known_user.to_owned(),
                password: Password::Known,
                htpasswd: line.trim().to_owned(),
            });
        }
        let (plain, password) = match given.filter(|given| !given.is_empty()) {
            Some(given) => (given.to_owned(), Password::Given(given.to_owned())),
            None => {
                let made = random_password();
                (made.clone(), Password::Random(made))
            }
        };
        let hash = bcrypt::hash(plain, BCRYPT_COST).map_err(io::Error::other)?;
        let htpasswd = format!("{user}:{hash}");
        let temporary = dir.join("htpasswd.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        writeln!(file, "{htpasswd}")?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        disk::fsync_dir(dir)?;
        Ok(Self { user: user.to_owned(), password, htpasswd })
    }
}

fn random_password() -> String {
    let mut random = rand::rng();
    (0..LENGTH).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_password_is_made_once() {
        let dir = tempfile::tempdir().expect("tempdir");
        let first = Admin::load_or_create(dir.path(), "admin", None).expect("made");
        let Password::Random(password) = &first.password else { panic!("{first:?}") };
        assert_eq!(password.len(), LENGTH);
        let (user, hash) = first.htpasswd.split_once(':').expect("line");
        assert_eq!(user, "admin");
        assert!(bcrypt::verify(password, hash).expect("hash"));
        let again = Admin::load_or_create(dir.path(), "other", Some("x")).expect("read");
        assert!(matches!(again.password, Password::Known));
        assert_eq!((again.user.as_str(), &again.htpasswd), ("admin", &first.htpasswd));
        let mode = fs::metadata(dir.path().join("htpasswd")).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_given_password_is_taken() {
        let dir = tempfile::tempdir().expect("tempdir");
        let admin = Admin::load_or_create(dir.path(), "root", Some("secret")).expect("made");
        assert!(matches!(admin.password, Password::Given(_)));
        assert!(bcrypt::verify("secret", admin.htpasswd.split_once(':').expect("line").1).expect("hash"));
        assert!(!format!("{admin:?}").contains("\"secret\""));
    }
}
