//! `explain RULE`: what a statement opens or closes, and where it went.

use std::collections::BTreeSet;

use cordon::ir::{Decider, Effect, Policy, RuleIndex};
use cordon::query::{Configs, RuleExplanation, RuleState, Share, explain_rule};
use cordon::set::{Packet, PacketSet};
use cordon::source::Sources;

use crate::explain::{compiled, run};
use crate::random::{Dice, Naive, Random, Sampler, Wanted, cases, read};
use crate::support::{AS_OF, hospital, policy, root, succeed};

/// Each kind of statement, with one that has no line of its own, one that ended, and one that has no name.
const POLICY: &str = "
zone a { net 10.1.0.0/28, 2001:db8:1::/124 }
zone b { net 10.2.0.0/28, 2001:db8:2::/124 }
class low in a {
  hosts 10.1.0.0/29, 2001:db8:1::/125
  reaches srv via tcp 500
}
peer srv in b { host 10.2.0.10, 2001:db8:2::a }
schedule night { mon..fri 20:00-22:00  timezone utc }
allow wide { from a  to b  via tcp 1-1000   owner it   ticket \"CHG-1\" }
allow late { from low  to b  via tcp 443, 2000   during night }
allow over { from a  to b  via tcp 7000   until 2026-10-31   reason \"migration\" }
forbid some { from low  to b  via tcp 20-30, 80   owner security   log }
forbid more { from any  to srv  via tcp 25 }
manage admin { from a  to core  via tcp 22, 443 }
manage low-admin { from low  via tcp 22   log }
assert denied no-mail { from low  to srv  via tcp 25 }
posture closed { isolate low }
firewall core { target nftables   interface eth0 zone a   interface eth1 zone b }
";

fn small() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.cordon");
    std::fs::write(&file, POLICY).unwrap();
    let path = file.to_string_lossy().into_owned();
    (directory, path)
}

fn ask(id: &str, path: &str, rest: &[&str]) -> String {
    succeed(&[&["explain", id, path, "--as-of", AS_OF], rest].concat(), "")
}

#[test]
fn statements_of_each_kind_are_shown() {
    let example = hospital().to_string_lossy().into_owned();
    let (_directory, path) = small();
    insta::with_settings!({snapshot_path => root().join("tests/snapshots")}, {
        insta::assert_snapshot!("rule_guarded", ask("vendor-session", &example, &[]));
        insta::assert_snapshot!("rule_forbid", ask("outside-in", &example, &[]));
        insta::assert_snapshot!("rule_manage", ask("firewall-admin", &example, &[]));
        insta::assert_snapshot!("rule_cut", ask("wide", &path, &[]));
        insta::assert_snapshot!("rule_scheduled", ask("late", &path, &[]));
        insta::assert_snapshot!("rule_takes", ask("some", &path, &[]));
        insta::assert_snapshot!("rule_ended", ask("over", &path, &[]));
        insta::assert_snapshot!("rule_isolated", ask("late", &path, &["--posture", "closed"]));
        insta::assert_snapshot!("rule_json", ask("low-admin", &path, &["--format", "json"]));
    });
}

fn share<'r>(shares: &'r [Share], policy: &Policy, index: RuleIndex) -> Option<&'r PacketSet> {
    let own = shares.iter().find(|share| share.rule == policy[index].id);
    own.map(|share| &share.packets)
}

/// What an explanation says of a packet, beside what the rules one by one and the decision say.
fn judge(
    policy: &Policy,
    decider: &Decider,
    index: RuleIndex,
    told: &RuleExplanation,
    packet: &Packet,
) -> bool {
    let crosses = decider.zone_of(packet.source).zip(decider.zone_of(packet.destination));
    let crosses = crosses.is_some_and(|(from, to)| from != to);
    let matches = |index: RuleIndex| crosses && policy[index].packets().contains(packet);
    let (deciding, own) = (decider.deciding(packet), matches(index));
    let effect = policy[index].effect;
    let opened = match effect {
        Effect::Allow => deciding.contains(&index),
        Effect::Forbid => own,
    };
    let told_open = told.conduits.iter().any(|row| row.packets.contains(packet));
    assert_eq!(told_open, opened, "{}: {packet}", policy[index].id);
    for other in policy.rule_indices().filter(|other| *other != index) {
        let (shares, common) = match (effect, policy[other].effect) {
            (Effect::Allow, Effect::Forbid) => (&told.loses, own && matches(other)),
            (Effect::Forbid, Effect::Allow) => (&told.takes, own && matches(other)),
            (Effect::Allow, Effect::Allow) | (Effect::Forbid, Effect::Forbid) => {
                (&told.also, opened && matches(other))
            }
        };
        let said = share(shares, policy, other).is_some_and(|packets| packets.contains(packet));
        assert_eq!(said, common, "{} and {}: {packet}", policy[index].id, policy[other].id);
    }
    opened
}

#[test]
fn what_is_said_of_random_rules_is_what_each_packet_gets() {
    let (mut seen, mut cut, mut shared) = ([0, 0], 0, 0);
    for seed in cases(40) {
        let wanted = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };
        let text = Random::new(seed, wanted).text("nftables", false);
        let Ok(read) = read(&text) else { continue };
        let (policy, decider) = (&read.policy, Decider::new(&read.policy));
        let configs = Configs::new(policy, &[], None);
        let naive = Naive::new(&read.files, AS_OF);
        let (sampler, mut dice) = (Sampler::new(&naive, &read.files), Dice::new(seed));
        let packets: Vec<Packet> = (0..60).map(|_| sampler.packet(&read.files, &mut dice).as_set()).collect();
        for index in policy.rule_indices() {
            let told = explain_rule(policy, &Sources::default(), &policy[index].id, &configs).unwrap();
            cut += told.loses.len() + told.takes.len();
            shared += told.also.len();
            for packet in &packets {
                seen[usize::from(judge(policy, &decider, index, &told, packet))] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 200) && cut > 20 && shared > 20, "{seen:?} {cut} {shared}");
}

#[test]
fn every_rule_is_found_in_the_configs_that_carry_it_by_lines_that_they_really_have() {
    let policy = policy(&hospital());
    let files = compiled(&policy);
    let configs = Configs::new(&policy, &files, None);
    let mut targets = BTreeSet::new();
    for rule in policy.rules.iter().step_by(4) {
        let told = explain_rule(&policy, &Sources::default(), &rule.id, &configs).unwrap();
        assert!(told.agrees() && told.state == RuleState::InForce, "{told}");
        for placed in &told.configs {
            let decides = placed.does.iter().any(|does| does.starts_with("accept"));
            assert!(!decides || rule.effect == Effect::Allow, "{told}");
            assert!(!decides || placed.lines > 0, "{}: {placed}", rule.id);
            assert!(placed.shown.len() <= placed.lines && placed.lines == 0 || !placed.shown.is_empty());
            if decides {
                targets.insert(placed.target.clone());
            }
            for line in &placed.shown {
                let file = files.iter().find(|file| file.path == line.at.file).unwrap();
                assert_eq!(file.content.lines().nth(line.at.line - 1).unwrap().trim(), line.text);
            }
        }
    }
    assert_eq!(targets.len(), 4, "{targets:?}");
}

#[test]
fn a_config_that_does_something_else_with_a_rule_is_told() {
    let policy = policy(&hospital());
    let mut files = compiled(&policy);
    let core = files.iter_mut().find(|file| file.path == "core/ruleset.nft").unwrap();
    let line = "10.40.40.0/25 . 10.40.65.10 . tcp . 104 counter comment \"images\" : accept,";
    assert!(core.content.contains(line));
    core.content = core.content.replace(line, "");
    let told =
        explain_rule(&policy, &Sources::default(), "images", &Configs::new(&policy, &files, None)).unwrap();
    let wrong: Vec<&str> =
        told.configs.iter().filter(|one| !one.agrees).map(|one| one.device.as_str()).collect();
    assert_eq!(wrong, ["core"], "{told}");
    assert!(told.to_string().contains("NOT WHAT THE POLICY SAYS"), "{told}");
}

#[test]
fn what_is_no_statement_is_told_with_the_way_out() {
    let (directory, path) = small();
    let missing = directory.path().join("wide").to_string_lossy().into_owned();
    for (arguments, said) in [
        (&["wid", &path][..], "did you mean `wide`?"),
        (&["no-mail", &path], "`no-mail` is an assertion"),
        (&["\u{1b}[31m", &path], "no allow, forbid or manage statement `?[31m`"),
        (&["", &path], "no allow, forbid or manage statement ``"),
        (&[&path, &missing], "the statement comes first"),
        (&["wide", &missing], "cannot read"),
        (&["tcp", "10.1.0.1"], "usage: cordon explain"),
        (&["6"], "usage: cordon explain"),
        (&["wide", &path, "--sport", "5"], "`--sport` is of packets"),
        (&["wide", &path, "--format", "sarif"], "has no place"),
        (&["wide", &path, "--posture", "open"], "has no posture `open`"),
    ] {
        let (code, out, err) = run(&[&["explain"], arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{err}");
    }
    assert_eq!(run(&["explain"]).0, 2);
    std::fs::write(&path, "allow wide {").unwrap();
    assert_eq!(run(&["explain", "wide", &path]).0, 1);
}
