//! Schedules: the hours of a policy as pfSense keeps them, and the time zones that show its clock.

use std::collections::BTreeSet;

use serde::Serialize;

use super::text::{alias_description, schedule_name};
use crate::ir::{Clock, MINUTES_OF_DAY, Policy, Schedule, ScheduleId, Window};

/// A schedule as it stands in the config.
#[derive(Debug, Serialize)]
pub(super) struct ScheduleView {
    name: String,
    description: String,
    ranges: Vec<RangeView>,
}

/// Hours of some days of the week.
#[derive(Debug, Serialize)]
struct RangeView {
    /// The days, 1 being Monday.
    days: String,
    hours: String,
}

/// The name that pfSense knows a schedule by. It comes from the name alone, not from the hours: whichever hours a rule
/// meets under it, they are its own, where a name without a schedule would leave the rule on at all times.
pub(super) fn name(policy: &Policy, id: ScheduleId) -> String {
    let mut taken = BTreeSet::new();
    let mut name = String::new();
    for schedule in policy.schedules.iter().take(id.0.saturating_add(1)) {
        let mut salt = 0;
        name = schedule_name(&schedule.name, salt);
        while !taken.insert(name.clone()) {
            salt += 1;
            name = schedule_name(&schedule.name, salt);
        }
    }
    name
}

/// The schedules that rules name, in the order of their names in the policy, and the clock that they all go by.
pub(super) fn views(policy: &Policy, used: &BTreeSet<&str>) -> (Vec<ScheduleView>, String) {
    let named = (0..policy.schedules.len()).map(|place| (name(policy, ScheduleId(place)), ScheduleId(place)));
    let found: Vec<(String, &Schedule)> = named
        .filter(|(name, _)| used.contains(name.as_str()))
        .map(|(name, id)| (name, &policy[id]))
        .collect();
    let clock = found.first().map(|(_, schedule)| schedule.clock.to_string()).unwrap_or_default();
    (found.into_iter().map(|(name, schedule)| view(name, schedule)).collect(), clock)
}

fn view(name: String, schedule: &Schedule) -> ScheduleView {
    let about = format!("{}, by the clock of {}", schedule.name, schedule.clock);
    // The web interface puts this text into a page as it is (`firewall_rules.php`).
    let plain = about.chars().map(|c| if matches!(c, '<' | '>' | '&' | '"' | '\'') { '_' } else { c });
    ScheduleView {
        name,
        description: alias_description(&plain.collect::<String>()),
        ranges: schedule.week.windows().iter().map(range).collect(),
    }
}

fn range(window: &Window) -> RangeView {
    let days: Vec<String> = window.days.iter().map(|day| (day + 1).to_string()).collect();
    let time = |minute: u16| format!("{}:{:02}", minute / 60, minute % 60);
    let end = (window.last + 1).min(MINUTES_OF_DAY);
    RangeView { days: days.join(","), hours: format!("{}-{}", time(window.first), time(end)) }
}

/// The names of UTC in the IANA database.
const NAMES_OF_UTC: [&str; 16] = [
    "Etc/UTC",
    "UTC",
    "Etc/GMT",
    "GMT",
    "Etc/UCT",
    "UCT",
    "Etc/Universal",
    "Universal",
    "Etc/Zulu",
    "Zulu",
    "Etc/Greenwich",
    "Greenwich",
    "Etc/GMT0",
    "GMT0",
    "GMT+0",
    "GMT-0",
];

/// True if a device in a time zone shows the clock, as [`Clock`] writes itself, at every moment of the year.
pub(super) fn shows(timezone: &str, clock: &str) -> bool {
    match distance(clock) {
        Some(minutes) => fixed(timezone) == Some(minutes),
        None => timezone == clock || (fixed(clock).is_some() && fixed(timezone) == fixed(clock)),
    }
}

/// The time zone that a device has to have to show the clock, if there is one.
pub(super) fn timezone_of(clock: &str) -> Option<String> {
    match distance(clock) {
        None => Some(clock.to_owned()),
        Some(0) => Some("Etc/UTC".to_owned()),
        Some(minutes) => {
            // The sign is that of POSIX: behind Greenwich is positive.
            let zone = format!("Etc/GMT{:+}", -(minutes / 60));
            (fixed(&zone) == Some(minutes)).then_some(zone)
        }
    }
}

/// The minutes that a clock of [`Clock::Offset`] is ahead of UTC; `None` for that of a place.
fn distance(clock: &str) -> Option<i16> {
    let rest = clock.strip_prefix("UTC")?;
    let minutes = (-24 * 60..=24 * 60).find(|minutes| Clock::Offset(*minutes).to_string() == clock);
    minutes.filter(|_| rest.is_empty() || rest.starts_with(['+', '-']))
}

/// The minutes that a time zone is ahead of UTC, if its name says that this never changes.
fn fixed(timezone: &str) -> Option<i16> {
    if NAMES_OF_UTC.contains(&timezone) {
        return Some(0);
    }
    (-14..=12_i16)
        .find(|hours| timezone.strip_prefix("Etc/GMT") == Some(format!("{hours:+}").as_str()))
        .map(|hours| -hours * 60)
        .or_else(|| (timezone == "Etc/GMT-0").then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_shows_a_clock_only_if_it_always_does() {
        for (timezone, clock) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("Etc/UTC", "UTC"),
            ("UTC", "UTC"),
            ("GMT", "UTC"),
            ("Etc/GMT+0", "UTC"),
            ("Etc/GMT-0", "UTC"),
            ("Etc/UTC", "Etc/GMT"),
            ("Etc/GMT-1", "UTC+01:00"),
            ("Etc/GMT+3", "UTC-03:00"),
            ("Etc/GMT-14", "UTC+14:00"),
        ] {
            assert!(shows(timezone, clock), "{timezone} {clock}");
        }
        for (timezone, clock) in [
            ("", "UTC"),
            ("", "Europe/Berlin"),
            ("Europe/London", "UTC"),
            ("Europe/Vienna", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Etc/GMT+1", "UTC+01:00"),
            ("Etc/GMT-2", "UTC+01:00"),
            ("Etc/GMT-01", "UTC+01:00"),
            ("UTC+01:00", "UTC+01:00"),
            ("Asia/Kolkata", "UTC+05:30"),
            ("Etc/GMT-5", "UTC+05:30"),
        ] {
            assert!(!shows(timezone, clock), "{timezone} {clock}");
        }
    }

    #[test]
    fn the_time_zone_that_is_asked_for_shows_the_clock() {
        for clock in ["UTC", "UTC+01:00", "UTC-12:00", "UTC+14:00", "Europe/Berlin"] {
            let timezone = timezone_of(clock).unwrap();
            assert!(shows(&timezone, clock), "{timezone} {clock}");
        }
        assert_eq!(timezone_of("UTC+05:30"), None);
        assert_eq!(timezone_of("UTC-13:00"), None);
    }
}
