//! Random policies with guards and postures: on every target, what is emitted is proved, and under each posture too.

use std::collections::BTreeMap;

use cordon::diag::Diagnostics;
use cordon::emit::emit;
use cordon::ir::{Action, DeviceId, Guard, Policy};
use cordon::plan::plan;
use cordon::prove::{ConfigFile, Verdict, prove};

use super::policy::{Random, Wanted, read};
use super::{ALL, Dice, cases, report};

/// Statements that are tried on each policy.
const TRIED: usize = 8;

/// A guard or a posture, sound or not.
fn statement(policy: &Policy, target: &str, number: usize, dice: &mut Dice) -> String {
    let places: Vec<&str> = policy.zones.iter().map(|zone| zone.name.as_str()).collect();
    let rules: Vec<&str> = policy.rules.iter().map(|rule| rule.id.as_str()).collect();
    let rule = |dice: &mut Dice| if rules.is_empty() { "none" } else { *dice.pick(&rules) };
    let except = |dice: &mut Dice| format!("except {}", rule(dice));
    if dice.once_in(2) {
        let isolated = dice.some(&places, 2).join(", ");
        let except = if dice.once_in(2) { except(dice) } else { String::new() };
        return format!("posture p{number} {{ isolate {isolated} {except} }}\n");
    }
    let subject = if dice.once_in(3) { rule(dice) } else { *dice.pick(&places) };
    let (rate, per) = *dice.pick(&[
        ("new-connections 1/hour burst 5", ""),
        ("new-connections 20/second", "per source"),
        ("new-connections 7/minute burst 600", "per source"),
        ("new-connections 9999/second burst 1", "per source"),
        ("packets 80000/second", ""),
        ("packets 600/minute burst 100000", "per source"),
        ("bandwidth 1 mbit/second", "per source"),
        ("bandwidth 10 gbit/second", ""),
        ("bandwidth 4096 kbit/second", "per source"),
        ("destinations 5/minute", "per source"),
        ("destinations 200/second burst 1000", "per source"),
        ("session-time 90 minutes", ""),
        ("session-time 7 days", ""),
    ]);
    let isolate = format!("isolate 2 hours {}", if dice.once_in(2) { except(dice) } else { String::new() });
    let action = match target {
        "pfsense" => "quarantine 3 hours",
        _ => *dice.pick(&["alert", "limit", "quarantine 90 seconds", &isolate, &isolate]),
    };
    format!("guard {subject} {{ {rate} {per} then {action} }}\n")
}

/// A policy with as many of the statements as there is nothing wrong with on a target.
fn with_statements(seed: u64, target: &str) -> String {
    let wanted = Wanted { schedules: false, ..ALL };
    let mut text = Random::new(seed, wanted).text(target, true);
    let mut dice = Dice::new(seed);
    for number in 0..TRIED {
        let Ok(known) = read(&text) else { break };
        let more = text.clone() + &statement(&known.policy, target, number, &mut dice);
        let Ok(known) = read(&more) else { continue };
        let mut diagnostics = Diagnostics::default();
        emit(&plan(&known.policy), &mut diagnostics);
        if !diagnostics.has_errors() {
            text = more;
        }
    }
    text
}

/// What of a policy is not proved on its enforcement point, if something is not.
fn unproved(policy: &Policy) -> Option<String> {
    let mut diagnostics = Diagnostics::default();
    let files = emit(&plan(policy), &mut diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let names: BTreeMap<&str, &str> =
        files.iter().filter_map(|file| Some((file.path.split_once('/')?.1, file.content.as_str()))).collect();
    let configs: Vec<ConfigFile> = names.iter().map(|(name, text)| ConfigFile { name, text }).collect();
    match prove(policy, DeviceId(0), &configs) {
        Verdict::Compared(comparison) if comparison.is_equal() => None,
        other => Some(format!("{other:?}").chars().take(2_000).collect()),
    }
}

fn on(target: &str, normal: u64) -> [usize; 2] {
    let (mut guards, mut isolations, mut postures, mut wrong) = (0, 0, 0, Vec::new());
    for seed in cases(normal) {
        let text = with_statements(seed, target);
        let Ok(known) = read(&text) else { continue };
        let policy = known.policy;
        guards += policy.guards.len();
        let isolates = |guard: &&Guard| matches!(guard.action, Action::Isolate { .. });
        isolations += policy.guards.iter().filter(isolates).count();
        postures += policy.postures.len();
        let under = policy.postures.iter().map(|posture| policy.under(posture));
        for policy in under.chain([policy.clone()]) {
            wrong.extend(unproved(&policy).map(|why| {
                format!(
                    "policy {seed}, {}, on {target}: {why}\n{text}",
                    policy.name.as_deref().unwrap_or("whole")
                )
            }));
        }
    }
    eprintln!(
        "{target}: {guards} guards, {isolations} that isolate, and {postures} postures, {} wrong",
        wrong.len()
    );
    report(target, &wrong);
    [guards, postures]
}

#[test]
fn random_guards_and_postures_are_proved_in_nftables() {
    assert!(on("nftables", 8).into_iter().all(|count| count > 8));
}

#[test]
fn random_guards_and_postures_are_proved_in_iptables() {
    assert!(on("iptables", 8).into_iter().all(|count| count > 8));
}

#[test]
fn random_guards_and_postures_are_proved_on_pfsense() {
    let [guards, postures] = on("pfsense", 20);
    assert!(guards > 0 && postures > 20, "{guards} guards, {postures} postures");
}

#[test]
fn random_postures_are_proved_on_switches() {
    let [_, postures] = on("cisco-ios", 6);
    assert!(postures > 6, "{postures} postures");
}
