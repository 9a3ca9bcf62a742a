//! Rules with a schedule, at the time of each flow.

use super::replayed;

/// The verdict on a session at a time.
fn verdict(first: &str) -> (&'static str, Option<String>, String) {
    let (report, _) = replayed(&format!("proto,src,dst,dport,first\ntcp,10.2.0.10,10.1.0.17,22,{first}\n"));
    let row = &report.rows[0];
    (row.verdict, row.rule.clone(), row.because.clone())
}

#[test]
fn a_flow_is_judged_at_its_time_by_the_clock_of_the_schedule() {
    // The 5th of October 2026 is a Monday, in summer time: 08:00 in Berlin is 06:00 in UTC; in January it is 07:00.
    let expected = [
        ("2026-10-05T06:00:00Z", "allow"),
        ("2026-10-05T05:59:59Z", "deny"),
        ("2026-10-05T15:59:59Z", "allow"),
        ("2026-10-05T16:00:00Z", "deny"),
        ("2026-10-05T09:00:00+03:00", "allow"),
        ("2027-01-04T06:30:00Z", "deny"),
        ("2027-01-04T07:00:00Z", "allow"),
        ("2026-10-04T12:00:00Z", "deny"),
        // Without a zone it is the clock of the schedule.
        ("2026-10-05 08:00:00", "allow"),
        ("2026-10-05 07:59:59", "deny"),
        // Seconds, with a part, and milliseconds.
        ("1791180000", "allow"),
        ("1791179999.999", "deny"),
        ("1791180000000", "allow"),
    ];
    for (first, wanted) in expected {
        let (verdict, rule, because) = verdict(first);
        assert_eq!((verdict, rule.as_deref()), (wanted, Some("care")), "{first}: {because}");
    }
}

#[test]
fn without_a_time_it_is_said_that_nothing_says_when() {
    let (verdict, _, because) = verdict("");
    assert_eq!(verdict, "scheduled");
    assert_eq!(because, "`care` allows it during `office`, and nothing says when it was");
}

#[test]
fn what_a_schedule_allows_at_other_times_is_not_suggested() {
    let (report, suggestion) =
        replayed("proto,src,dst,dport,first\ntcp,10.2.0.10,10.1.0.17,22,2026-10-04 12:00:00\n");
    assert_eq!((report.blocked.flows, suggestion.allows, suggestion.held_back.len()), (1, 0, 1));
    assert!(
        suggestion.text.contains("# Blocked too, and not suggested:\n#   pump_srv -> pump, tcp 22"),
        "{}",
        suggestion.text
    );
    assert!(report.unused.iter().any(|unused| unused.rule == "care"), "a rule is not used at other times");
}
