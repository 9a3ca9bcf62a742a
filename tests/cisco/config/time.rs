//! Time ranges as IOS reads them: hours of days of the week, up to the end of the minute that they end in.

use std::collections::BTreeSet;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// When a line is looked at, by the clock of the device.
#[derive(Clone, Copy, Debug)]
pub(in crate::cisco) enum Time {
    /// A minute of the week, from Monday 00:00 on.
    Minute(u16),
    /// The same minute on a device whose clock was never set, so that it is in 1993.
    Unset(u16),
}

#[derive(Default, Debug)]
pub(super) struct TimeRange {
    minutes: BTreeSet<u16>,
    /// The year before which it is never active.
    starts: Option<u16>,
}

impl TimeRange {
    pub(super) fn read(&mut self, words: &[&str]) {
        match words {
            ["absolute", "start", "00:00", "1", "January", year] => {
                assert!(self.minutes.is_empty() && self.starts.is_none(), "{words:?}");
                self.starts = Some(year.parse().unwrap());
            }
            ["periodic", days @ .., from, "to", to] => {
                let (from, to) = (minute(from), minute(to));
                assert!(from < to, "a day has one end that is later than its start: {words:?}");
                for day in self::days(days) {
                    let midnight = day * 24 * 60;
                    self.minutes.extend(midnight + from..=midnight + to);
                }
            }
            other => panic!("an unknown line: {other:?}"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    pub(super) fn holds(&self, time: Time) -> bool {
        let (minute, year) = match time {
            Time::Minute(minute) => (minute, 2026),
            Time::Unset(minute) => (minute, 1993),
        };
        self.minutes.contains(&minute) && self.starts.is_none_or(|starts| starts <= year)
    }
}

fn days(words: &[&str]) -> Vec<u16> {
    match words {
        ["daily"] => (0..7).collect(),
        ["weekdays"] => (0..5).collect(),
        ["weekend"] => vec![5, 6],
        [] => panic!("no day"),
        names => {
            let day = |name: &&str| DAYS.iter().position(|day| day == name).unwrap();
            names.iter().map(|name| u16::try_from(day(name)).unwrap()).collect()
        }
    }
}

/// Minutes from midnight. `24:00` is not taken by every release.
fn minute(text: &str) -> u16 {
    let (hour, minute) = text.split_once(':').unwrap();
    let (hour, minute): (u16, u16) = (hour.parse().unwrap(), minute.parse().unwrap());
    assert!(text.len() == 5 && hour < 24 && minute < 60, "{text}");
    hour * 60 + minute
}
