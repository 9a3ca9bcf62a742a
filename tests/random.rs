//! Random policies against everything: what the statements of a policy say, what the model decides, what the emitted
//! configs mean.
//!
//! Each policy is a number. The long version is `CORDON_CASES=1000 cargo test random`; `CORDON_FIRST` is the first number,
//! so that another run tries others. A failure shows the policy without all lines that it does not need.

mod config;
mod dice;
mod guarded;
mod judge;
mod naive;
mod packets;
mod policy;
mod services;

use cordon::ir::{Decider, Decision};

pub(crate) use self::dice::Dice;
pub(crate) use self::judge::is_expressible;
use self::judge::{Outcome, Tally, judge};
pub(crate) use self::naive::{Naive, Said, Verdict, turns};
pub(crate) use self::packets::{Packet, Sampler};
pub(crate) use self::policy::{DEVICE, Random, Read, Wanted, read};
use crate::support::AS_OF;

/// The numbers of the policies to try: `normal` of them, or as many as the environment says. The first is not 1, since
/// that one takes half a minute on a switch.
pub(crate) fn cases(normal: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("CORDON_FIRST").unwrap_or(2);
    first..first + number("CORDON_CASES").unwrap_or(normal)
}

const ALL: Wanted = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };

/// Packets that are tried on each policy.
const PACKETS: usize = 200;

/// The policy without the lines that a failure does not need.
fn shrunk(text: &str, fails: &dyn Fn(&str) -> bool) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut place = 0;
    while place < lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(place);
        if fails(&fewer.join("\n")) {
            lines = fewer;
            place = 0;
        } else {
            place += 1;
        }
    }
    lines.join("\n")
}

/// Failures of which the policy is shown.
const SHOWN: usize = 3;

/// Fails with what was found.
fn report(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}: {} policies\n{}", wrong.len(), wrong.join("\n\n"));
}

/// A target in all policies: proved, and packets walked through its config.
fn on(target: &str, wanted: Wanted, leave_out: bool, normal: u64) -> Tally {
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    for seed in cases(normal) {
        let random = Random::new(seed, wanted);
        let mut outcome = judge(&random.text(target, false), target, seed, &mut tally);
        let left_out = leave_out && matches!(outcome, Outcome::Inexpressible);
        if left_out {
            tally.left_out += 1;
            outcome = judge(&random.text(target, true), target, seed, &mut tally);
        }
        match outcome {
            Outcome::Fine => {}
            Outcome::Inexpressible => tally.skipped += 1,
            Outcome::Wrong(why) => {
                let fails = |text: &str| {
                    matches!(judge(text, target, seed, &mut Tally::default()), Outcome::Wrong(_))
                };
                let text = random.text(target, left_out);
                let text = if wrong.len() < SHOWN { shrunk(&text, &fails) } else { String::new() };
                wrong.push(format!("policy {seed} on {target}: {why}\n{text}"));
            }
        }
    }
    eprintln!("{target}: {tally:?}, {} wrong", wrong.len());
    report(target, &wrong);
    tally
}

/// Asserts that little was skipped, and that the packets were of all kinds.
#[track_caller]
fn assert_substance(tally: &Tally) {
    let tried = tally.whole + tally.left_out;
    assert!(tally.skipped * 2 <= tried && tally.left_out * 2 <= tried, "{tally:?}");
    assert!(tally.passed * 20 > tally.stopped && tally.stopped * 20 > tally.passed, "{tally:?}");
    assert!(tally.compared > 20 * tally.whole, "{tally:?}");
}

#[test]
fn random_policies_mean_the_same_in_nftables() {
    assert_substance(&on("nftables", ALL, true, 12));
}

#[test]
fn random_policies_mean_the_same_in_iptables() {
    assert_substance(&on("iptables", ALL, true, 12));
}

#[test]
fn random_policies_mean_the_same_on_pfsense() {
    assert_substance(&on("pfsense", ALL, true, 10));
}

#[test]
fn random_policies_mean_the_same_on_switches() {
    assert_substance(&on("cisco-ios", ALL, true, 8));
}

/// A packet that the model and the statements judge differently, if there is one among those tried.
fn disagreement(text: &str, seed: u64, seen: &mut [usize; 4]) -> Option<String> {
    let read = read(text).ok()?;
    let naive = Naive::new(&read.files, AS_OF);
    let decider = Decider::new(&read.policy);
    let (sampler, mut dice) = (Sampler::new(&naive, &read.files), Dice::new(seed));
    for _ in 0..PACKETS {
        let packet = sampler.packet(&read.files, &mut dice);
        let (verdict, places) = naive.judge(&packet);
        seen[verdict as usize] += 1;
        let decision = decider.decide(&packet.as_set());
        let decided = match decision {
            Decision::Allowed(rule) | Decision::Scheduled(rule) | Decision::Forbidden(rule) => {
                places.contains(&read.policy[rule].span)
            }
            Decision::Local(zone) => naive.zone_of(packet.source) == Some(&read.policy[zone].name),
            Decision::Unmentioned | Decision::Unzoned => places.is_empty(),
        };
        if decision.verdict() != verdict.word() || !decided {
            return Some(format!("{packet:?}: {verdict:?} by {places:?}, but {decision:?}"));
        }
    }
    None
}

#[test]
fn random_packets_are_decided_as_the_statements_say() {
    let (mut wrong, mut seen, mut refused) = (Vec::new(), [0; 4], 0);
    for seed in cases(40) {
        let random = Random::new(seed, ALL);
        refused += random.refused;
        let text = random.text("nftables", false);
        if disagreement(&text, seed, &mut seen).is_some() {
            let text = shrunk(&text, &|text| disagreement(text, seed, &mut [0; 4]).is_some());
            let why = disagreement(&text, seed, &mut [0; 4]);
            wrong.push(format!("policy {seed}: {why:?}\n{text}"));
        }
    }
    eprintln!(
        "local, denied, scheduled, allowed: {seen:?}; {refused} statements refused, {} wrong",
        wrong.len()
    );
    report("the model and the statements", &wrong);
    assert!(seen.iter().all(|count| count * 50 > seen.iter().sum()), "{seen:?}");
}

#[test]
fn a_packet_that_a_config_treats_otherwise_is_found() {
    let text = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\nallow r { from a to b via tcp 80 }\n\
                manage { from a via tcp 22 }\nfirewall core { target nftables\ninterface eth0 zone a\n\
                interface eth1 zone b }\n";
    let mut tally = Tally::default();
    assert!(matches!(judge(text, "nftables", 1, &mut tally), Outcome::Fine));
    let change = |files: &mut Vec<(String, String)>| {
        for (_, text) in files {
            *text = text.replace(". 80 ", ". 81 ");
        }
    };
    let changed = judge::judge_changed(text, "nftables", 1, &mut tally, &change);
    assert!(matches!(&changed, Outcome::Wrong(why) if why.contains("differences")), "{changed:?}");
    let unproved = judge::walk_changed(text, "nftables", 1, &change);
    assert!(matches!(&unproved, Outcome::Wrong(why) if why.contains("destination_port: 8")), "{unproved:?}");
}
