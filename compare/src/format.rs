//! `Format`: texts that look alike and differ each time, as moments and UUIDs do.

/// A format of a text of which each time another one is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    DateTime,
    Date,
    Time,
    Uuid,
}

impl Format {
    /// The format of this name, if it is one of these.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "date-time" => Some(Self::DateTime),
            "date" => Some(Self::Date),
            "time" => Some(Self::Time),
            "uuid" => Some(Self::Uuid),
            _ => None,
        }
    }

    /// Whether the text is one.
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::DateTime => text.split_at_checked(10).is_some_and(|(date, rest)| {
                is_date(date) && rest.strip_prefix(['T', 't', ' ']).is_some_and(is_time)
            }),
            Self::Date => is_date(text),
            Self::Time => is_time(text),
            Self::Uuid => is_uuid(text),
        }
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    parts.next().is_none()
        && number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}

/// A time of day with its offset, RFC 3339.
fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next());
    let is_clock = parts.next().is_none()
        && number(hour, 2).is_some_and(|hour| hour < 24)
        && number(minute, 2).is_some_and(|minute| minute < 60)
        && number(second, 2).is_some_and(|second| second <= 60);
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
            if offset.len() == fraction.len() { return false } else { offset }
        }
        None => rest,
    };
    is_clock && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    if text.eq_ignore_ascii_case("z") {
        return true;
    }
    let Some((hour, minute)) = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    number(Some(hour), 2).is_some_and(|hour| hour < 24)
        && number(Some(minute), 2).is_some_and(|minute| minute < 60)
}

/// A number of exactly so many digits.
fn number(text: Option<&str>, digits: usize) -> Option<u32> {
    text.filter(|text| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_format_takes_its_own() {
        for (name, good, bad) in [
            ("date-time", "2026-11-22T03:04:05.123456Z", "2026-11-22T03:04:05"),
            ("date-time", "2026-11-22t23:59:60+05:30", "2026-11-22T24:00:00Z"),
            ("date-time", "1985-04-12T23:20:50-00:00", "1985-04-12T23:20:50.Z"),
            ("date", "2026-02-28", "2026-13-01"),
            ("time", "03:04:05Z", "3:04:05Z"),
            ("uuid", "0198F3a1-0000-7000-8000-000000000000", "0198f3a1-0000-7000-8000-00000000000g"),
        ] {
            let format = Format::named(name).unwrap();
            assert!(format.fits(good), "{good}");
            assert!(!format.fits(bad) && !format.fits(""), "{bad}");
        }
        assert_eq!(Format::named("email"), None);
    }

    proptest! {
        #[test]
        fn any_text_fits_or_does_not(text in "\\PC{0,40}", near in "[0-9TZtz:.+é -]{0,30}") {
            for format in [Format::DateTime, Format::Date, Format::Time, Format::Uuid] {
                format.fits(&text);
                format.fits(&near);
            }
        }
    }
}
