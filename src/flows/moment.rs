//! When a flow was seen.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// A second, on the one clock of the world or on a wall clock of which nobody said where it hangs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment {
    /// Seconds since 1970-01-01 00:00, by that clock.
    pub seconds: i64,
    /// True for a wall clock: `nfdump` prints the time of the machine that it runs on, without saying which it is.
    pub is_wall: bool,
}

/// Digits from which on a number counts milliseconds: in seconds it would be the year 5138.
const MILLISECOND_DIGITS: usize = 12;

impl Moment {
    /// Reads seconds or milliseconds since 1970, a date with a time, or a date.
    pub fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
            let number: i64 = whole.parse().ok()?;
            let seconds = if whole.len() >= MILLISECOND_DIGITS { number / 1_000 } else { number };
            return Timestamp::from_second(seconds).ok().map(|_| Moment { seconds, is_wall: false });
        }
        let time = text.get(10..)?;
        if time.contains(['Z', 'z', '+', '-']) {
            let timestamp: Timestamp = text.parse().ok()?;
            return Some(Moment { seconds: timestamp.as_second(), is_wall: false });
        }
        let datetime = match time.is_empty() {
            true => text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
            false => text.parse::<DateTime>().ok()?,
        };
        let timestamp = TimeZone::UTC.to_timestamp(datetime).ok()?;
        Some(Moment { seconds: timestamp.as_second(), is_wall: true })
    }

    /// The moment some seconds later.
    pub fn after(self, seconds: i64) -> Moment {
        Moment { seconds: self.seconds.saturating_add(seconds), ..self }
    }
}

/// Written as 2026-11-01T08:00:00Z, and by a wall clock without the Z.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_second(self.seconds).unwrap_or(Timestamp::MAX);
        let text = timestamp.to_string();
        f.write_str(if self.is_wall { text.trim_end_matches('Z') } else { &text })
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
