//! The certificate for names that have none.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use tracing::{info, warn};

use crate::{CertificateFile, StoredCertificate, TlsError};

/// Certificate and key, in one file that only the owner may read.
const FILE_NAME: &str = "default-certificate.pem";
const COMMON_NAME: &str = "TRAEFIK DEFAULT CERT";
/// A kept certificate that ends sooner than this is made anew, in seconds.
const RENEW_BEFORE: i64 = 30 * 86_400;

/// The self-signed certificate kept in `directory`, made now if there is none or if it ends soon. Without a directory, or if the
/// directory cannot be written, a new one that lasts as long as the process.
///
/// The key is RSA, as the original's: cipher lists written for it often name RSA suites alone.
///
/// # Errors
/// The cryptography refuses to make one.
pub fn default_certificate(directory: Option<&Path>) -> Result<StoredCertificate, TlsError> {
    let now = Timestamp::now();
    if let Some(kept) = directory.and_then(|directory| read(&directory.join(FILE_NAME)))
        && kept.facts.not_after > now.as_second() + RENEW_BEFORE
    {
        return Ok(kept);
    }
    let pem = make(now)?;
    if let Some(directory) = directory {
        match keep(directory, &pem) {
            Ok(()) => info!(directory = %directory.display(), "made the self-signed default certificate"),
            Err(error) => {
                warn!(%error, directory = %directory.display(), "cannot keep the default certificate, it will be another one after a restart");
            }
        }
    }
    from_pem(&pem)
}

fn read(path: &Path) -> Option<StoredCertificate> {
    let pem = fs::read_to_string(path).ok()?;
    match from_pem(&pem) {
        Ok(certificate) => Some(certificate),
        Err(error) => {
            warn!(%error, path = %path.display(), "the kept default certificate cannot be used, making another");
            None
        }
    }
}

fn from_pem(pem: &str) -> Result<StoredCertificate, TlsError> {
    let both = config::Secret::new(pem);
    StoredCertificate::load(&CertificateFile { cert_file: both.clone(), key_file: both, stores: Vec::new() })
}

/// A year's certificate and its key as PEM.
fn make(now: Timestamp) -> Result<String, TlsError> {
    let failed = |error: rcgen::Error| TlsError::SelfSigned(error.into());
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed)?;
    let mut params = CertificateParams::new(vec!["default.traefik.default".to_owned()]).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, COMMON_NAME);
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = |date: jiff::civil::Date| {
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(today.saturating_sub(1.day()));
    params.not_after = day(today.saturating_add(1.year()));
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

fn keep(directory: &Path, pem: &str) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let path = directory.join(FILE_NAME);
    let temporary = disk::temporary_path(&path);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    disk::fsync_dir(directory)
}
