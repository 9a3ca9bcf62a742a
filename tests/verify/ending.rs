//! Rules that end by themselves: an end that is missing, early or late is a difference, and its first moment is named.

use std::fs;
use std::path::Path;

use super::verify;
use crate::support::{AS_OF, cordon, succeed};

/// Rules with an end, with an end and a schedule, and such that allow the same.
fn ending(target: &str, interfaces: [&str; 2]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let kind = if target == "cisco-ios" { "switch" } else { "firewall" };
    let [a, b] = interfaces;
    let text = format!(
        "policy \"e\"\nzone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }}\nzone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}\n\
         schedule day {{ mon..fri 08:00-18:00  timezone utc }}\n\
         allow lasting {{ from a  to b  via tcp 80 }}\n\
         allow vendor {{ from a  to b  via tcp 80-81, udp 5000  until 2027-06-30 }}\n\
         allow shorter {{ from a  to b  via tcp 81-82  until 2026-12-31  log }}\n\
         allow daily {{ from a  to b  via tcp 81-83  during day }}\n\
         allow brief {{ from b  to a  via tcp 22-23  until 2026-12-31 }}\n\
         allow session {{ from b  to a  via tcp 22  during day  until 2027-06-30 }}\n\
         manage {{ from b  via tcp 22 }}\n\
         {kind} f {{ target {target}  interface {a} zone a  interface {b} zone b }}\n"
    );
    fs::write(directory.path().join("policy.cordon"), text).unwrap();
    succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    directory
}

/// What a policy says of a change to a file of its build: a text, what stands for it, and what is told.
type Change = (&'static str, &'static str, &'static [&'static str]);

#[track_caller]
fn changes(target: &str, interfaces: [&str; 2], name: &str, changes: &[Change]) {
    let policy = ending(target, interfaces);
    let built = policy.path().join("build/f");
    let proved = |against: &Path| verify(policy.path(), against, &["--device", "f"]);
    assert_eq!(proved(&built).0, 0);
    let text = fs::read_to_string(built.join(name)).unwrap();
    for (from, to, told) in changes {
        assert!(text.contains(from), "{target}: no {from} in\n{text}");
        fs::write(built.join(name), text.replace(from, to)).unwrap();
        let (code, said, _) = proved(&built);
        assert!(code == 1 && told.iter().all(|words| said.contains(words)), "{target}, {to}: {said}");
    }
}

const LATE: &[&str] = &["opened: ", " at 2027-07-01 00:00:00, line ", "`vendor`, which ended on 2027-06-30"];
const EARLY: &[&str] = &["closed: ", " at 2027-06-30 23:59:59, line ", "the policy: `vendor`\n"];

#[test]
fn an_end_that_is_not_that_of_the_policy_is_a_difference_in_nftables() {
    changes(
        "nftables",
        ["a0", "b0"],
        "ruleset.nft",
        &[
            ("meta time < 1814400000 jump", "meta time < 1814400001 jump", LATE),
            ("meta time < 1814400000 jump", "meta time < 1814399999 jump", EARLY),
            ("        meta time < 1814400000 jump", "        jump", LATE),
            ("meta time < 1814400000 jump", "meta time >= 1814400000 jump", LATE),
            ("meta time < 1814400000 jump", "meta time < \"2027-06-30\" jump", &["at 2027-06-30 00:00:00"]),
        ],
    );
}

#[test]
fn an_end_that_is_not_that_of_the_policy_is_a_difference_in_iptables() {
    for name in ["rules.v4", "rules.v6"] {
        changes(
            "iptables",
            ["a0", "b0"],
            name,
            &[
                ("-m time --datestop 2027-06-30T23:59:59 -j", "-m time --datestop 2027-07-01 -j", LATE),
                ("--datestop 2027-06-30T23:59:59", "--datestop 2027-06-30T23:59:58", EARLY),
                ("-m time --datestop 2027-06-30T23:59:59 -j", "-j", LATE),
            ],
        );
    }
}

#[test]
fn an_end_that_is_not_that_of_the_policy_is_a_difference_on_a_switch() {
    changes(
        "cisco-ios",
        ["Vlan1", "Vlan2"],
        "acl.cfg",
        &[
            (" end 23:59 30 June 2027", " end 00:00 1 July 2027", LATE),
            (" end 23:59 30 June 2027", " end 23:58 30 June 2027", &["closed: ", " at 2027-06-30 23:59:00"]),
            (" end 23:59 30 June 2027", "", LATE),
            (
                "start 00:00 1 January 2025 end",
                "start 00:00 2 November 2026 end",
                &["closed: ", "at 2026-11-01"],
            ),
        ],
    );
}

#[test]
fn a_rule_that_ended_before_the_day_of_the_policy_may_still_stand_in_a_config() {
    for (target, interfaces) in
        [("nftables", ["a0", "b0"]), ("iptables", ["a0", "b0"]), ("cisco-ios", ["Vlan1", "Vlan2"])]
    {
        let policy = ending(target, interfaces);
        let built = policy.path().join("build");
        let proved = |as_of: &str| {
            let (policy, built) = (policy.path().to_str().unwrap(), built.to_str().unwrap());
            cordon(&["verify", policy, "--as-of", as_of, "--against", built], "").status.code().unwrap()
        };
        for day in [AS_OF, "2026-12-31", "2027-01-01", "2027-06-30", "2027-07-01", "2030-01-01"] {
            assert_eq!(proved(day), 0, "{target} on {day}");
        }
        assert_eq!(proved("2026-10-31"), 0, "{target} the day before");
    }
}

#[test]
fn what_a_device_cannot_end_it_is_not_asked_to_end() {
    let policy = ending("pfsense", ["lan", "opt1"]);
    let built = policy.path().join("build/f");
    assert_eq!(verify(policy.path(), &built, &["--device", "f"]).0, 0);
    // A policy of a later day no longer has the rule, and the device still does.
    let (path, against) = (policy.path().to_str().unwrap(), built.to_str().unwrap());
    let later = cordon(&["verify", path, "--as-of", "2027-07-01", "--against", against, "--device", "f"], "");
    assert_eq!(later.status.code(), Some(1));
    let text = fs::read_to_string(policy.path().join("policy.cordon")).unwrap();
    for (target, far) in [("nftables", "2106-02-07"), ("iptables", "2038-01-19"), ("cisco-ios", "2036-01-01")]
    {
        let text = text.replace("2027-06-30", far).replace("target pfsense", &format!("target {target}"));
        let text = if target == "cisco-ios" {
            text.replace("firewall", "switch").replace("lan", "Vlan1").replace("opt1", "Vlan2")
        } else {
            text
        };
        fs::write(policy.path().join("policy.cordon"), text).unwrap();
        succeed(&["build", path, "--as-of", AS_OF], "");
        assert_eq!(verify(policy.path(), &built, &["--device", "f"]).0, 0, "{target}");
        let files =
            fs::read_dir(&built).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let all: String = files.collect();
        assert!(!all.contains(&far[..4]), "{target}: {all}");
    }
}

#[test]
fn statements_that_say_the_same_hold_until_the_later_of_their_ends() {
    let directory = tempfile::tempdir().unwrap();
    let ruleset = |ends: [&str; 2]| {
        let rules = ends.map(|until| format!("allow {{ from a  to b  via tcp 80{until} }}\n")).concat();
        let text = format!(
            "zone a {{ net 10.1.0.0/24 }}\nzone b {{ net 10.2.0.0/24 }}\n{rules}manage {{ from a  via tcp 22 }}\n\
             firewall f {{ target nftables  interface a0 zone a  interface b0 zone b }}\n"
        );
        fs::write(directory.path().join("policy.cordon"), text).unwrap();
        succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
        fs::read_to_string(directory.path().join("build/f/ruleset.nft")).unwrap()
    };
    let [early, late] = [" until 2026-12-31", " until 2027-06-30"];
    for ends in [[early, late], [late, early]] {
        let text = ruleset(ends);
        assert!(text.contains("meta time < 1814400000") && !text.contains("2026-12-31"), "{text}");
    }
    for ends in [["", late], [late, ""]] {
        let text = ruleset(ends);
        assert!(!text.contains("meta time"), "{text}");
    }
}
