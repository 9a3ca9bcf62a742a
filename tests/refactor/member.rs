//! Adding and removing members.

use std::fs;

use super::{WHOLE, changed, run, text, whole};

/// Runs a command on the policy that has everything, and gives the lines that changed.
fn change(arguments: &[&str]) -> (Vec<String>, String) {
    let policy = whole();
    let (code, out, err) = run(arguments, policy.path());
    assert_eq!((code, out.as_str()), (0, ""), "{arguments:?}: {err}");
    (changed(WHOLE, &text(&policy)), err)
}

#[test]
fn members_are_added_as_the_list_is_laid_out() {
    let (lines, err) = change(&["add", "pump", "to", "all_srv"]);
    assert_eq!(lines, ["-  log_srv    # the last one", "+  log_srv,    # the last one", "+  pump"]);
    assert!(err.starts_with("added `pump` to the group `all_srv`: 2 places in 1 file\n"), "{err}");
    let (lines, err) = change(&["add", "10.2.0.12", "to", "pump_srv"]);
    assert_eq!(lines[1], "+peer pump_srv in servers { host 10.2.0.10, 10.2.0.12 }");
    assert!(
        err.contains("access changes: 1 opened") && err.contains("peer `pump_srv` gained 10.2.0.12"),
        "{err}"
    );
    let (lines, _) = change(&["add", "10.9.0.0/24", "to", "ward"]);
    assert_eq!(lines[1], "+zone ward    { net 10.1.0.0/24, 10.9.0.0/24   note \"ward\" }");
    let (lines, _) = change(&["add", "tcp", "3614-3615", "to", "alaris"]);
    assert_eq!(lines[1], "+service alaris { tcp 3613, 3614-3615 }");
    let (lines, _) = change(&["add", "icmp echo-request", "to", "syslog"]);
    assert_eq!(lines[1], "+service syslog { udp 514, 600-610   tcp 514   icmp echo-request }");
}

#[test]
fn members_are_removed_and_comments_stay() {
    let (lines, err) = change(&["remove", "inner", "from", "all_srv"]);
    assert_eq!(lines, ["-  inner,     # by way of another group", "+  # by way of another group"]);
    assert!(err.contains("closed") && err.contains("members of a group changed: data"), "{err}");
    let (lines, _) = change(&["remove", "10.1.0.200", "from", "pump"]);
    assert_eq!(lines[1], "+  hosts 10.1.0.0/25");
    let (lines, _) = change(&["remove", "10.3.0.0/24", "from", "servers"]);
    assert_eq!(lines[1], "+zone servers { net 10.2.0.0/24 }");
    let (lines, _) = change(&["remove", "udp 514", "from", "syslog"]);
    assert_eq!(lines[1], "+service syslog { udp 600-610   tcp 514 }");
    let (lines, _) = change(&["remove", "tcp 514", "from", "syslog"]);
    assert_eq!(lines[1], "+service syslog { udp 514, 600-610 }");
}

#[test]
fn what_was_added_can_be_removed_again() {
    for (what, name) in [
        ("pump", "inner"),
        ("10.2.0.12", "pump_srv"),
        ("10.1.0.150", "pump"),
        ("10.9.0.0/24", "ward"),
        ("udp 7", "syslog"),
    ] {
        let policy = whole();
        let (code, _, err) = run(&["add", what, "to", name], policy.path());
        assert!(code == 0 && text(&policy) != WHOLE, "{err}");
        let (code, _, err) = run(&["remove", what, "from", name], policy.path());
        assert_eq!((code, text(&policy).as_str()), (0, WHOLE), "{err}");
    }
}

#[test]
fn what_changes_nothing_or_leaves_nothing_is_refused() {
    let cases: [(&[&str], &str); 20] = [
        (
            &["add", "log_srv", "to", "all_srv"],
            "`log_srv` is in `all_srv` already: `log_srv` at a.cordon:15:3",
        ),
        (
            &["add", "pump_srv", "to", "all_srv"],
            "`pump_srv` is in `all_srv` already: `inner` at a.cordon:14:3",
        ),
        (&["remove", "pump_srv", "from", "all_srv"], "by way of `inner` at a.cordon:14:3"),
        (&["remove", "pump_srv", "from", "inner"], "is the last one"),
        (&["remove", "ward", "from", "inner"], "`ward` is not in `inner`"),
        (&["add", "10.1.0.7", "to", "pump"], "already: `10.1.0.0/25` at a.cordon:7:9"),
        (&["remove", "10.1.0.7", "from", "pump"], "by way of `10.1.0.0/25` at a.cordon:7:9: write `except`"),
        (&["remove", "10.2.0.10", "from", "pump_srv"], "is the last one"),
        (&["remove", "10.1.0.0/24", "from", "ward"], "is the last one"),
        (&["add", "10.9.0.1", "to", "ward"], "is not a prefix"),
        (&["add", "10.1.0.1/24", "to", "pump"], "is not an address, a range or a prefix"),
        (&["add", "udp 605", "to", "syslog"], "already: `600-610`"),
        (&["remove", "udp 605", "from", "syslog"], "by way of `600-610`"),
        (&["remove", "sctp 1", "from", "syslog"], "is not in `syslog`"),
        (&["remove", "tcp 3613", "from", "alaris"], "is the last one"),
        (&["add", "443", "to", "alaris"], "is not protocols and ports"),
        (&["add", "tcp 1 } allow { from any", "to", "alaris"], "is not protocols and ports"),
        (&["add", "ward", "to", "data"], "the allow `data` has no members"),
        (&["add", "ward", "to", "iner"], "did you mean `inner`?"),
        (&["add", "ward", "into", "inner"], "usage: cordon add"),
    ];
    let policy = whole();
    for (arguments, said) in cases {
        let (code, out, err) = run(arguments, policy.path());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    assert_eq!(text(&policy), WHOLE);
    let excepted = WHOLE.replace("group inner { pump_srv }", "group inner { servers except pump_srv }");
    fs::write(policy.path().join("a.cordon"), &excepted).unwrap();
    for command in [["add", "to"], ["remove", "from"]] {
        let (code, _, err) = run(&[command[0], "pump_srv", command[1], "inner"], policy.path());
        assert!(code == 2 && err.contains("`except pump_srv` at a.cordon:12:30 takes"), "{err}");
    }
}

#[test]
fn what_would_be_wrong_is_shown_and_not_written() {
    let policy = whole();
    let cases: [(&[&str], &str); 4] = [
        (&["add", "nobody", "to", "inner"], "C0101"),
        (&["add", "10.9.0.1", "to", "pump_srv"], "C0205"),
        (&["add", "10.2.0.0/25", "to", "ward"], "C0204"),
        (&["add", "all_srv", "to", "inner"], "C0106"),
    ];
    for (arguments, code_said) in cases {
        let (code, out, err) = run(arguments, policy.path());
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {err}");
        assert!(err.contains(code_said) && err.contains("nothing was written"), "{arguments:?}: {err}");
        assert_eq!(text(&policy), WHOLE);
    }
}
