//! Content digests (image-spec `descriptor.md`, go-digest).

use std::fmt;
use std::str::FromStr;

use ring::digest as hash;

/// `algorithm:hex`, checked: a known algorithm, the right length, lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Why a text is no digest. The words are go-digest's, which the kubelet prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not of the form `algorithm:hex`, or upper-case digits.
    #[error("invalid checksum digest format")]
    Format,
    /// An algorithm that the kubelet does not compile in.
    #[error("unsupported digest algorithm")]
    Algorithm,
    /// Too many or too few digits for the algorithm.
    #[error("invalid checksum digest length")]
    Length,
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    #[must_use]
    pub fn sha256_of(bytes: &[u8]) -> Self {
        Self(format!(
            "sha256:{}",
            hex(hash::digest(&hash::SHA256, bytes).as_ref())
        ))
    }

    /// Whether `bytes` have this digest.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let algorithm = match self.algorithm() {
            "sha384" => &hash::SHA384,
            "sha512" => &hash::SHA512,
            _ => &hash::SHA256,
        };
        hex(hash::digest(algorithm, bytes).as_ref()) == self.hex()
    }

    /// `sha256`, `sha384` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.0
            .split_once(':')
            .map_or("", |(algorithm, _)| algorithm)
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of the digest to tell it from others in a table: `sha256:0123456789ab`.
    #[must_use]
    pub fn short(&self) -> &str {
        let end = self.algorithm().len() + 1 + 12;
        self.0.get(..end).unwrap_or(&self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.split_once(':').ok_or(DigestError::Format)?;
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return Err(DigestError::Algorithm),
        };
        if digits.len() != length {
            return Err(DigestError::Length);
        }
        if !digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(DigestError::Format);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_checked_as_go_digest_does() {
        let ok = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(ok.parse::<Digest>().unwrap().short(), "sha256:0f0f0f0f0f0f");
        for (text, error) in [
            ("sha256", DigestError::Format),
            (
                "md5:d41d8cd98f00b204e9800998ecf8427e",
                DigestError::Algorithm,
            ),
            ("sha256:0f", DigestError::Length),
            (&format!("sha256:{}", "0F".repeat(32)), DigestError::Format),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_digest_matches_only_its_bytes() {
        // The digest of the two bytes `{}`: image-spec, "empty descriptor".
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(Digest::sha256_of(b"{}").as_str(), empty);
        let digest: Digest = empty.parse().unwrap();
        assert!(digest.matches(b"{}"));
        assert!(!digest.matches(b"{} "));
    }
}
