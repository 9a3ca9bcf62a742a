//! `logs`: who was denied, whether the policy agrees, and logs as they come from the wild.

use super::{answer, directory, root, run, sample};

fn log() -> String {
    root().join("tests/observe/firewalls.log").to_string_lossy().into_owned()
}

#[test]
fn lines_are_grouped_by_who_and_what_the_policy_says() {
    let result = answer("logs", &["--from", &log()]);
    let groups: Vec<(&str, u64, &str, &str, &str)> = result["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let word = |key: &str| one[key].as_str().unwrap();
            (word("agreement"), one["packets"].as_u64().unwrap(), word("from"), word("to"), word("service"))
        })
        .collect();
    let [pump, server] = ["pump in ward", "pump_srv in servers"];
    assert_eq!(groups[0], ("denied-but-allowed", 1, pump, server, "tcp 3613"));
    for group in [
        ("denied", 2, "ward", server, "tcp 3613"),
        ("denied", 2, server, pump, "tcp 23"),
        ("denied", 1, "office", pump, "tcp 23"),
        ("denied", 1, "internet", server, "udp 161"),
        ("late-answer", 1, server, pump, "tcp from port 3613"),
        ("apart", 1, pump, server, "tcp 3613"),
        ("accepted", 1, "vendor in internet", server, "tcp 22"),
    ] {
        assert!(groups.contains(&group), "{group:?} is not in {groups:#?}");
    }
    assert_eq!(groups.len(), 8);
    assert_eq!(result["lost"], 5);
    let at = result["unreadable_at"][0].as_str().unwrap();
    assert!(at.ends_with("firewalls.log:12"), "{at}");
}

#[test]
fn every_line_is_counted_once() {
    let result = answer("logs", &["--from", &log()]);
    let number = |key: &str| result[key].as_u64().unwrap();
    let kinds = ["read", "skipped", "others", "unreadable"].map(number);
    assert_eq!(kinds.iter().sum::<u64>(), number("lines"));
    assert_eq!(kinds, [10, 1, 0, 1]);
    let text =
        "Nov 28 07:36:09 core kernel: UFW BLOCK IN=a OUT= SRC=10.1.0.1 DST=10.1.0.2 PROTO=TCP SPT=1 DPT=2\n";
    let (_, out, _) = run("logs", &["--format", "json"], text.as_bytes());
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["result"]["others"], 1, "{out}");
}

#[test]
fn a_difference_can_fail_a_job_and_agreement_does_not() {
    assert_eq!(run("logs", &["--from", &log(), "--exit-code"], b"").0, 1);
    let agreed: String = sample("firewalls.log").lines().take(2).map(|line| format!("{line}\n")).collect();
    assert_eq!(run("logs", &["--exit-code"], agreed.as_bytes()).0, 0);
    // What is let in against the policy is a difference too.
    let opened = agreed.replace("deny (default)", "allow data");
    let (code, out, _) = run("logs", &["--exit-code"], opened.as_bytes());
    assert_eq!(code, 1);
    assert!(out.contains("LET IN, THOUGH THE POLICY DENIES IT"), "{out}");
}

#[test]
fn packets_to_a_firewall_are_judged_by_who_may_manage_it() {
    let line = |host: &str, source: &str, prefix: &str| {
        format!(
            "Nov 28 07:35:03 {host} kernel: cordon {prefix}: IN=eth3 OUT= SRC={source} DST=10.2.0.1 LEN=60 PROTO=TCP SPT=1 DPT=22 SYN\n"
        )
    };
    let first = |text: String| {
        let (_, out, _) = run("logs", &["--format", "csv"], text.as_bytes());
        out.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert!(
        first(line("core.example.org", "10.3.0.7", "deny (default)"))
            .starts_with("denied-but-allowed,1,1,office,core itself,tcp 22")
    );
    assert!(first(line("CORE", "10.1.0.7", "deny (default)")).starts_with("denied,1,1,ward,core itself,"));
    assert!(first(line("core", "10.3.0.7", "allow admin")).starts_with("accepted,1,1,office,core itself,"));
    assert!(
        first(line("unknown", "10.3.0.7", "deny (default)"))
            .starts_with("not-judged,1,1,office,the firewall itself,")
    );
    let rule = "Nov 28 07:35:03 edge filterlog[1]: 71,,,3169029596,em0,match,pass,in,4,0x0,,64,1,0,DF,6,tcp,60,10.3.0.7,10.2.0.9,4000,22,0,S,1,,1,,\n";
    assert!(first(rule.to_owned()).starts_with("accepted,1,1,office,edge itself,tcp 22,allowed by `admin`"));
}

#[test]
fn logs_from_the_wild_are_read_as_far_as_they_go() {
    let line = sample("firewalls.log").lines().next().unwrap().to_owned();
    let mut bytes = format!("{line}\r\n\r\n\u{feff}{line}\n").into_bytes();
    bytes.extend_from_slice(b"\xff\xfe IN= SRC= \x00\n");
    bytes.extend(std::iter::repeat_n(b'x', 300_000));
    bytes.extend_from_slice(format!("\n{{\"MESSAGE\":\n{{\"src_ip\":\n{line}").as_bytes());
    let place = directory(&[]);
    let path = place.path().join("wild.log");
    std::fs::write(&path, bytes).unwrap();
    let result = answer("logs", &["--from", &path.to_string_lossy()]);
    assert_eq!((&result["lines"], &result["read"]), (&8.into(), &3.into()), "{result}");
    assert_eq!(result["groups"][0]["packets"], 3);
    let empty = place.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(answer("logs", &["--from", &empty.to_string_lossy()])["lines"], 0);
}

#[test]
fn what_a_log_says_does_not_act_on_the_terminal() {
    let line = |time: &str| {
        format!(
            "[{time}] cordon deny (default): IN=eth0 OUT=eth1 SRC=10.1.0.1 DST=10.2.0.99 PROTO=TCP SPT=4000 DPT=99\n"
        )
    };
    let log = line("\u{1b}[1m1") + &line("\u{1b}[1m2");
    for format in ["human", "csv"] {
        let (code, out, err) = run("logs", &["--format", format], log.as_bytes());
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("?[1m1") && out.contains("?[1m2") && !out.contains('\u{1b}'), "{out:?}");
    }
}

#[test]
fn what_cannot_be_used_is_refused() {
    let folder = root().join("tests").to_string_lossy().into_owned();
    let cases: [(&[&str], &str); 4] = [
        (&["--from", "missing.log"], "cannot read `missing.log`"),
        (&["--from", &folder], "cannot read"),
        (&["--device", "nobody"], "no enforcement point `nobody`"),
        (&["--from", "-", "-"], "standard input holds"),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = run("logs", arguments, b"");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}
