//! Moments as the engine writes them: RFC 3339, in UTC.

/// Seconds since the Unix epoch of a text such as `2026-11-21T23:03:10.353194514Z`.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, _fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let in_range = (1..=12).contains(&month) && (0..10_000).contains(&year);
    in_range.then(|| (days(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second)
}

/// Days since the Unix epoch, in the calendar that we use: years are counted from March, so that the day that some
/// have more is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let in_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_the_epoch() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-02-29T12:00:00.5Z"), Some(951_825_600));
        assert_eq!(seconds("2026-11-21T23:03:10.353194514Z"), Some(1_795_302_190));
        for text in ["", "now", "2026-11-21", "2026-13-21T23:03:10Z", "2026-11-21T23:03:10+01:00"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
