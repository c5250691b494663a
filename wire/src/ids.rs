//! The ids that messages, queues and store keys are built from: parsed once at the edge, trusted inside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Role;

/// The text is not an id of this kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{kind} must be {shape}")]
pub struct InvalidId {
    kind: &'static str,
    shape: &'static str,
}

/// A text newtype whose values are checked by `$valid` wherever they come from.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $shape:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Reads ", $kind, ".\n\n# Errors\nWhen the text is not ", $shape, ".")]
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(InvalidId { kind: $kind, shape: $shape }) }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

text_id!(
    /// The tenant that a route, its Func and its messages belong to.
    Namespace, "a namespace", "1 to 63 of a-z, 0-9 and -",
    |text| (1..=63).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
);

text_id!(
    /// The id that a client sees and may choose (`X-Request-Id`); it follows a call through logs and
    /// onward calls, and need not be unique.
    RequestId, "a request id", "1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-'",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
);

text_id!(
    /// The SHA-256 of a bundle's bytes, in 64 lower-case hexadecimal digits: a bundle's identity.
    BundleSha, "a bundle's SHA-256", "64 lower-case hexadecimal digits",
    |text| is_hex(text, 64)
);

text_id!(
    /// The SHA-256 of a body, or of a part of one, in 64 lower-case hexadecimal digits.
    BodySha, "a body's SHA-256", "64 lower-case hexadecimal digits",
    |text| is_hex(text, 64)
);

text_id!(
    /// Names a route in queues and keys: built from a hash, never from what a user wrote.
    RouteId, "a route id", "16 lower-case hexadecimal digits",
    |text| is_hex(text, 16)
);

text_id!(
    /// Names a capture in queues and keys.
    CaptureId, "a capture id", "32 lower-case hexadecimal digits",
    |text| is_hex(text, 32)
);

text_id!(
    /// Names a running frontend, Tron or runner.
    MemberId, "a member id", "1 to 64 of a-z, 0-9 and -",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
);

text_id!(
    /// Names a pool of runners: in files, on engines that run containers, in listings.
    PoolName, "a pool's name", "1 to 32 of a-z, 0-9 and -, and begin with a letter",
    |text| (1..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
);

impl Default for Namespace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl RequestId {
    /// A new id (UUIDv7, so ids sort by time).
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

impl BundleSha {
    /// The identity of these bytes.
    pub fn of(bundle: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bundle)))
    }

    /// The first eight digits: enough to tell a route's bundles apart in a queue's name or a log.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl BodySha {
    /// The folder of the store in which bodies lie.
    pub(crate) const FOLDER: &str = "bodies";

    /// The SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(Sha256::new_with_prefix(bytes))
    }

    /// The SHA-256 of all that the hasher was given.
    pub(crate) fn from_digest(hasher: Sha256) -> Self {
        Self(hex(&hasher.finalize()))
    }
}

impl RouteId {
    /// The id of the route that serves this base path on this host (`*` for any) in this namespace.
    pub fn of(namespace: &Namespace, host: &str, base_path: &str) -> Self {
        let mut hasher = Sha256::new();
        for part in [namespace.as_str(), host, base_path] {
            hasher.update(part);
            hasher.update([0]);
        }
        Self(hex(hasher.finalize().get(..8).unwrap_or_default()))
    }
}

impl CaptureId {
    /// A new id; ids sort by time.
    pub fn generate() -> Self {
        Self(Uuid::now_v7().simple().to_string())
    }
}

impl MemberId {
    /// A new id that begins with the member's role, such as `runner-0198…`.
    pub fn generate(role: Role) -> Self {
        Self(format!("{role}-{}", Uuid::now_v7().simple()))
    }
}

/// Names one call: made by the frontend, single-use, and what its answers are matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivationId(Uuid);

impl ActivationId {
    /// A new id (UUIDv7).
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// A new id that nobody can guess (UUIDv4): whoever knows it may ask for the call.
    pub fn unguessable() -> Self {
        Self(Uuid::new_v4())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ActivationId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::parse_str(text)
            .map(Self)
            .map_err(|_not_a_uuid| InvalidId { kind: "an activation id", shape: "a UUID" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_route_has_the_same_id_everywhere() {
        let namespace = Namespace::default();
        assert_eq!(RouteId::of(&namespace, "*", "/a"), RouteId::of(&namespace, "*", "/a"));
    }

    #[test]
    fn parts_of_a_route_do_not_run_into_each_other() {
        let namespace = Namespace::default();
        assert_ne!(RouteId::of(&namespace, "a", "/b"), RouteId::of(&namespace, "a/", "b"));
    }

    #[test]
    fn ids_refuse_what_would_be_unsafe_in_a_queue_name() {
        for text in ["", "a.b", "a/b", "#", "A", "ü", &"a".repeat(64)] {
            assert!(Namespace::parse(text).is_err(), "{text}");
        }
        for text in ["", "-a", "1", "a b", "A", &"a".repeat(33)] {
            assert!(PoolName::parse(text).is_err(), "{text}");
        }
        assert!(RequestId::parse("a\r\nb").is_err());
        assert!(BundleSha::parse("../../etc/passwd").is_err());
        assert!(serde_json::from_str::<RouteId>("\"*\"").is_err());
    }

    #[test]
    fn a_bundle_is_named_by_its_sha256() {
        let sha = BundleSha::of(b"");
        assert_eq!(sha.as_str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(sha.short(), "e3b0c442");
    }
}
