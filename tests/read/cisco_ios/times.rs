//! Time ranges.

use super::judge::{Packet, TCP};
use super::{mistakes, model, v4};

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// A list with one entry that a time range limits.
fn text(range: &str) -> String {
    format!("time-range T\n{range}{}", v4(&["permit tcp any any time-range T"]))
}

fn check(range: &str, seconds: &[(u32, bool)]) {
    let model = model(&text(range));
    for (second, passes) in seconds {
        assert_eq!(Packet { second: *second, ..TCP }.passes(&model), *passes, "{range}: {second}");
    }
}

#[test]
fn periods_repeat_on_the_days_that_they_name() {
    let start = 8 * HOUR;
    let end = 17 * HOUR - 1;
    check(
        " periodic weekdays 8:00 to 17:00\n",
        &[(start - 1, false), (start, true), (end, true), (4 * DAY + start, true), (5 * DAY + start, false)],
    );
    check(
        " periodic weekend 8:00 to 17:00\n",
        &[(start, false), (5 * DAY + end, true), (6 * DAY + start, true), (6 * DAY + start - 1, false)],
    );
    check(" periodic daily 8:00 to 17:00\n", &[(start, true), (6 * DAY + end, true), (6 * DAY, false)]);
    check(
        " periodic Monday Wednesday 8:00 to 17:00\n periodic Friday 0:00 to 1:00\n",
        &[
            (start, true),
            (DAY + start, false),
            (2 * DAY + start, true),
            (4 * DAY, true),
            (4 * DAY + start, false),
        ],
    );
}

#[test]
fn a_period_over_several_days_goes_on_through_the_nights() {
    check(
        " periodic Monday 8:00 to Friday 17:00\n",
        &[(0, false), (8 * HOUR, true), (2 * DAY, true), (4 * DAY + 16 * HOUR, true), (5 * DAY, false)],
    );
    check(
        " periodic Saturday 8:00 to Monday 7:00\n",
        &[
            (5 * DAY, false),
            (5 * DAY + 8 * HOUR, true),
            (7 * DAY - 1, true),
            (0, true),
            (7 * HOUR + 60, false),
        ],
    );
}

#[test]
fn the_minute_that_a_period_ends_in_may_count_or_not() {
    let model = model(&text(" periodic daily 8:00 to 17:00\n periodic daily 17:00 to 17:30\n"));
    let condition = ["time-range counts the minute that a period ends in"];
    for (second, without, with) in [
        (17 * HOUR, true, true),
        (17 * HOUR + 30 * 60 - 1, true, true),
        (17 * HOUR + 30 * 60, false, true),
        (17 * HOUR + 30 * 60 + 59, false, true),
        (17 * HOUR + 31 * 60, false, false),
    ] {
        assert_eq!(Packet { second, ..TCP }.passes(&model), without, "{second}");
        assert_eq!(Packet { second, holds: &condition, ..TCP }.passes(&model), with, "{second}");
    }
}

#[test]
fn a_range_that_is_not_defined_is_active() {
    assert!(TCP.passes(&model(&v4(&["permit tcp any any time-range T"]))));
    assert!(!TCP.passes(&model(&v4(&["deny tcp any any time-range T", "permit ip any any"]))));
}

#[test]
fn dates_are_seconds_since_1970() {
    // 2026-01-01 08:00 and 2027-02-02 17:00.
    let (start, end) = (1_767_254_400, 1_801_587_600);
    let range = " absolute start 8:00 1 January 2026 end 17:00 2 February 2027\n";
    let ending = ["time-range counts the minute that dates end in"];
    let dated = model(&text(range));
    for (moment, without, with) in [
        (start - 1, false, false),
        (start, true, true),
        (end - 1, true, true),
        (end, false, true),
        (end + 59, false, true),
        (end + 60, false, false),
    ] {
        assert_eq!(Packet { moment, ..TCP }.passes(&dated), without, "{moment}");
        assert_eq!(Packet { moment, holds: &ending, ..TCP }.passes(&dated), with, "{moment}");
    }
    let both = model(&text(&format!("{range} periodic daily 8:00 to 17:00\n")));
    let at = |moment, second| Packet { moment, second, ..TCP };
    assert!(at(start, 9 * HOUR).passes(&both) && at(end - 1, 9 * HOUR).passes(&both));
    assert!(!at(start, 7 * HOUR).passes(&both) && !at(start - 1, 9 * HOUR).passes(&both));
    assert!(!at(end, 9 * HOUR).passes(&both));
    assert!(Packet { holds: &ending, ..at(end, 9 * HOUR) }.passes(&both));
    // In a minute that both end in, both have to count it.
    let periods = "time-range counts the minute that a period ends in";
    assert!(!Packet { holds: &ending, ..at(end, 17 * HOUR) }.passes(&both));
    assert!(Packet { holds: &[ending[0], periods], ..at(end, 17 * HOUR) }.passes(&both));
    for (range, last) in
        [(" absolute end 0:00 1 jan 2030\n", 1_893_456_000), (" absolute start 0:00 1 Sept 2026\n", u32::MAX)]
    {
        let model = model(&text(range));
        assert!(Packet { moment: last - 1, ..TCP }.passes(&model), "{range}");
        assert_eq!(Packet { moment: last, ..TCP }.passes(&model), last == u32::MAX, "{range}");
    }
}

#[test]
fn periods_that_no_document_explains_are_mistakes() {
    for range in [
        " periodic daily 22:00 to 6:00\n",
        " periodic daily 8:00 to 8:00\n",
        " periodic weekdays 8:00 to Friday 17:00\n",
        " periodic 8:00 to 17:00\n",
        " periodic daily 8:00 to 24:00\n",
        " periodic daily 8 to 9\n",
        " periodic daily 8:00 until 9:00\n",
        " sometimes\n",
        " absolute\n",
        " absolute end 8:00 1 January 2026 end 9:00 1 January 2026\n",
        " absolute start 8:00 1 January 2026 end 8:00 1 January 2026\n",
        " absolute end 8:00 30 February 2026\n",
        " absolute end 8:00 1 Ja 2026\n",
        " absolute end 8:00 1 January 1969\n",
    ] {
        assert_eq!(mistakes(&text(range))[0].0, 2, "{range}");
    }
    let empty = "time range `T` says no time, and no document says what that means";
    assert_eq!(mistakes(&text("")), [(3, empty.to_owned())]);
}
