//! `Version`: the mark of the message shape that this build speaks.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The `v` of every message. It can only be read from a message of our own major version, so a
/// decoded message is always one that we understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

impl Version {
    /// The major version of every message that this build writes and reads.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::NUMBER => Ok(Self),
            other => Err(de::Error::custom(format_args!("message version {other} is not supported"))),
        }
    }
}
