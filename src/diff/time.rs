//! Times at which access differs: minutes of a week by a clock, cut where a schedule begins or ends.

use crate::ir::{Clock, MINUTES_OF_DAY, MINUTES_OF_WEEK, Schedule, Week};
use crate::set::Interval;

/// When something is open or closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// At all times.
    Always,
    /// During some minutes of the week by a clock.
    During(Clock, Week),
}

/// The clock and week of a schedule. A fixed distance from UTC is taken off, so that hours by two such clocks compare.
pub(super) fn normal(schedule: &Schedule) -> (Clock, Week) {
    match schedule.week_in_utc() {
        Some(week) => (Clock::Offset(0), week),
        None => (schedule.clock.clone(), schedule.week.clone()),
    }
}

/// Disjoint weeks that together are the whole week, such that each of some weeks holds all of one of them or nothing.
pub(super) fn stretches(weeks: &[&Week]) -> Vec<Week> {
    let edges = weeks.iter().flat_map(|week| week.runs().flat_map(|run| [run.first(), run.last() + 1]));
    let mut edges: Vec<u16> = edges.chain([0, MINUTES_OF_WEEK]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut found: Vec<(Vec<bool>, Vec<Interval<u16>>)> = Vec::new();
    for pair in edges.windows(2) {
        let [first, next] = pair else { continue };
        let held: Vec<bool> = weeks.iter().map(|week| week.contains(*first)).collect();
        let run = Interval::spanning(*first, next - 1);
        match found.iter_mut().find(|(known, _)| *known == held) {
            Some((_, runs)) => runs.push(run),
            None => found.push((held, vec![run])),
        }
    }
    found.into_iter().map(|(_, runs)| Week::of_runs(runs)).collect()
}

/// True if a week holds all minutes of a stretch, of which it holds all or none.
pub(super) fn holds(week: &Week, stretch: &Week) -> bool {
    stretch.runs().next().is_some_and(|run| week.contains(run.first()))
}

impl When {
    /// In words, by the clock that a schedule is written in; nothing for all times.
    pub(super) fn text(&self, written: Option<&Clock>) -> Option<String> {
        let When::During(clock, week) = self else { return None };
        if week.is_whole() {
            return None;
        }
        Some(match written {
            Some(Clock::Offset(minutes)) if *clock == Clock::Offset(0) => {
                format!("{} {}", hours(&week.later(*minutes)), Clock::Offset(*minutes))
            }
            Some(Clock::Offset(_) | Clock::Place(_)) | None => format!("{} {clock}", hours(week)),
        })
    }
}

fn hours(week: &Week) -> String {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let windows = week.windows().into_iter().map(|window| {
        let names: Vec<&str> =
            window.days.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied()).collect();
        let in_a_row = window.days.windows(2).all(|pair| matches!(pair, [one, next] if one + 1 == *next));
        let days = match (names.as_slice(), in_a_row) {
            ([first, _, .., last], true) => format!("{first}..{last}"),
            _ => names.join(", "),
        };
        let end = if window.last + 1 == MINUTES_OF_DAY { "24:00".to_owned() } else { time(window.last + 1) };
        format!("{days} {}-{end}", time(window.first))
    });
    windows.collect::<Vec<_>>().join("; ")
}
