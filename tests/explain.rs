//! `explain`: what each enforcement point does with a packet, read back from its config.

use cordon::diag::Diagnostics;
use cordon::emit::{OutputFile, emit};
use cordon::ir::{Decider, Policy};
use cordon::plan::plan;
use cordon::query::{Ask, Asked, Configs, Explanation, Fields, explain, parse_packet, reach};
use cordon::set::Packet;
use cordon::source::Sources;

use crate::support::{self, AS_OF, examples, hospital, policy, root, scenario, succeed};

/// The packets of the scenario.
fn packets() -> Vec<Packet> {
    let path = scenario("expected.csv");
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let [proto, src, dst, sport, dport] = ["proto", "src", "dst", "sport", "dport"].map(place);
    let packet = |row: csv::StringRecord| {
        let fields = Fields {
            proto: &row[proto],
            src: &row[src],
            dst: &row[dst],
            sport: &row[sport],
            dport: &row[dport],
        };
        parse_packet(fields).unwrap()
    };
    reader.records().map(|row| packet(row.unwrap())).collect()
}

pub(crate) fn compiled(policy: &Policy) -> Vec<OutputFile> {
    let mut diagnostics = Diagnostics::default();
    let files = emit(&plan(policy), &mut diagnostics);
    assert!(!diagnostics.has_errors());
    files
}

fn explained(policy: &Policy, packet: &Packet, configs: &Configs) -> Explanation {
    explain(policy, &Sources::default(), packet, configs)
}

#[test]
fn every_device_does_what_the_policy_says_by_lines_that_it_really_has() {
    let policy = policy(&hospital());
    let files = compiled(&policy);
    let configs = Configs::new(&policy, &files, None);
    let decider = Decider::new(&policy);
    let mut seen = [0, 0, 0];
    for packet in packets().iter().step_by(3) {
        let explanation = explained(&policy, packet, &configs);
        assert!(explanation.agrees(), "{explanation}");
        let verdict = decider.decide(packet).verdict();
        let forth = explanation.path.iter().filter(|hop| !hop.reply);
        let does: Vec<&str> = forth.map(|hop| hop.does).collect();
        match verdict {
            "allow" => {
                seen[0] += 1;
                assert!(
                    !does.is_empty() && does.iter().all(|does| ["accept", "carry"].contains(does)),
                    "{does:?}"
                );
            }
            "deny" => {
                seen[1] += 1;
                assert!(does.is_empty() || does.contains(&"drop"), "{explanation}");
            }
            other => {
                seen[2] += 1;
                assert!(other == "local" && does.is_empty(), "{explanation}");
            }
        }
        for line in explanation.path.iter().flat_map(|hop| &hop.lines) {
            let file = files.iter().find(|file| file.path == line.at.file).unwrap();
            assert_eq!(file.content.lines().nth(line.at.line - 1).unwrap().trim(), line.text);
        }
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

/// A packet that the policy allows, and the line by which core accepts it.
const IMAGE: [&str; 4] = ["tcp", "10.40.40.10", "10.40.65.10", "104"];

fn image() -> Packet {
    let [proto, src, dst, dport] = IMAGE;
    parse_packet(Fields { proto, src, dst, sport: "", dport }).unwrap()
}

#[test]
fn a_config_that_does_something_else_is_told_from_one_that_does_not() {
    let policy = policy(&hospital());
    let mut files = compiled(&policy);
    for (file, line, instead) in [
        (
            "core/ruleset.nft",
            "tcp . 104 counter comment \"images\" : accept",
            "tcp . 103 counter comment \"images\" : accept",
        ),
        (
            "dist2/acl.cfg",
            "permit tcp 10.40.40.0 0.0.0.127 host 10.40.65.10 eq 104",
            "deny tcp 10.40.40.0 0.0.0.127 host 10.40.65.10 eq 104",
        ),
        (
            "dist2/acl.cfg",
            "permit tcp host 10.40.65.10 eq 104 10.40.40.0 0.0.0.127 established",
            "permit tcp host 10.40.65.10 eq 103 10.40.40.0 0.0.0.127 established",
        ),
    ] {
        let place = files.iter().position(|own| own.path == file).unwrap();
        let before = files[place].content.clone();
        files[place].content = before.replace(line, instead);
        assert_ne!(files[place].content, before);
        let explanation = explained(&policy, &image(), &Configs::new(&policy, &files, None));
        let device = file.split('/').next().unwrap();
        let wrong: Vec<&str> =
            explanation.path.iter().filter(|hop| !hop.agrees).map(|hop| hop.device.as_str()).collect();
        assert_eq!(wrong, [device]);
        assert!(explanation.to_string().contains("NOT WHAT THE POLICY SAYS"), "{explanation}");
        files[place].content = before;
    }
    assert!(explained(&policy, &image(), &Configs::new(&policy, &files, None)).agrees());
}

#[test]
fn a_config_that_cannot_be_read_is_not_taken_for_right() {
    let policy = policy(&hospital());
    let mut files = compiled(&policy);
    let place = files.iter().position(|own| own.path == "core/ruleset.nft").unwrap();
    files[place].content.push_str("what is this\n");
    let explanation = explained(&policy, &image(), &Configs::new(&policy, &files, None));
    assert!(!explanation.agrees());
    assert!(explanation.to_string().contains("its config cannot be read: ruleset.nft:"), "{explanation}");
}

#[test]
fn who_can_reach_and_what_can_say_of_each_packet_what_the_policy_decides() {
    let policy = policy(&hospital());
    let decider = Decider::new(&policy);
    let packets = packets();
    let mut seen = [0, 0];
    for name in
        ["pacs", "img_a", "dev_srv", "infusion_pumps", "modalities", "10.40.40.0/24", "vpn_gw", "internet"]
    {
        let asked = Asked::new(&policy, name, &[]).unwrap();
        for ask in [Ask::WhoCanReach, Ask::WhatItReaches] {
            let answer = reach(&policy, &Sources::default(), ask, &asked);
            for packet in &packets {
                let about = match ask {
                    Ask::WhoCanReach => packet.destination,
                    Ask::WhatItReaches => packet.source,
                };
                if !asked.addresses.contains(about) {
                    continue;
                }
                let open = answer.rows.iter().any(|row| row.packets.contains(packet));
                let decision = decider.decide(packet);
                assert_eq!(open, matches!(decision.verdict(), "allow" | "scheduled"), "{name}: {packet}");
                seen[usize::from(open)] += 1;
            }
        }
    }
    assert!(seen[0] > 50 && seen[1] > 50, "{seen:?}");
}

/// Forbids that cut allows in two families, a schedule, and zones between which nothing stands.
const CUT: &str = "
zone a { net 10.1.0.0/28, 2001:db8:1::/124 }
zone b { net 10.2.0.0/28, 2001:db8:2::/124 }
peer srv in b { host 10.2.0.10, 2001:db8:2::a }
class low in a { hosts 10.1.0.0/29, 2001:db8:1::/125 }
group both { low, srv }
service web { tcp 80, 443 }
schedule night { mon..fri 22:00-23:00  timezone utc }
allow wide { from a  to b  via tcp 1-1000   log   until 2030-01-31 }
allow late { from srv  to low  via web   during night }
forbid some { from low  to srv  via tcp 20-30, 80 }
firewall core { target nftables   interface eth0 zone a   interface eth1 zone b }
";

fn cut() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.cordon");
    std::fs::write(&file, CUT).unwrap();
    let path = file.to_string_lossy().into_owned();
    (directory, path)
}

pub(crate) fn run(arguments: &[&str]) -> (i32, String, String) {
    support::run(arguments, "")
}

#[test]
fn what_forbids_cut_is_left_out_of_the_rows_exactly() {
    let (directory, path) = cut();
    let ask = |arguments: &[&str]| succeed(&[arguments, &[&path, "--as-of", AS_OF]].concat(), "");
    insta::with_settings!({snapshot_path => root().join("tests/snapshots")}, {
        insta::assert_snapshot!("reach_cut", ask(&["who-can-reach", "srv"]));
        insta::assert_snapshot!("reach_cut_via", ask(&["who-can-reach", "srv", "--via", "web"]));
        insta::assert_snapshot!("reach_group", ask(&["what-can", "both", "reach"]));
        insta::assert_snapshot!("reach_json", ask(&["who-can-reach", "srv", "--via", "tcp/20-30", "--format", "json"]));
        insta::assert_snapshot!("reach_csv", ask(&["who-can-reach", "srv", "--format", "csv"]));
    });
    let policy = policy(directory.path());
    let decider = Decider::new(&policy);
    let asked = Asked::new(&policy, "srv", &[]).unwrap();
    let answer = reach(&policy, &Sources::default(), Ask::WhoCanReach, &asked);
    for (first, port) in
        (0..16).flat_map(|host| [1, 19, 20, 30, 31, 79, 80, 81, 1000, 1001].map(|port| (host, port)))
    {
        for [src, dst] in [
            [format!("10.1.0.{first}"), "10.2.0.10".to_owned()],
            [format!("2001:db8:1::{first:x}"), "2001:db8:2::a".to_owned()],
        ] {
            let dport = port.to_string();
            let packet =
                parse_packet(Fields { proto: "tcp", src: &src, dst: &dst, sport: "", dport: &dport })
                    .unwrap();
            let open = answer.rows.iter().any(|row| row.packets.contains(&packet));
            assert_eq!(open, decider.decide(&packet).verdict() == "allow", "{packet}");
        }
    }
}

#[test]
fn what_cannot_be_asked_is_told_with_the_way_out() {
    let (_directory, path) = cut();
    for (arguments, said) in [
        (&["who-can-reach", "srw"][..], "did you mean `srv`?"),
        (&["what-can", "srw", "reach"], "did you mean `srv`?"),
        (&["who-can-reach", "10.9.0.1"], "lies in no zone of the policy"),
        (&["who-can-reach", "srv", "--via", "wep"], "did you mean `web`?"),
        (&["who-can-reach", "srv", "--via", "tcp/9-3"], "is no service of the policy"),
        (&["who-can-reach", "srv", "--via", "icmp/8"], "is no service of the policy"),
        (&["who-can-reach", "srv", "--posture", "closed"], "has no posture `closed`"),
        (&["who-can-reach", ""], "is no zone, class, peer or group"),
    ] {
        let (code, out, err) = run(&[arguments, &[&path]].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{err}");
    }
    assert_eq!(run(&["what-can", "srv", "reaches", &path]).0, 2);
    std::fs::write(&path, "zone").unwrap();
    assert_eq!(run(&["who-can-reach", "srv", &path]).0, 1);
}

#[test]
fn a_scheduled_packet_passes_in_its_hours_only_and_the_whole_statement_is_shown() {
    let (_directory, path) = cut();
    let ask = |packet: &[&str], rest: &[&str]| {
        succeed(&[&["explain", &path], packet, &["--as-of", AS_OF], rest].concat(), "")
    };
    let late = ask(&["tcp", "10.2.0.10", "10.1.0.1", "443"], &[]);
    assert!(late.contains("accept at times") && late.contains("during `night` only"), "{late}");
    let document = ask(&["tcp", "10.2.0.10", "10.1.0.1", "443"], &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["version"], 1);
    let hop = &document["result"]["path"][0];
    assert_eq!((&hop["device"], &hop["does"]), (&"core".into(), &"accept at times".into()));
    assert!(hop["lines"][0]["file"] == "core/ruleset.nft" && hop["lines"][0]["line"].is_u64(), "{hop}");
}

#[test]
fn under_a_posture_lines_are_those_of_its_own_files() {
    let example = hospital().to_string_lossy().into_owned();
    let name = policy(&hospital()).postures[0].name.clone();
    let out =
        succeed(&[&["explain", &example], &IMAGE[..], &["--as-of", AS_OF, "--posture", &name]].concat(), "");
    assert!(out.contains(&format!("core/postures/{name}/ruleset.nft:")), "{out}");
    for quoted in out.lines().filter_map(|line| line.trim().strip_prefix("core/postures/")) {
        let (file, line) = quoted.rsplit_once(':').unwrap();
        let committed = std::fs::read_to_string(hospital().join("build/core/postures").join(file)).unwrap();
        let text = committed.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap().trim();
        assert!(out.contains(text), "{text}");
    }
}

#[test]
fn the_pages_show_what_the_commands_say() {
    for (path, expected) in [("docs/explain.md", 4), ("README.md", 1)] {
        let page = std::fs::read_to_string(root().join(path)).unwrap();
        let mut shown = 0;
        for (command, shown_there) in examples(&page) {
            if path == "README.md" && !command.starts_with("cordon explain ") {
                continue;
            }
            let arguments: Vec<&str> = command.split(' ').skip(1).chain(["--as-of", AS_OF]).collect();
            let said = succeed(&arguments, "");
            assert_eq!(shown_there, said.trim(), "{path}: {command}");
            shown += 1;
        }
        assert_eq!(shown, expected, "{path}");
    }
}
