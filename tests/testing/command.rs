//! The command: exit codes, forms, and what is said where a test fails or cannot be run.

use std::fs;
use std::process::Command;

use super::{HEADER, POLICY, failed, json, policy_with, test};
use crate::support::scenario;

const FAILING: &[(&str, &str)] = &[
    (
        "tests/flows.csv",
        "name,proto,src,dst,sport,dport,verdict,rule,note\n\
         right,tcp,10.1.0.7,10.2.0.9,,443,allow,data,\n\
         at night,tcp,10.2.0.9,10.1.0.7,,22,scheduled,copies,\n\
         inside,tcp,10.1.0.7,10.1.0.8,,22,local,,\n\
         other rule,tcp,10.1.0.7,10.2.0.9,,443,allow,copies,\n\
         wrong,tcp,10.1.0.7,10.2.0.9,7,451,allow,,the port is beside it\n\
         Telnet,tcp,10.3.0.7,10.1.0.9,,23,allow,,\n",
    ),
    (
        "tests/sets.cordon",
        "assert allowed web   { from ward  to servers  via tcp 445-460 }\n\
         assert denied  admin-ports { from any  to ward  via tcp 1-100   reason \"never\" }\n\
         assert allowed good  { from ward  to servers  via tcp 443 }\n",
    ),
    ("tests/postures/closed/flows.csv", "proto,src,dst,dport,verdict\ntcp,10.1.0.7,10.2.0.9,443,deny\n"),
];

#[test]
fn what_fails_is_said_with_place_packet_and_deciding_statement() {
    let policy = policy_with(FAILING);
    let (code, out, err) = test(policy.path(), &["--coverage"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let path = policy.path().to_string_lossy();
    let shown = |text: &str| text.replace(path.as_ref(), "POLICY");
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("testing_failures", shown(&out));
    });
    let (code, result) = json(policy.path(), &[]);
    assert_eq!(code, 1);
    assert_eq!(failed(&result), ["other rule", "wrong", "Telnet", "web", "admin-ports"]);
    assert_eq!((&result["passed"], &result["failed"]), (&6.into(), &5.into()));
}

/// The command that is shown for a failure is run by a shell as it stands, and says of the packet what the test did not
/// expect: another part of the program than the one that found the packet.
#[test]
fn the_command_that_is_shown_gives_the_same_verdict_on_the_witness() {
    let policy = policy_with(FAILING);
    let odd = policy.path().join("it's a policy");
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("policy.cordon"), POLICY.replace("tcp 440-450", "tcp 440-441")).unwrap();
    fs::create_dir(odd.join("tests")).unwrap();
    fs::write(odd.join("tests/a.csv"), format!("{HEADER}tcp,10.1.0.7,10.2.0.9,443,allow\n")).unwrap();
    let mut commands = 0;
    for (directory, posture) in
        [(policy.path(), vec![]), (policy.path(), vec!["--posture", "closed"]), (&odd, vec![])]
    {
        let (_, result) = json(directory, &posture);
        for suite in result["suites"].as_array().unwrap() {
            for one in suite["tests"].as_array().unwrap().iter().filter(|one| !one["failure"].is_null()) {
                let failure = &one["failure"];
                let line = failure["explain"].as_str().unwrap();
                let script = format!("cordon() {{ \"$CORDON\" \"$@\"; }}; {line}");
                let output = Command::new("sh")
                    .args(["-c", &script])
                    .env("CORDON", env!("CARGO_BIN_EXE_cordon"))
                    .output();
                let said = String::from_utf8(output.unwrap().stdout).unwrap();
                assert!(said.contains(failure["packet"].as_str().unwrap()), "{line}: {said}");
                let verdict = said.split(':').next().unwrap();
                let (got, expected) = (failure["got"].as_str().unwrap(), one["expected"].as_str().unwrap());
                assert!(got.starts_with(verdict), "{line}: {said} is not {got}");
                // An expectation that names a rule can have the right verdict for another reason.
                assert!(!expected.starts_with(verdict) || expected.contains(", by "), "{line}: {said}");
                commands += 1;
            }
        }
    }
    assert_eq!(commands, 5 + 7 + 1);
}

#[test]
fn the_witness_is_the_smallest_packet_of_what_is_wrong() {
    for (assertion, packet) in [
        ("assert allowed x { from ward  to servers  via tcp 445-460 }", "tcp 10.1.0.0:49152 -> 10.2.0.0:451"),
        // The zone `office` comes before `servers`, and its addresses behind them.
        ("assert denied x { from any  to ward  via any }", "tcp 10.2.0.0:49152 -> 10.1.0.0:22"),
        (
            "assert allowed x { from servers, office  to ward  via icmp, tcp 23 }",
            "icmp 10.2.0.0 -> 10.1.0.0 echo-reply",
        ),
    ] {
        let policy = policy_with(&[("tests/a.cordon", assertion)]);
        let (_, result) = json(policy.path(), &["--filter", "a.cordon"]);
        assert_eq!(result["suites"][0]["tests"][0]["failure"]["packet"], packet, "{assertion}");
    }
}

#[test]
fn all_right_exits_with_0_and_tests_apart_are_no_policy() {
    let policy = policy_with(&[
        (
            "tests/flows.csv",
            "\u{feff}PROTO;src;dst;dport;Verdict\r\ntcp;10.1.0.7;10.2.0.9;443;ALLOW\r\nicmp;10.3.0.7;10.1.0.9;;allow",
        ),
        ("tests/sets.cordon", "assert denied { from office  to servers  via any }"),
        ("tests/README.md", "why"),
        ("tests/.hidden.swp", "x"),
    ]);
    let (code, out, err) = test(policy.path(), &[]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.ends_with("\n4 passed, 0 failed\n"), "{out}");
    let path = policy.path().to_string_lossy();
    let built = crate::support::succeed(&["build", &path, "--format", "json"], "");
    assert!(!built.contains("tests/"), "{built}");
    let manifest = fs::read_to_string(policy.path().join("build/manifest.json")).unwrap();
    assert!(!manifest.contains("tests/"), "{manifest}");
}

#[test]
fn a_failing_assertion_of_the_policy_is_a_failed_test_here_and_an_error_for_build() {
    let policy =
        policy_with(&[("own.cordon", "assert allowed dream { from office  to servers  via tcp 1 }")]);
    let (code, out, err) = test(policy.path(), &[]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.starts_with("failed: own.cordon::dream\n") && out.ends_with("1 passed, 1 failed\n"), "{out}");
    let output = crate::support::cordon(&["check", &policy.path().to_string_lossy()], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("C0602"));
}

#[test]
fn an_assertion_that_could_not_fail_is_no_test_that_passes() {
    let policy = policy_with(&[("tests/a.cordon", "assert denied x { from ward  to ward  via tcp 1 }")]);
    let (code, out, _) = test(policy.path(), &[]);
    assert!(code == 1 && out.contains("so it cannot fail"), "{out}");
    let (code, xml, _) = test(policy.path(), &["--format", "junit"]);
    assert!(code == 1 && xml.contains("so it cannot fail"), "{xml}");
}

#[test]
fn a_policy_with_another_mistake_runs_nothing() {
    let rows = format!("{HEADER}tcp,10.1.0.7,10.2.0.9,443,allow\n");
    for (name, text, code) in [
        ("own.cordon", "allow x { from nowhere  to ward  via tcp 1 }", "C0101"),
        ("tests/a.cordon", "assert denied x { from nowhere  to ward  via tcp 1 }", "C0101"),
        ("tests/a.cordon", "assert denied no-telnet { from ward  to servers  via tcp 1 }", "C0102"),
        ("tests/a.cordon", "assert denied x {", "C0002"),
    ] {
        let policy = policy_with(&[(name, text), ("tests/flows.csv", &rows)]);
        for format in ["human", "junit"] {
            let (exit, out, err) = test(policy.path(), &["--format", format]);
            assert_eq!((exit, out.as_str()), (1, ""), "{text}");
            assert!(err.contains(code), "{text}: {err}");
        }
        let (exit, result) = json(policy.path(), &[]);
        assert!(exit == 1 && result.is_null(), "{text}");
    }
}

#[test]
fn what_cannot_be_read_or_would_test_nothing_exits_with_2() {
    let rows = format!("{HEADER}tcp,10.1.0.7,10.2.0.9,443,allow\n");
    let policy = policy_with(&[("tests/flows.csv", &rows), ("empty/readme.md", ""), ("x/latin.csv", "")]);
    fs::write(policy.path().join("x/latin.csv"), b"proto,\xfc\n").unwrap();
    let at = |name: &str| policy.path().join(name).to_string_lossy().into_owned();
    for (arguments, says) in [
        (vec!["--tests".to_owned(), at("missing.csv")], "cannot read"),
        (vec!["--tests".to_owned(), at("empty")], "there are no tests in"),
        (vec!["--tests".to_owned(), at("empty/readme.md")], "is no file of tests"),
        (vec!["--tests".to_owned(), at("x")], "it is not UTF-8 from byte 6 on"),
        (vec!["--filter".to_owned(), "fl0ws".to_owned()], "no test has `fl0ws` in its name"),
        (vec!["--posture".to_owned(), "open".to_owned()], "the policy has no posture `open`; it has closed"),
        (vec!["--coverage-fail-under".to_owned(), "101".to_owned()], "101 is not in 0..=100"),
        (
            vec!["--list".to_owned(), "--format".to_owned(), "junit".to_owned()],
            "JUnit has no form for a list",
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, out, err) = test(policy.path(), &arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
    for (name, says) in [
        ("tests/postures/open/flows.csv", "tests/postures/open/flows.csv`: the policy has no posture `open`"),
        ("tests/postures/flows.csv", "lies in no folder of a posture"),
        ("tests/flows.xlsx", "`tests/flows.xlsx` is no file of tests"),
    ] {
        let policy = policy_with(&[(name, &rows)]);
        let (code, out, err) = test(policy.path(), &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {err}");
        assert!(err.contains(says), "{name}: {err}");
    }
    let bare = tempfile::tempdir().unwrap();
    let text = POLICY.replace("assert denied no-telnet { from any  to ward  via tcp 23 }", "");
    fs::write(bare.path().join("policy.cordon"), text).unwrap();
    let (code, _, err) = test(bare.path(), &[]);
    assert!(code == 2 && err.contains("there is nothing to test"), "{err}");
}

#[test]
fn tests_can_be_listed_and_picked() {
    let policy = policy_with(FAILING);
    let (code, out, _) = test(policy.path(), &["--list"]);
    assert_eq!((code, out.lines().count()), (0, 11));
    assert!(out.starts_with("policy.cordon::no-telnet\ntests/flows.csv::right\n"), "{out}");
    let (code, list) = json(policy.path(), &["--list", "--filter", "Telnet"]);
    assert_eq!((code, list["tests"].clone()), (0, serde_json::json!(["tests/flows.csv::Telnet"])));
    let (code, out, _) = test(policy.path(), &["--filter", "flows.csv::right"]);
    assert_eq!(code, 0);
    assert_eq!(out, "tests/flows.csv  1 passed\n\n1 passed, 0 failed, 10 not asked for\n");
}

#[test]
fn a_posture_of_the_command_line_is_one_for_all_tests() {
    let policy = policy_with(&[("tests/a.csv", &format!("{HEADER}tcp,10.1.0.7,10.2.0.9,443,allow\n"))]);
    assert_eq!(test(policy.path(), &[]).0, 0);
    let (code, out, _) = test(policy.path(), &["--posture", "closed"]);
    assert!(
        code == 1 && out.contains("\n  under     closed\n") && out.contains("--posture closed\n"),
        "{out}"
    );
}

#[test]
fn coverage_is_exact() {
    // Each line: a test, and the statements that it touches.
    for (file, text, touched) in [
        ("tests/a.csv", "tcp,10.1.0.7,10.2.0.9,443,allow", vec!["data"]),
        ("tests/a.csv", "tcp,10.1.0.7,10.2.0.9,451,deny", vec![]),
        ("tests/a.csv", "tcp,10.3.0.7,10.1.0.9,23,deny", vec!["telnet"]),
        ("tests/a.csv", "tcp,2001:db8:2::1,2001:db8:1::1,22,scheduled", vec!["copies"]),
        ("tests/a.csv", "tcp,10.1.0.7,10.1.0.9,443,local", vec![]),
        ("tests/a.cordon", "assert allowed x { from ward  to servers  via tcp 450 }", vec!["data"]),
        ("tests/a.cordon", "assert denied x { from ward  to servers  via tcp 451 }", vec![]),
        (
            "tests/a.cordon",
            "assert denied x { from servers, office  to ward  via tcp 20-30 }",
            vec!["copies", "telnet"],
        ),
        (
            "tests/a.cordon",
            "assert allowed x { from any  to any  via any }",
            vec!["copies", "data", "ping", "telnet"],
        ),
    ] {
        let text = if file.ends_with("csv") { format!("{HEADER}{text}\n") } else { text.to_owned() };
        let policy = policy_with(&[(file, &text)]);
        let (_, result) = json(policy.path(), &["--coverage", "--filter", "tests/"]);
        let coverage = &result["coverage"];
        let rules = coverage["rules"].as_array().unwrap().iter().filter(|rule| rule["tests"] == 1);
        let mut found: Vec<&str> = rules.map(|rule| rule["id"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, touched, "{text}");
        assert_eq!(coverage["statements"], 4);
        assert_eq!(coverage["touched"], touched.len());
    }
}

#[test]
fn an_allow_whose_packets_are_forbidden_is_not_touched_by_them() {
    let policy = policy_with(&[
        ("own.cordon", "allow wide { from office  to ward  via tcp 20-30 }"),
        ("tests/a.csv", &format!("{HEADER}tcp,10.3.0.7,10.1.0.9,23,deny\n")),
    ]);
    let (_, out, _) = test(policy.path(), &["--coverage"]);
    assert!(out.contains("1 of 5") && out.contains("not touched: allow wide (own.cordon:1:7)"), "{out}");
}

#[test]
fn a_rule_that_no_firewall_sees_is_not_counted() {
    let policy = policy_with(&[("own.cordon", "allow inside { from ward  to ward  via tcp 1 }")]);
    let (code, result) = json(policy.path(), &["--coverage"]);
    assert_eq!((code, &result["coverage"]["statements"]), (0, &4.into()));
}

#[test]
fn coverage_below_what_is_asked_for_fails() {
    let policy = policy_with(&[("tests/a.csv", &format!("{HEADER}tcp,10.1.0.7,10.2.0.9,443,allow\n"))]);
    // The table touches `data`, and the policy's own assertion `telnet`: two of four.
    assert_eq!(test(policy.path(), &["--coverage-fail-under", "50"]).0, 0);
    let (code, out, err) = test(policy.path(), &["--coverage-fail-under", "51"]);
    assert_eq!((code, err.as_str()), (1, "less than 51 % of the statements are covered\n"), "{out}");
}

#[test]
fn the_scenario_s_table_passes_as_it_is() {
    let table = scenario("expected.csv");
    let (code, result) =
        json(&crate::support::hospital(), &["--tests", &table.to_string_lossy(), "--filter", "expected.csv"]);
    assert_eq!((code, &result["passed"], &result["failed"]), (0, &1_961.into(), &0.into()));
}

#[test]
fn what_query_writes_can_be_kept_as_a_test() {
    let policy = policy_with(&[]);
    let packets = "proto,src,dst,sport,dport\ntcp,10.1.0.7,10.2.0.9,5,443\ntcp,10.3.0.7,10.1.0.9,,23\nudp,10.1.0.7,192.0.2.1,,9\n";
    let path = policy.path().to_string_lossy().into_owned();
    let answer = crate::support::succeed(&["query", &path, "--packets", "-"], packets);
    fs::create_dir(policy.path().join("tests")).unwrap();
    fs::write(policy.path().join("tests/kept.csv"), &answer).unwrap();
    assert_eq!(test(policy.path(), &[]).0, 0);
    fs::write(policy.path().join("tests/kept.csv"), answer.replace("allow,data", "allow,copies")).unwrap();
    assert_eq!(test(policy.path(), &[]).0, 1, "the rule counts");
}
