//! Random pairs of policies: a packet is in a row exactly if the statements of the two policies judge it differently.

use cordon::diff::{AccessChange, Row, Version, When, access_change};
use cordon::ir::Clock;
use cordon::source::Sources;

use crate::random::{Dice, Naive, Packet, Random, Sampler, Verdict, Wanted, cases, read, turns};
use crate::support::AS_OF;

const ALL: Wanted = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };

/// Packets that are tried on each pair.
const PACKETS: usize = 80;

/// Minutes of the week that each packet is tried at.
const MINUTES: usize = 4;

/// How often packets were judged the same, were opened, closed, and changed at some minutes only.
type Seen = [usize; 4];

/// What a policy lets pass, by its statements: what stays in a zone, and what is allowed.
fn passes(naive: &Naive, packet: &Packet, minute: i32) -> bool {
    naive.judge(packet).0 == Verdict::Local || naive.allows(packet, minute, false)
}

/// True if nothing is known of both ends in one policy, and nothing filters between them in the other.
fn is_passed_over(one: &Naive, other: &Naive, packet: &Packet) -> bool {
    let nowhere = |naive: &Naive| {
        [packet.source, packet.destination].iter().all(|address| naive.zone_of(*address).is_none())
    };
    let stays = |naive: &Naive| naive.judge(packet).0 == Verdict::Local;
    (nowhere(one) && stays(other)) || (nowhere(other) && stays(one))
}

fn covers(rows: &[Row], packet: &Packet, minute: i32) -> usize {
    let minute = u16::try_from(minute).unwrap();
    let holds = |row: &&Row| match &row.when {
        When::Always => true,
        When::During(clock, week) => {
            assert_eq!(clock, &Clock::Offset(0));
            week.contains(minute)
        }
    };
    rows.iter().filter(holds).filter(|row| row.packets.contains(&packet.as_set())).count()
}

/// A packet of which the rows say something else than the statements, if there is one among those tried.
fn disagreement(old: &str, new: &str, seed: u64, seen: &mut Seen) -> Option<String> {
    let (old, new) = (read(old).ok()?, read(new).ok()?);
    let sources = Sources::default();
    let version = |policy| Version { policy, sources: &sources };
    let change: AccessChange = access_change(version(&old.policy), version(&new.policy));
    let (was, now) = (Naive::new(&old.files, AS_OF), Naive::new(&new.files, AS_OF));
    let mut minutes = [turns(&was), turns(&now)].concat();
    minutes.push(5_000);
    let samplers =
        [(Sampler::new(&was, &old.files), &old.files), (Sampler::new(&now, &new.files), &new.files)];
    let mut dice = Dice::new(seed);
    let mut tried: Vec<Packet> = Vec::new();
    for number in 0..PACKETS {
        let (sampler, files) = &samplers[number % 2];
        tried.push(sampler.packet(files, &mut dice));
    }
    // What a row says is tried at its corners too.
    for row in change.opened.iter().chain(&change.closed) {
        tried.extend(row.packets.boxes().iter().take(4).map(|one| from_set(one.sample())));
    }
    for packet in tried {
        // All minutes at which something turns are tried, a few with each packet.
        let start = dice.below(minutes.len());
        for minute in minutes.iter().cycle().skip(start).take(MINUTES.min(minutes.len())) {
            let (before, after) = (passes(&was, &packet, *minute), passes(&now, &packet, *minute));
            let passed_over = is_passed_over(&was, &now, &packet);
            let expected = [!before && after && !passed_over, before && !after && !passed_over];
            let found = [&change.opened, &change.closed].map(|rows| covers(rows, &packet, *minute));
            if found != expected.map(usize::from) {
                return Some(format!(
                    "{packet:?} at {minute}: opened, closed {expected:?}, but rows {found:?}"
                ));
            }
            seen[if expected[0] {
                1
            } else if expected[1] {
                2
            } else {
                0
            }] += 1;
        }
    }
    seen[3] += change.opened.iter().filter(|row| row.when != When::Always).count();
    None
}

fn from_set(packet: cordon::set::Packet) -> Packet {
    let cordon::set::Packet { source, destination, protocol, source_port, destination_port } = packet;
    let (source_port, destination_port) = match protocol {
        1 | 58 => (destination_port / 256, destination_port % 256),
        _ => (source_port, destination_port),
    };
    Packet { source, destination, protocol, source_port, destination_port }
}

/// The policy with a few lines changed: left out, or with a number in it that is another.
fn changed(text: &str, dice: &mut Dice) -> String {
    for _ in 0..40 {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for _ in 0..dice.between(1, 5) {
            let place = dice.below(lines.len());
            if dice.once_in(2) {
                lines.remove(place);
            } else {
                let swaps = [
                    ("allow", "forbid"),
                    ("forbid", "allow"),
                    ("/25", "/26"),
                    ("80", "81"),
                    ("tcp", "udp"),
                    ("/24", "/25"),
                ];
                let (from, to) = *dice.pick(&swaps);
                lines[place] = lines[place].replacen(from, to, 1);
            }
        }
        let other = lines.join("\n");
        if other != text && read(&other).is_ok() {
            return other;
        }
    }
    text.to_owned()
}

fn try_pairs(name: &str, normal: u64, other: impl Fn(u64, &str) -> String) -> Seen {
    let (mut seen, mut wrong): (Seen, Vec<String>) = ([0; 4], Vec::new());
    for seed in cases(normal) {
        let text = Random::new(seed, ALL).text("nftables", false);
        let other = other(seed, &text);
        for (old, new) in [(&text, &other), (&other, &text)] {
            if let Some(why) = disagreement(old, new, seed, &mut seen) {
                wrong.push(format!("policy {seed}: {why}\n{old}\n--- and ---\n{new}"));
            }
        }
    }
    eprintln!("{name}: same, opened, closed, rows at times: {seen:?}, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{name}: {} pairs\n{}", wrong.len(), wrong[0]);
    seen
}

#[test]
fn packets_of_policies_with_a_few_changes_are_in_rows_exactly_if_their_verdict_changes() {
    let seen = try_pairs("few changes", 50, |seed, text| changed(text, &mut Dice::new(seed + 7_000)));
    assert!(seen[1] > 15 && seen[2] > 15, "{seen:?}");
}

#[test]
fn packets_of_unlike_policies_are_in_rows_exactly_if_their_verdict_differs() {
    let seen = try_pairs("unlike", 8, |seed, _| Random::new(seed + 5_000, ALL).text("nftables", false));
    assert!(seen[..3].iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_policy_and_itself_have_no_difference() {
    let seen = try_pairs("itself", 1, |_, text| text.to_owned());
    assert_eq!(seen[1..], [0, 0, 0]);
}
