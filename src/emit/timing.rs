//! Whether a platform can tell the time that a rule asks for.
//!
//! In: the plan of an enforcement point. Out: the same plan without the entries of rules whose schedule its platform
//! cannot express, each of them reported. Only allows have schedules, so what is left out is denied.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::unsupported;
use crate::diag::Diagnostics;
use crate::ir::{Clock, MINUTES_OF_DAY, RuleIndex, Schedule};
use crate::plan::DevicePlan;

/// What a platform can do with time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Timing {
    /// It knows no time.
    Timeless,
    /// It counts the minutes of the week in UTC, whatever the clock on its wall shows.
    Utc,
    /// It goes by its own clock, in steps of so many minutes.
    OwnClock {
        /// Minutes of a step; hours begin and end on one.
        step: u16,
    },
}

/// The plan without what the platform cannot time.
pub(super) fn timed<'a, 'p>(
    plan: &'a DevicePlan<'p>,
    timing: Timing,
    diagnostics: &mut Diagnostics,
) -> Cow<'a, DevicePlan<'p>> {
    let policy = plan.policy;
    let entries = plan.pairs.iter().flat_map(|pair| &pair.entries);
    let rules: BTreeSet<RuleIndex> =
        entries.map(|entry| entry.rule).filter(|rule| policy[*rule].during.is_some()).collect();
    let schedules: BTreeMap<RuleIndex, &Schedule> =
        rules.into_iter().filter_map(|rule| Some((rule, policy.schedule_of(&policy[rule])?))).collect();
    let own_clock = schedules.values().min_by_key(|schedule| &schedule.name);
    let mut left_out = BTreeSet::new();
    for (rule, schedule) in &schedules {
        let obstacle = obstacle(schedule, timing)
            .or_else(|| own_clock.and_then(|first| other_clock(schedule, first, timing)));
        if let Some(what) = obstacle {
            unsupported(&policy[*rule], plan, &what, diagnostics);
            left_out.insert(*rule);
        }
    }
    if left_out.is_empty() {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    for pair in &mut plan.pairs {
        pair.entries.retain(|entry| !left_out.contains(&entry.rule));
    }
    plan.pairs.retain(|pair| !pair.entries.is_empty());
    Cow::Owned(plan)
}

/// Why a platform cannot tell when a schedule holds.
fn obstacle(schedule: &Schedule, timing: Timing) -> Option<String> {
    let name = &schedule.name;
    match timing {
        Timing::Timeless => Some(format!("the schedule `{name}`")),
        Timing::Utc => match &schedule.clock {
            Clock::Offset(_) => None,
            Clock::Place(place) => Some(format!(
                "the schedule `{name}`, since hours are counted in UTC there, and the clock of {place} need not stay at \
                 one distance from it; say `timezone utc` or a fixed offset like `timezone +01:00`"
            )),
        },
        Timing::OwnClock { step } => {
            let off_step = schedule
                .week
                .windows()
                .into_iter()
                .find(|window| window.first % step != 0 || (window.last + 1) % step != 0)?;
            let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            let (start, end) = (time(off_step.first), time((off_step.last + 1).min(MINUTES_OF_DAY)));
            Some(format!("the schedule `{name}`, since {start}-{end} is not made of steps of {step} minutes"))
        }
    }
}

/// Why a schedule cannot be told by a platform that has one clock, which another schedule has taken.
fn other_clock(schedule: &Schedule, first: &Schedule, timing: Timing) -> Option<String> {
    let Timing::OwnClock { .. } = timing else { return None };
    (schedule.clock != first.clock).then(|| {
        format!(
            "the schedule `{}`, since there is one clock, which has to be that of {} for the schedule `{}`",
            schedule.name, first.clock, first.name
        )
    })
}
