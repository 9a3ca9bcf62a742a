//! When a rule holds: minutes of a week, and the clock by which they are counted.

use std::collections::BTreeMap;

use super::Span;
use crate::set::{Interval, IntervalSet, Set};

/// Minutes of a day.
pub const MINUTES_OF_DAY: u16 = 24 * 60;

/// Minutes of a week.
pub const MINUTES_OF_WEEK: u16 = 7 * MINUTES_OF_DAY;

/// When rules hold that name it.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The clock by which its hours are meant.
    pub clock: Clock,
    /// When it holds, by that clock.
    pub week: Week,
    /// Where its name is declared.
    pub span: Span,
}

/// A clock.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Clock {
    /// One that is always the same number of minutes ahead of UTC, which may be negative.
    Offset(i16),
    /// The wall clock of a place, by its name in the IANA time zone database, such as `Europe/Berlin`.
    Place(String),
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Clock::Offset(0) => write!(f, "UTC"),
            Clock::Offset(minutes) => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Clock::Place(name) => write!(f, "{name}"),
        }
    }
}

/// A set of minutes of the week; 0 is Monday from 00:00:00 to 00:00:59.
///
/// INVARIANT: it holds nothing from [`MINUTES_OF_WEEK`] on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Week(IntervalSet<u16>);

/// Hours that are the same on several days.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Window {
    /// The first minute of the day.
    pub first: u16,
    /// The last minute of the day, below [`MINUTES_OF_DAY`].
    pub last: u16,
    /// The days, ascending; 0 is Monday.
    pub days: Vec<u8>,
}

impl Window {
    /// True if it holds on all days.
    pub fn is_daily(&self) -> bool {
        self.days.len() == 7
    }
}

impl Week {
    /// The minutes of days from `start` until before `end`, both counted from midnight. An `end` that is not behind
    /// `start` lies on the day after, which behind Sunday is Monday.
    pub fn of_days(days: impl IntoIterator<Item = u8>, start: u16, end: u16) -> Self {
        let length = if end > start { end - start } else { end + MINUTES_OF_DAY - start };
        let pieces = days.into_iter().flat_map(|day| {
            let first = u16::from(day % 7) * MINUTES_OF_DAY + start;
            turned(Interval::spanning(first, first + length - 1), 0)
        });
        Week(pieces.collect())
    }

    /// The minutes of some runs; what lies behind the end of the week is left out.
    pub fn of_runs(runs: impl IntoIterator<Item = Interval<u16>>) -> Self {
        let week = Interval::spanning(0, MINUTES_OF_WEEK - 1);
        let inside = runs.into_iter().filter(|run| run.overlaps(week));
        Week(inside.map(|run| Interval::spanning(run.first(), run.last().min(week.last()))).collect())
    }

    /// True if it holds a minute of the week.
    pub fn contains(&self, minute: u16) -> bool {
        self.0.contains(minute)
    }

    /// The same time by a clock that shows `minutes` more.
    pub fn later(&self, minutes: i16) -> Self {
        self.earlier(minutes.saturating_neg())
    }

    /// What is in either.
    pub fn union(self, other: Self) -> Self {
        Week(self.0.intervals().chain(other.0.intervals()).collect())
    }

    /// True if the other one holds every minute of this one.
    pub fn is_within(&self, other: &Week) -> bool {
        self.0.is_subset(&other.0)
    }

    /// True if it holds no minute.
    pub fn is_empty(&self) -> bool {
        self.0.intervals().next().is_none()
    }

    /// True if it holds every minute.
    pub fn is_whole(&self) -> bool {
        self.0.intervals().map(|interval| interval.last() - interval.first() + 1).sum::<u16>()
            == MINUTES_OF_WEEK
    }

    /// The runs of minutes, ascending.
    pub fn runs(&self) -> impl Iterator<Item = Interval<u16>> {
        self.0.intervals()
    }

    /// Its hours by day, ascending; none crosses midnight.
    pub fn windows(&self) -> Vec<Window> {
        let mut days: BTreeMap<(u16, u16), Vec<u8>> = BTreeMap::new();
        for (day, number) in (0..7_u8).zip(0_u16..) {
            let midnight = number * MINUTES_OF_DAY;
            let whole_day = Interval::spanning(midnight, midnight + MINUTES_OF_DAY - 1);
            for run in self.0.intervals().filter(|run| run.overlaps(whole_day)) {
                let first = run.first().max(whole_day.first()) - midnight;
                let last = run.last().min(whole_day.last()) - midnight;
                days.entry((first, last)).or_default().push(day);
            }
        }
        days.into_iter().map(|((first, last), days)| Window { first, last, days }).collect()
    }

    /// The same time by a clock that shows `minutes` less.
    fn earlier(&self, minutes: i16) -> Self {
        Week(self.0.intervals().flat_map(|run| turned(run, minutes)).collect())
    }
}

/// Minutes of the week, moved back by some, with what goes beyond one end of the week coming in at the other.
fn turned(run: Interval<u16>, back: i16) -> Vec<Interval<u16>> {
    let week = i32::from(MINUTES_OF_WEEK);
    let length = i32::from(run.last()) - i32::from(run.first());
    let first = (i32::from(run.first()) - i32::from(back)).rem_euclid(week);
    let last = first + length;
    let pieces = if last < week { vec![(first, last)] } else { vec![(first, week - 1), (0, last - week)] };
    let minute = |number: i32| u16::try_from(number).unwrap_or_default();
    pieces.into_iter().map(|(first, last)| Interval::spanning(minute(first), minute(last))).collect()
}

impl Schedule {
    /// When it holds by UTC; `None` if that is not the same throughout the year.
    pub fn week_in_utc(&self) -> Option<Week> {
        match self.clock {
            Clock::Offset(minutes) => Some(self.week.earlier(minutes)),
            Clock::Place(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(days: &[u8], start: u16, end: u16) -> Week {
        Week::of_days(days.iter().copied(), start, end)
    }

    fn windows(week: &Week) -> Vec<(u16, u16, Vec<u8>)> {
        week.windows().into_iter().map(|window| (window.first, window.last, window.days)).collect()
    }

    #[test]
    fn hours_past_midnight_belong_to_the_next_day() {
        let night = week(&[4, 6], 22 * 60, 6 * 60);
        assert_eq!(windows(&night), [(0, 359, vec![0, 5]), (1320, 1439, vec![4, 6])]);
        assert_eq!(night.runs().count(), 3);
    }

    #[test]
    fn a_whole_week_is_one() {
        assert!(week(&[0, 1, 2, 3, 4, 5, 6], 0, MINUTES_OF_DAY).is_whole());
        assert!(week(&[0, 1, 2, 3, 4, 5, 6], 60, 60).is_whole());
        assert!(!week(&[0, 1, 2, 3, 4, 5], 0, MINUTES_OF_DAY).is_whole());
    }

    #[test]
    fn a_clock_ahead_of_utc_turns_the_week_back() {
        let schedule = |clock| Schedule {
            name: "s".to_owned(),
            clock,
            week: week(&[0], 30, 120),
            span: Span::default(),
        };
        let utc = |minutes| windows(&schedule(Clock::Offset(minutes)).week_in_utc().unwrap());
        assert_eq!(utc(0), [(30, 119, vec![0])]);
        assert_eq!(utc(60), [(0, 59, vec![0]), (1410, 1439, vec![6])]);
        assert_eq!(utc(-60), [(90, 179, vec![0])]);
        assert!(schedule(Clock::Place("Europe/Berlin".to_owned())).week_in_utc().is_none());
    }
}
