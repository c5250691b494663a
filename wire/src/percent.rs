//! `Percent`: a share of calls.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ActivationId;

/// A share of calls, from 0 to 100 percent, to a ten-thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(u32);

/// The number is no share of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share must be from 0% to 100%, and not below 0.0001% unless it is none")]
pub struct BadPercent;

/// Ten-thousandths in a percent.
const PARTS: u32 = 10_000;

impl Percent {
    /// No call.
    pub const NONE: Self = Self(0);
    /// One call in a hundred.
    pub const ONE: Self = Self(PARTS);
    /// Every call.
    pub const ALL: Self = Self(100 * PARTS);

    /// Whether this call is among them: the same wherever it is asked, and for each of its attempts. A smaller share
    /// is a part of a larger one.
    pub fn takes(self, activation: ActivationId) -> bool {
        hash(activation.as_bytes()) % u64::from(Self::ALL.0) < u64::from(self.0)
    }

    /// Whether `some` of `all` are more than this share.
    pub fn is_exceeded_by(self, some: u64, all: u64) -> bool {
        u128::from(some) * u128::from(Self::ALL.0) > u128::from(all) * u128::from(self.0)
    }
}

/// FNV-1a, 64 bits: the same in every build, unlike the standard library's.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

impl TryFrom<f64> for Percent {
    type Error = BadPercent;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
    fn try_from(percent: f64) -> Result<Self, BadPercent> {
        match percent {
            0.0..=100.0 => match Self((percent * f64::from(PARTS)).round() as u32) {
                // Whoever asks for so few does not mean none.
                Self::NONE if percent > 0.0 => Err(BadPercent),
                share => Ok(share),
            },
            _ => Err(BadPercent),
        }
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        f64::from(percent.0) / f64::from(PARTS)
    }
}

impl FromStr for Percent {
    type Err = BadPercent;

    /// Reads `10%` or `10`.
    fn from_str(text: &str) -> Result<Self, BadPercent> {
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        number.parse::<f64>().map_err(|_no_number| BadPercent)?.try_into()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Percent, BadPercent> {
        text.parse()
    }

    #[test]
    fn only_a_share_is_read() {
        for (text, written) in [("10%", "10%"), ("0.5", "0.5%"), ("0", "0%"), ("100%", "100%")] {
            assert_eq!(read(text).unwrap().to_string(), written);
        }
        for text in ["101%", "-1", "NaN", "", "%", "ten", "1e-320", "0.00004%"] {
            assert_eq!(read(text), Err(BadPercent), "{text}");
        }
    }

    #[test]
    fn a_share_takes_about_as_many_all_takes_each_and_none_takes_none() {
        let calls: Vec<ActivationId> = (0..10_000).map(|_| ActivationId::generate()).collect();
        let taken = |percent: Percent| calls.iter().filter(|call| percent.takes(**call)).count();
        assert_eq!((taken(Percent::ALL), taken(Percent::NONE)), (10_000, 0));
        let tenth = taken(read("10%").unwrap());
        assert!((850..1_150).contains(&tenth), "{tenth}");
    }

    #[test]
    fn members_of_any_version_take_the_same_calls() {
        assert_eq!((hash(b""), hash(b"foobar")), (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8));
        let call: ActivationId = "0198c5a5-0000-7000-8000-000000000001".parse().unwrap();
        let taken: Vec<bool> = ["35%", "36%", "100%"].map(|share| read(share).unwrap().takes(call)).into();
        assert_eq!(taken, [false, true, true]);
    }

    #[test]
    fn a_share_is_exceeded_by_more_and_not_by_as_many() {
        let three = read("3%").unwrap();
        assert!(three.is_exceeded_by(4, 100) && !three.is_exceeded_by(3, 100));
        assert!(Percent::NONE.is_exceeded_by(1, u64::MAX) && !Percent::NONE.is_exceeded_by(0, 0));
    }
}
