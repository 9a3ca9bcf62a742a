//! When a rule holds on a device: during a schedule, until the end of a day, both, or at all times.

use std::cmp::Reverse;

use jiff::civil::{Date, date};

use super::{Policy, Rule, ScheduleId};

/// The first day that an end is ever given for. No clock that was set shows an earlier one.
const FIRST_END: Date = date(2000, 1, 1);

/// The targets that can end a rule by themselves, each with the last day that it can say: the seconds of `meta time` are
/// read as 32 bits here, `--datestop` of iptables is kept in 32 bits with a sign, and `absolute end` goes to 2035.
const LAST_ENDS: [(&str, Date); 3] =
    [("nftables", date(2106, 2, 6)), ("iptables", date(2038, 1, 18)), ("cisco-ios", date(2035, 12, 31))];

/// When a rule holds, as far as a target can tell. Where one covers another it is smaller: rules that hold more often come
/// first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct When {
    /// The schedule during which it holds, if it is bound to one.
    pub during: Option<ScheduleId>,
    end: Option<Reverse<Date>>,
}

impl When {
    /// During a schedule, if there is one, and until the end of a day, if there is one.
    pub fn new(during: Option<ScheduleId>, end: Option<Date>) -> Self {
        When { during, end: end.map(Reverse) }
    }

    /// The last day.
    pub fn end(self) -> Option<Date> {
        self.end.map(|Reverse(day)| day)
    }

    /// The last second at which it holds, counted from 1970-01-01 00:00 by whatever clock the device goes by.
    pub fn last_second(self) -> Option<u32> {
        let days = (self.end()? - date(1970, 1, 1)).get_days();
        u32::try_from(i64::from(days + 1) * 86_400 - 1).ok()
    }

    /// True if there is neither a schedule nor an end.
    pub fn is_always(self) -> bool {
        self == When::default()
    }

    /// True if it certainly holds whenever the other does.
    pub fn covers(self, other: Self) -> bool {
        let lasts = match (self.end, other.end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Reverse(own)), Some(Reverse(end))) => own >= end,
        };
        lasts && (self.during.is_none() || self.during == other.during)
    }
}

impl Policy {
    /// When a target lets a rule hold. One that cannot end a rule by itself, or not so late, lets it hold until its next
    /// build.
    pub fn when(&self, target: &str, rule: &Rule) -> When {
        let last = LAST_ENDS.iter().find(|(name, _)| *name == target).map(|(_, last)| *last);
        let end = rule.about.until.filter(|end| last.is_some_and(|last| *end <= last));
        When::new(rule.during, end.map(|end| end.max(FIRST_END)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_second() {
        let last = |end| When::new(None, end).last_second();
        assert_eq!(last(Some(date(2026, 12, 31))), Some(1_798_761_599));
        assert_eq!(last(Some(date(2106, 2, 6))), Some(4_294_943_999));
        assert_eq!(last(None), None);
    }

    #[test]
    fn what_covers_another_time_stands_before_it() {
        let ends = [None, Some(date(2027, 6, 30)), Some(date(2026, 12, 31))];
        let schedules = [None, Some(ScheduleId(0)), Some(ScheduleId(1))];
        let all = schedules.iter().flat_map(|during| ends.iter().map(|end| When::new(*during, *end)));
        let all: Vec<When> = all.collect();
        assert!(all.is_sorted() && all.iter().filter(|when| when.is_always()).count() == 1);
        let mut covering = 0;
        for one in &all {
            assert!(one.covers(*one) && When::default().covers(*one));
            let others = all.iter().filter(|other| *other != one && one.covers(**other));
            covering += others.inspect(|other| assert!(one < *other && !other.covers(*one))).count();
        }
        // The one that always holds covers all others; one with a schedule only those with the same.
        assert_eq!(covering, 8 + 5 + 2 + 2 * (2 + 1));
    }
}
