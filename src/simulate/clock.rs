//! Whether a schedule holds at the time of a flow.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::flows::Moment;
use crate::ir::{Clock, MINUTES_OF_DAY, MINUTES_OF_WEEK, Policy, Schedule, ScheduleId};

/// The clocks of all schedules of a policy.
#[derive(Clone, Debug)]
pub(super) struct Clocks<'p> {
    schedules: Vec<(&'p Schedule, TimeZone)>,
}

/// The minute of the week at 1970-01-01 00:00, a Thursday.
const EPOCH: i64 = 3 * MINUTES_OF_DAY as i64;

impl<'p> Clocks<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        let database = TimeZoneDatabase::bundled();
        let zone = |clock: &Clock| match clock {
            Clock::Offset(minutes) => {
                let offset = jiff::tz::Offset::from_seconds(i32::from(*minutes) * 60);
                offset.map_or(TimeZone::UTC, TimeZone::fixed)
            }
            // INVARIANT: `check` takes no name that this database does not know.
            Clock::Place(name) => database.get(name).unwrap_or(TimeZone::UTC),
        };
        let schedules = policy.schedules.iter().map(|schedule| (schedule, zone(&schedule.clock)));
        Clocks { schedules: schedules.collect() }
    }

    /// True if a schedule holds at a moment. A wall clock of which nobody said where it hangs is taken for that of the
    /// schedule.
    pub(super) fn holds(&self, schedule: ScheduleId, moment: Moment) -> bool {
        let Some((schedule, zone)) = self.schedules.get(schedule.0) else { return false };
        let ahead = match (moment.is_wall, Timestamp::from_second(moment.seconds)) {
            (false, Ok(timestamp)) => i64::from(zone.to_offset(timestamp).seconds()),
            (true, _) | (false, Err(_)) => 0,
        };
        let minutes = moment.seconds.saturating_add(ahead).div_euclid(60).saturating_add(EPOCH);
        let minute = minutes.rem_euclid(i64::from(MINUTES_OF_WEEK));
        u16::try_from(minute).is_ok_and(|minute| schedule.week.contains(minute))
    }
}
