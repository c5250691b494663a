//! Times, sizes and numbers, as people write them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use wire::egress::{AllowList, BadEntry};

/// What a kibibyte and so on are in bytes.
const SIZES: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
/// What seconds and so on are in milliseconds.
const TIMES: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A time such as `30s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let millis = product(text, &TIMES).filter(|millis| *millis > 0);
    millis.map(Duration::from_millis).ok_or_else(|| format!("'{text}' is no time such as 500ms, 30s or 2m"))
}

/// A size such as `10MiB`; without a unit, bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = product(text, &SIZES).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| format!("'{text}' is no size such as 512KiB, 64MiB or 1GiB"))
}

/// The same, and such as `100MB`: files are often counted in those.
pub(crate) fn volume(text: &str) -> Result<u64, String> {
    const DECIMAL: [(&str, u64); 3] = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    product(text, &DECIMAL).filter(|bytes| *bytes > 0).map_or_else(|| bytes(text), Ok)
}

/// Seconds, the last one whole: what is asked for is not over too early.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

/// The same, of what is held in memory.
pub(crate) fn memory(text: &str) -> Result<usize, String> {
    usize::try_from(bytes(text)?).map_err(|error| format!("'{text}': {error}"))
}

/// How many.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse::<NonZeroUsize>().map(usize::from);
    count.map_err(|_no_number| format!("'{text}' is no number of 1 or more"))
}

/// Yes or no.
pub(crate) fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_neither| format!("'{text}' is neither true nor false"))
}

/// Where to listen.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_no_address| format!("'{text}' is no address and port such as 0.0.0.0:3000"))
}

/// Hosts that requests may go to, with commas between them.
pub(crate) fn hosts(text: &str) -> Result<AllowList, BadEntry> {
    let entries: Vec<String> = text.split(',').map(|entry| entry.trim().to_owned()).collect();
    AllowList::parse(&entries)
}

/// The number times its unit, the first that fits.
fn product(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, worth) = units.iter().find_map(|(unit, worth)| {
        let number = text.strip_suffix(unit)?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((number, worth))
    })?;
    number.parse::<u64>().ok()?.checked_mul(*worth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(bytes("10MiB"), Ok(10 << 20));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!([volume("100MB"), volume("1KiB")], [Ok(100_000_000), Ok(1_024)]);
        assert!(volume("0MB").is_err() && volume("1.5MB").is_err());
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(bytes("123"), Ok(123));
        assert!(hosts("a.test, b.test:81").is_ok() && hosts("a.test,").is_err());
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in
            ["", "30", "0s", "-1s", "1.5s", "s", "+1s", "99999999999999999999s", "9999999999999999999h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "10MB", "0", "MiB", "10 MiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(
            count("0").is_err()
                && count("many").is_err()
                && flag("yes").is_err()
                && address(":3000").is_err()
        );
    }
}
