//! Schedules and ends as time ranges, and the moments that differ by which schedules hold and which ends have come.
//!
//! A time range is named after its lines, so one in use never changes, and it is written before the lists that use it:
//! IOS takes a line whose time range is missing to hold always. It is meant by the clock of the device.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::text::digest;
use crate::diag::Diagnostics;
use crate::emit::unsupported;
use crate::ir::{Clock, MINUTES_OF_WEEK, Policy, RuleIndex, Schedule, ScheduleId, Week, When, Window};
use crate::plan::DevicePlan;

/// Days by the words of IOS, from Monday on.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A clock that was never set begins in 1993. A time range is not looked at before its `absolute start`, so until
/// somebody sets the clock none holds. The year is arbitrary, and fixed since names are made of lines.
const CLOCK_IS_SET: i16 = 2025;

/// A time range with its lines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct TimeRange {
    name: String,
    /// The schedules that have these hours.
    schedules: BTreeSet<String>,
    /// The last day, if there is one.
    end: Option<String>,
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

/// What may be asked of a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Condition {
    /// A schedule holds.
    During(ScheduleId),
    /// A day has not ended.
    Until(Date),
}

/// A moment at which some conditions hold and the others do not.
pub(super) struct Moment {
    holding: BTreeSet<Condition>,
}

/// All moments that differ by which schedules hold and which ends have come, and some sets of them that have a name.
pub(super) struct Calendar {
    pub(super) moments: Vec<Moment>,
    /// From the widest to the narrowest: all of them first, each by itself last.
    pub(super) times: Vec<Time>,
}

/// A set of moments.
pub(super) struct Time {
    /// Which they are, as `, during a, outside of b and c, until 2027-06-30`; nothing for all of them.
    pub(super) words: String,
    /// Their places.
    pub(super) moments: BTreeSet<usize>,
}

/// What has to hold for something that holds at a time.
fn conditions(when: When) -> BTreeSet<Condition> {
    let until = when.end().map(Condition::Until);
    when.during.map(Condition::During).into_iter().chain(until).collect()
}

impl Moment {
    /// True if something holds then.
    pub(super) fn holds(&self, when: When) -> bool {
        conditions(when).is_subset(&self.holding)
    }
}

/// What ends a line that does not hold always. Its time range is added to those of the device.
pub(super) fn ending(policy: &Policy, when: When, ranges: &mut Ranges) -> String {
    if when.is_always() {
        return String::new();
    }
    let schedule = when.during.map(|id| &policy[id]);
    let lines = lines(schedule.map(|schedule| &schedule.week), when.end(), policy.as_of);
    let name = format!("CORDON-T-{}", digest(lines.iter().map(String::as_str)));
    let end = when.end().map(|end| end.to_string());
    let known = ranges.entry(name.clone());
    let range =
        known.or_insert_with(|| TimeRange { name: name.clone(), schedules: BTreeSet::new(), end, lines });
    range.schedules.extend(schedule.map(|schedule| schedule.name.clone()));
    format!(" time-range {name}")
}

/// How a remark says when a rule holds; nothing for one that always does.
pub(super) fn remark(policy: &Policy, when: When) -> String {
    words(policy, &conditions(when), &BTreeSet::new())
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

/// The moments that are told apart by what holds at these times.
pub(super) fn calendar(policy: &Policy, whens: &BTreeSet<When>) -> Calendar {
    let asked: BTreeSet<Condition> = whens.iter().copied().flat_map(conditions).collect();
    let moments = moments(policy, &asked);
    let time = |held: &BTreeSet<Condition>, others: &BTreeSet<Condition>| {
        let is_in = |moment: &Moment| held.is_subset(&moment.holding) && others.is_disjoint(&moment.holding);
        let places = moments.iter().enumerate().filter(|(_, moment)| is_in(moment));
        Time { words: words(policy, held, others), moments: places.map(|(place, _)| place).collect() }
    };
    let none = BTreeSet::new();
    let mut times = vec![time(&none, &none)];
    times.extend(asked.iter().map(|condition| time(&BTreeSet::from([*condition]), &none)));
    times.extend(asked.iter().map(|condition| time(&none, &BTreeSet::from([*condition]))));
    times.extend(whens.iter().map(|when| time(&conditions(*when), &none)));
    times.extend(moments.iter().map(|moment| {
        let others = asked.difference(&moment.holding).copied().collect();
        time(&moment.holding, &others)
    }));
    Calendar { moments, times }
}

/// Which conditions hold together: schedules as in the course of a week, and ends one after the other.
fn moments(policy: &Policy, asked: &BTreeSet<Condition>) -> Vec<Moment> {
    let (mut schedules, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for condition in asked {
        match condition {
            Condition::During(id) => schedules.insert(*id),
            Condition::Until(end) => ends.insert(*end),
        };
    }
    let holds = |id: ScheduleId, minute: u16| policy[id].week.runs().any(|run| run.contains(minute));
    let runs = schedules.iter().flat_map(|id| policy[*id].week.runs());
    let changes: BTreeSet<u16> = runs.flat_map(|run| [run.first(), run.last() + 1]).chain([0]).collect();
    let week = changes.into_iter().filter(|minute| *minute < MINUTES_OF_WEEK);
    let holding = week.map(|minute| {
        let held = schedules.iter().copied().filter(|id| holds(*id, minute));
        held.map(Condition::During).collect()
    });
    let holding: BTreeSet<BTreeSet<Condition>> = holding.collect();
    let to_come = |passed: usize| ends.iter().skip(passed).copied().map(Condition::Until);
    let moments = (0..=ends.len()).flat_map(|passed| {
        holding
            .iter()
            .map(move |held| Moment { holding: held.iter().copied().chain(to_come(passed)).collect() })
    });
    moments.collect()
}

/// Of several ends that have not come the first says it, and of several that have the last.
fn words(policy: &Policy, held: &BTreeSet<Condition>, others: &BTreeSet<Condition>) -> String {
    let during = |conditions: &BTreeSet<Condition>| {
        let names = conditions.iter().filter_map(|condition| match condition {
            Condition::During(id) => Some(policy[*id].name.as_str()),
            Condition::Until(_) => None,
        });
        names.collect::<Vec<_>>().join(" and ")
    };
    let end = |condition: &Condition| match condition {
        Condition::During(_) => None,
        Condition::Until(end) => Some(end.to_string()),
    };
    let parts = [
        ("during", during(held)),
        ("outside of", during(others)),
        ("after", others.iter().filter_map(end).next_back().unwrap_or_default()),
        ("until", held.iter().find_map(end).unwrap_or_default()),
    ];
    let parts = parts.iter().filter(|(_, what)| !what.is_empty());
    parts.map(|(word, what)| format!(", {word} {what}")).collect()
}

/// The lines of a time range. The minute that hours or dates end in belongs to them; a platform that thinks otherwise
/// closes a minute early. Days are cut at midnight, since `24:00` is not taken everywhere.
fn lines(week: Option<&Week>, end: Option<Date>, as_of: Date) -> Vec<String> {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let windows = week.map(Week::windows).unwrap_or_default().into_iter();
    let periodic = windows
        .map(|window| format!("periodic {} {} to {}", days(&window), time(window.first), time(window.last)));
    let end = end.map(|end| format!(" end 23:59 {}", end.strftime("%-d %B %Y"))).unwrap_or_default();
    let start = format!("absolute start 00:00 1 January {}", as_of.year().min(CLOCK_IS_SET));
    [start + &end].into_iter().chain(periodic).collect()
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
    use jiff::civil::date;

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
        let today = date(2026, 11, 1);
        let week = nights.union(Week::of_days(5..7, 0, 24 * 60));
        assert_eq!(
            lines(Some(&week), None, today),
            [
                "absolute start 00:00 1 January 2025",
                "periodic tuesday wednesday thursday friday 00:00 to 05:59",
                "periodic weekend 00:00 to 23:59",
                "periodic weekdays 22:00 to 23:59",
            ]
        );
        let morning = Week::of_days(0..7, 60, 120);
        let until = Some(date(2027, 6, 3));
        assert_eq!(
            lines(Some(&morning), until, today),
            ["absolute start 00:00 1 January 2025 end 23:59 3 June 2027", "periodic daily 01:00 to 01:59",]
        );
        let until = Some(date(2023, 12, 31));
        let start_comes_first = lines(None, until, date(2023, 1, 1));
        assert_eq!(start_comes_first, ["absolute start 00:00 1 January 2023 end 23:59 31 December 2023"]);
    }
}
