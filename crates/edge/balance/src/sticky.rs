//! Clients that stay with a server, by a cookie.

use http::{HeaderMap, HeaderValue, header};
use sha1::{Digest, Sha1};

use crate::{BalanceError, Sticky};

/// Names members in cookies without telling what they are.
#[derive(Debug)]
pub(crate) struct Stickiness {
    name: String,
    attributes: String,
    values: Vec<String>,
}

impl Stickiness {
    /// `None` if the section asks for no cookie. `members` are URLs or service names.
    pub(crate) fn new<'m>(
        service: &str,
        config: Option<&Sticky>,
        members: impl Iterator<Item = &'m str>,
    ) -> Result<Option<Self>, BalanceError> {
        let Some(cookie) = config.and_then(|sticky| sticky.cookie.as_ref()) else { return Ok(None) };
        let name = if cookie.name.is_empty() {
            format!("_{}", &hex(&Sha1::digest(service))[..5])
        } else {
            cookie.name.clone()
        };
        let path = if cookie.path.is_empty() { "/" } else { &cookie.path };
        let mut attributes = format!("; Path={path}");
        if !cookie.domain.is_empty() {
            attributes.push_str(&format!("; Domain={}", cookie.domain));
        }
        if cookie.max_age != 0 {
            attributes.push_str(&format!("; Max-Age={}", cookie.max_age.max(0)));
        }
        if cookie.http_only {
            attributes.push_str("; HttpOnly");
        }
        if cookie.secure {
            attributes.push_str("; Secure");
        }
        attributes.push_str(match cookie.same_site.to_ascii_lowercase().as_str() {
            "none" => "; SameSite=None",
            "lax" => "; SameSite=Lax",
            "strict" => "; SameSite=Strict",
            "" => "",
            other => {
                return Err(BalanceError::value(
                    "sticky.cookie.sameSite",
                    format!("unknown value {other:?}"),
                ));
            }
        });
        if HeaderValue::from_str(&format!("{name}={attributes}")).is_err() {
            return Err(BalanceError::value("sticky.cookie", "the cookie cannot stand in a header"));
        }
        let values = members.map(|member| hex(&Sha1::digest(member))[..16].to_owned()).collect();
        Ok(Some(Self { name, attributes, values }))
    }

    /// The member the client was with.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<usize> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim() == self.name)?;
        self.values.iter().position(|known| known == value.trim())
    }

    /// Tells the client which member it is with.
    pub(crate) fn remember(&self, member: usize, headers: &mut HeaderMap) {
        let Some(value) = self.values.get(member) else { return };
        if let Ok(cookie) = HeaderValue::from_str(&format!("{}={value}{}", self.name, self.attributes)) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
