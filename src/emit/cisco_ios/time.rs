//! Schedules as time ranges, and the moments of a week that differ by which schedules hold.
//!
//! A time range is named after its lines, so one in use never changes, and it is written before the lists that use it:
//! IOS takes a line whose time range is missing to hold always. It is meant by the clock of the device.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::text::digest;
use crate::diag::Diagnostics;
use crate::emit::unsupported;
use crate::ir::{Clock, MINUTES_OF_WEEK, Policy, RuleIndex, Schedule, ScheduleId, Week, Window};
use crate::plan::DevicePlan;

/// Days by the words of IOS, from Monday on.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A clock that was never set begins in 1993. A time range is not looked at before its `absolute start`, so until
/// somebody sets the clock none holds. The date is arbitrary, and fixed since names are made of lines.
const CLOCK_IS_SET: &str = "absolute start 00:00 1 January 2025";

/// A time range with its lines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct TimeRange {
    name: String,
    /// The schedules that have these hours.
    schedules: BTreeSet<String>,
    lines: Vec<String>,
}

/// All time ranges of a device, by name.
pub(super) type Ranges = BTreeMap<String, TimeRange>;

impl TimeRange {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// True if a line of a file ends in a time range before the line that defines it, or without one.
pub(super) fn is_named_too_early(name: &str, file: &str) -> bool {
    let definition = format!("time-range {name}");
    let first = file.lines().find(|line| line.trim_end().ends_with(&definition));
    first.is_some_and(|line| line.trim() != definition)
}

/// A moment at which some of the schedules hold and the others do not.
pub(super) struct Moment {
    holding: BTreeSet<ScheduleId>,
}

/// All moments of a week that differ by which schedules hold, and some sets of them that have a name.
pub(super) struct Calendar {
    pub(super) moments: Vec<Moment>,
    /// From the widest to the narrowest: all of them first, each by itself last.
    pub(super) times: Vec<Time>,
}

/// A set of moments.
pub(super) struct Time {
    /// Which they are, as `, during a, outside of b and c`; nothing for all of them.
    pub(super) words: String,
    /// Their places.
    pub(super) moments: BTreeSet<usize>,
}

impl Moment {
    /// True if something holds that is bound to a schedule, or to none.
    pub(super) fn holds(&self, during: Option<ScheduleId>) -> bool {
        during.is_none_or(|id| self.holding.contains(&id))
    }
}

/// What ends a line that holds during a schedule. Its time range is added to those of the device.
pub(super) fn ending(policy: &Policy, during: Option<ScheduleId>, ranges: &mut Ranges) -> String {
    let Some(schedule) = during.map(|id| &policy[id]) else { return String::new() };
    let lines = lines(&schedule.week);
    let name = format!("CORDON-T-{}", digest(lines.iter().map(String::as_str)));
    let known = ranges.entry(name.clone());
    let range = known.or_insert_with(|| TimeRange { name: name.clone(), schedules: BTreeSet::new(), lines });
    range.schedules.insert(schedule.name.clone());
    format!(" time-range {name}")
}

/// How a remark says when a rule holds; nothing for one that always does.
pub(super) fn remark(policy: &Policy, during: Option<ScheduleId>) -> String {
    during.map(|id| format!(", during {}", policy[id].name)).unwrap_or_default()
}

/// The clock that time ranges are meant by, in words. All schedules of a device have the same one.
pub(super) fn clock(plan: &DevicePlan) -> Option<String> {
    let schedules = scheduled(plan);
    let (_, schedule) = schedules.first_key_value()?;
    Some(match &schedule.clock {
        Clock::Offset(_) => format!("{} all the year, without `clock summer-time`", schedule.clock),
        Clock::Place(place) => format!("{place}, with `clock summer-time` where it has one"),
    })
}

/// The moments of a week that a policy with these schedules knows.
pub(super) fn calendar(policy: &Policy, schedules: &BTreeSet<ScheduleId>) -> Calendar {
    let moments = moments(policy, schedules);
    let time = |held: &BTreeSet<ScheduleId>, others: &BTreeSet<ScheduleId>| {
        let is_in = |moment: &Moment| held.is_subset(&moment.holding) && others.is_disjoint(&moment.holding);
        let places = moments.iter().enumerate().filter(|(_, moment)| is_in(moment));
        Time { words: words(policy, held, others), moments: places.map(|(place, _)| place).collect() }
    };
    let none = BTreeSet::new();
    let mut times = vec![time(&none, &none)];
    times.extend(schedules.iter().map(|id| time(&BTreeSet::from([*id]), &none)));
    times.extend(schedules.iter().map(|id| time(&none, &BTreeSet::from([*id]))));
    times.extend(moments.iter().map(|moment| {
        let others = schedules.difference(&moment.holding).copied().collect();
        time(&moment.holding, &others)
    }));
    Calendar { moments, times }
}

fn moments(policy: &Policy, schedules: &BTreeSet<ScheduleId>) -> Vec<Moment> {
    let holds = |id: ScheduleId, minute: u16| policy[id].week.runs().any(|run| run.contains(minute));
    let runs = schedules.iter().flat_map(|id| policy[*id].week.runs());
    let changes: BTreeSet<u16> = runs.flat_map(|run| [run.first(), run.last() + 1]).chain([0]).collect();
    let week = changes.into_iter().filter(|minute| *minute < MINUTES_OF_WEEK);
    let holding = week.map(|minute| schedules.iter().copied().filter(|id| holds(*id, minute)).collect());
    let holding: BTreeSet<BTreeSet<ScheduleId>> = holding.collect();
    holding.into_iter().map(|holding| Moment { holding }).collect()
}

fn words(policy: &Policy, held: &BTreeSet<ScheduleId>, others: &BTreeSet<ScheduleId>) -> String {
    let named = [("during", held), ("outside of", others)].into_iter().filter(|(_, ids)| !ids.is_empty());
    let parts = named.map(|(word, ids)| {
        let names: Vec<&str> = ids.iter().map(|id| policy[*id].name.as_str()).collect();
        format!(", {word} {}", names.join(" and "))
    });
    parts.collect()
}

/// The lines of a time range. The minute that hours end in belongs to them; a platform that thinks otherwise closes a
/// minute early. Days are cut at midnight, since `24:00` is not taken everywhere.
fn lines(week: &Week) -> Vec<String> {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let periodic = week
        .windows()
        .into_iter()
        .map(|window| format!("periodic {} {} to {}", days(&window), time(window.first), time(window.last)));
    [CLOCK_IS_SET.to_owned()].into_iter().chain(periodic).collect()
}

fn days(window: &Window) -> String {
    match window.days.as_slice() {
        [0, 1, 2, 3, 4, 5, 6] => "daily".to_owned(),
        [0, 1, 2, 3, 4] => "weekdays".to_owned(),
        [5, 6] => "weekend".to_owned(),
        days => {
            let words = days.iter().filter_map(|day| DAYS.get(usize::from(*day)).copied());
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

/// The plan without rules whose schedule has a minute by itself, each of them reported: hours that begin and end at the
/// same time could mean a whole day.
pub(super) fn sayable<'a, 'p>(
    plan: &'a DevicePlan<'p>,
    diagnostics: &mut Diagnostics,
) -> Cow<'a, DevicePlan<'p>> {
    let mut left_out = BTreeSet::new();
    for (rule, schedule) in scheduled(plan) {
        let single = schedule.week.windows().into_iter().find(|window| window.first == window.last);
        if let Some(window) = single {
            let (hour, minute) = (window.first / 60, window.first % 60);
            let name = &schedule.name;
            let what =
                format!("the schedule `{name}`, since {hour:02}:{minute:02} is a minute by itself there");
            unsupported(&plan.policy[rule], plan, &what, diagnostics);
            left_out.insert(rule);
        }
    }
    if left_out.is_empty() {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    for pair in &mut plan.pairs {
        pair.entries.retain(|entry| !left_out.contains(&entry.rule));
    }
    Cow::Owned(plan)
}

/// The rules of a device that hold during a schedule.
fn scheduled<'p>(plan: &DevicePlan<'p>) -> BTreeMap<RuleIndex, &'p Schedule> {
    let policy = plan.policy;
    let rules = plan.pairs.iter().flat_map(|pair| &pair.entries).map(|entry| entry.rule);
    rules.filter_map(|rule| Some((rule, policy.schedule_of(&policy[rule])?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_whose_time_range_is_not_there_yet_is_found() {
        let definition = "time-range T\n periodic daily 01:00 to 02:00\n";
        let line = " permit ip any any time-range T\n";
        assert!(!is_named_too_early("T", &format!("{definition}{line}")));
        assert!(is_named_too_early("T", &format!("{line}{definition}")) && is_named_too_early("T", line));
        assert!(!is_named_too_early("T", "no lines at all\n"));
    }

    #[test]
    fn hours_become_lines_that_end_in_their_last_minute() {
        let nights = Week::of_days(0..5, 22 * 60, 6 * 60);
        let lines = lines(&nights.union(Week::of_days(5..7, 0, 24 * 60)));
        assert_eq!(
            lines,
            [
                CLOCK_IS_SET,
                "periodic tuesday wednesday thursday friday 00:00 to 05:59",
                "periodic weekend 00:00 to 23:59",
                "periodic weekdays 22:00 to 23:59",
            ]
        );
        assert_eq!(
            super::lines(&Week::of_days(0..7, 60, 120)).last().unwrap(),
            "periodic daily 01:00 to 01:59"
        );
    }
}
