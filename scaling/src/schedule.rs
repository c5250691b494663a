//! `Schedule`: times of the week at which a pool has more runners than it needs.

use std::fmt;
use std::str::FromStr;

use wire::Timestamp;

const DAY_MINUTES: u16 = 24 * 60;

/// On these days, between these times (UTC), the pool has at least so many runners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The days on which it begins; none means every day.
    pub days: Vec<Day>,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends: the next day if that is not after it begins.
    pub to: TimeOfDay,
    /// How many runners there are at least.
    pub runners_min: usize,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of days")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time of the day, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// Why this is no day or time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// There is no such day.
    #[error("{0:?} is none of mon, tue, wed, thu, fri, sat and sun")]
    Day(String),
    /// It is no time.
    #[error("{0:?} is no time from 00:00 to 24:00")]
    Time(String),
}

impl Schedule {
    /// Whether it holds at this moment.
    pub fn holds(&self, utc: Timestamp) -> bool {
        let minutes = utc.0 / 60_000;
        let minute = u16::try_from(minutes % u64::from(DAY_MINUTES)).unwrap_or_default();
        let today = minutes / u64::from(DAY_MINUTES);
        let (from, to) = (self.from.0, self.to.0);
        if from < to {
            return self.begins_on(today) && (from..to).contains(&minute);
        }
        (self.begins_on(today) && minute >= from)
            || (minute < to && today.checked_sub(1).is_some_and(|yesterday| self.begins_on(yesterday)))
    }

    fn begins_on(&self, days_since_epoch: u64) -> bool {
        self.days.is_empty() || self.days.contains(&Day::of(days_since_epoch))
    }
}

impl Day {
    const WEEK: [(Self, &'static str); 7] = [
        (Self::Monday, "mon"),
        (Self::Tuesday, "tue"),
        (Self::Wednesday, "wed"),
        (Self::Thursday, "thu"),
        (Self::Friday, "fri"),
        (Self::Saturday, "sat"),
        (Self::Sunday, "sun"),
    ];

    /// The day that is so many days after the first of January 1970, a Thursday.
    fn of(days_since_epoch: u64) -> Self {
        let index = usize::try_from((days_since_epoch + 3) % 7).unwrap_or_default();
        Self::WEEK.get(index).map_or(Self::Monday, |(day, _)| *day)
    }
}

/// From `mon` to `sun`.
impl FromStr for Day {
    type Err = BadSchedule;
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let found = Self::WEEK.iter().find(|(_, name)| *name == text);
        found.map(|(day, _)| *day).ok_or_else(|| BadSchedule::Day(text.to_owned()))
    }
}

/// As `08:00`; `24:00` is the end of the day.
impl FromStr for TimeOfDay {
    type Err = BadSchedule;
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let part = |part: &str| {
            let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u16>().ok()).flatten()
        };
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (part(hour)?, part(minute)?);
            let minutes = hour * 60 + minute;
            (minute < 60 && minutes <= DAY_MINUTES).then_some(Self(minutes))
        };
        read().ok_or_else(|| BadSchedule::Time(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 5 January 1970.
    const MONDAY: u64 = 4 * 24 * 3600 * 1000;

    fn at(day: u64, time: &str) -> Timestamp {
        let time: TimeOfDay = time.parse().unwrap();
        Timestamp(MONDAY + (day * u64::from(DAY_MINUTES) + u64::from(time.0)) * 60_000)
    }

    fn schedule(days: &str, from: &str, to: &str) -> Schedule {
        let days = days.split_whitespace().map(|day| day.parse().unwrap()).collect();
        Schedule { days, from: from.parse().unwrap(), to: to.parse().unwrap(), runners_min: 4 }
    }

    #[test]
    fn it_holds_on_its_days_between_its_times() {
        let office = schedule("mon tue", "08:00", "18:00");
        for (day, time, holds) in [
            (0, "07:59", false),
            (0, "08:00", true),
            (1, "17:59", true),
            (1, "18:00", false),
            (2, "12:00", false),
            (7, "12:00", true),
        ] {
            assert_eq!(office.holds(at(day, time)), holds, "{day} {time}");
        }
    }

    #[test]
    fn one_that_ends_before_it_begins_ends_the_next_day() {
        let night = schedule("sun", "22:00", "06:00");
        for (day, time, holds) in [
            (6, "21:59", false),
            (6, "22:00", true),
            (7, "05:59", true),
            (7, "06:00", false),
            (7, "22:00", false),
        ] {
            assert_eq!(night.holds(at(day, time)), holds, "{day} {time}");
        }
        assert!(schedule("", "00:00", "24:00").holds(at(3, "13:00")), "no days are all days");
        assert!(schedule("", "09:00", "09:00").holds(at(3, "08:00")), "a whole day");
    }

    #[test]
    fn what_is_no_day_or_time_is_refused() {
        for text in ["Mon", "monday", "", "8"] {
            assert_eq!(text.parse::<Day>(), Err(BadSchedule::Day(text.to_owned())));
        }
        for text in ["8:00", "08:60", "24:01", "0800", "+8:00", ""] {
            assert_eq!(text.parse::<TimeOfDay>(), Err(BadSchedule::Time(text.to_owned())));
        }
        assert_eq!("08:05".parse::<TimeOfDay>().unwrap().to_string(), "08:05");
    }
}
