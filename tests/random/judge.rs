//! One policy on one target: its config is proved, and packets are walked through it.

use cordon::diag::{Diagnostics, human};
use cordon::emit::{OutputFile, emit, splice};
use cordon::ir::DeviceId;
use cordon::plan::plan;
use cordon::prove::{ConfigFile, Verdict, prove};
use cordon::read::{Family, Model, Reading, cisco_ios, iptables, nftables, pfsense};
use cordon::source::Sources;

use super::config::{Flight, passes};
use super::dice::Dice;
use super::naive::{Naive, turns};
use super::packets::{Packet, Sampler};
use super::policy::{DEVICE, Read, read};
use crate::kernel::martian::unforwardable;
use crate::support::AS_OF;

/// Packets that are walked through each config.
const PACKETS: usize = 150;

/// Days on which packets are walked, which are the last ones of rules, or those behind them; with the second that each
/// begins with, counted from 1970.
const DAYS: [(&str, u32); 6] = [
    (AS_OF, 1_793_491_200),
    ("2026-11-02", 1_793_577_600),
    ("2026-12-31", 1_798_675_200),
    ("2027-01-01", 1_798_761_600),
    ("2027-06-30", 1_814_313_600),
    ("2027-07-01", 1_814_400_000),
];

/// What was tried.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Policies that the target can express.
    pub(super) whole: usize,
    /// Policies of which it can express a part.
    pub(super) left_out: usize,
    /// Policies of those that it refuses even so.
    pub(super) skipped: usize,
    /// Sets of packets that were compared by proofs.
    pub(super) compared: usize,
    /// Packets that have to pass, and those that must not.
    pub(super) passed: usize,
    pub(super) stopped: usize,
}

/// What came of a policy.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// All agree.
    Fine,
    /// The target has no words for something in it.
    Inexpressible,
    /// Two disagree, or the policy could not be compiled.
    Wrong(String),
}

/// What must become of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Must {
    Pass,
    Stop,
    Either,
}

/// Files by their names.
type Files = Vec<(String, String)>;

/// Compiles a policy, proves its config, and walks packets through it.
pub(super) fn judge(text: &str, target: &str, seed: u64, tally: &mut Tally) -> Outcome {
    judge_changed(text, target, seed, tally, &|_| {})
}

/// The same with a config that is not what was emitted.
pub(super) fn judge_changed(
    text: &str,
    target: &str,
    seed: u64,
    tally: &mut Tally,
    change: &dyn Fn(&mut Files),
) -> Outcome {
    let (read, mut files) = match compile(text) {
        Ok(compiled) => compiled,
        Err(outcome) => return outcome,
    };
    change(&mut files);
    tally.whole += 1;
    match proved(&read, &files) {
        Ok(compared) => tally.compared += compared,
        Err(why) => return Outcome::Wrong(why),
    }
    walked(&read, target, &files, seed, tally)
}

/// The same without a proof.
pub(super) fn walk_changed(text: &str, target: &str, seed: u64, change: &dyn Fn(&mut Files)) -> Outcome {
    let Ok((read, mut files)) = compile(text) else { return Outcome::Fine };
    change(&mut files);
    walked(&read, target, &files, seed, &mut Tally::default())
}

/// True if the target that a policy names has words for all of it.
pub(crate) fn is_expressible(text: &str) -> bool {
    compile(text).is_ok()
}

fn compile(text: &str) -> Result<(Read, Files), Outcome> {
    // A policy that is no policy is no difference; while lines are taken away there are many.
    let Ok(read) = read(text) else { return Err(Outcome::Fine) };
    let mut diagnostics = Diagnostics::default();
    let files = emit(&plan(&read.policy), &mut diagnostics);
    if diagnostics.has_errors() {
        let mut sources = Sources::default();
        sources.add("random.cordon".to_owned(), text.to_owned()).unwrap();
        let said = human(&diagnostics, &sources, 100, false);
        let expected = said.contains("C0703") || said.contains("C0711");
        return Err(if expected { Outcome::Inexpressible } else { Outcome::Wrong(said) });
    }
    let name = |file: &OutputFile| file.path.split_once('/').unwrap().1.to_owned();
    Ok((read, files.into_iter().map(|file| (name(&file), file.content)).collect()))
}

/// How many sets of packets were found equal.
fn proved(read: &Read, files: &Files) -> Result<usize, String> {
    let files: Vec<ConfigFile> = files.iter().map(|(name, text)| ConfigFile { name, text }).collect();
    match prove(&read.policy, DeviceId(0), &files) {
        Verdict::Compared(comparison) if comparison.is_equal() => Ok(comparison.compared),
        Verdict::Compared(comparison) => {
            let first = comparison.differences.first().map(|first| {
                let packet =
                    first.witnesses.first().map(|witness| (witness.packet.to_string(), witness.second));
                (first.kind, &first.arrives, &first.leaves, first.state, packet)
            });
            Err(format!("{} differences, first {first:?}", comparison.differences.len()))
        }
        Verdict::Unreadable(mistakes) => Err(format!("unreadable: {mistakes:?}")),
        Verdict::NoReader => Err("no reader".to_owned()),
    }
}

/// What readers make of the files of a target.
fn models(target: &str, files: &Files, clock: i32) -> Vec<Model> {
    let text =
        |name: &str| files.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
    let readings: Vec<Reading> = match target {
        "nftables" => vec![nftables::read(text("ruleset.nft"))],
        "iptables" => [("rules.v4", Family::V4), ("rules.v6", Family::V6)]
            .map(|(name, family)| iptables::read(text(name), text("sets.ipset"), family))
            .into(),
        "cisco-ios" => vec![cisco_ios::read(text("acl.cfg"))],
        _ => {
            let areas = areas(files, clock);
            vec![pfsense::read(&areas.iter().map(String::as_str).collect::<Vec<_>>())]
        }
    };
    let mistakes: Vec<_> = readings.iter().flat_map(|reading| &reading.mistakes).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
    readings.into_iter().map(|reading| reading.model).collect()
}

/// The areas of a pfSense config into which the files were spliced.
fn areas(files: &Files, clock: i32) -> Vec<String> {
    let zone = match clock / 60 {
        0 => "Etc/UTC".to_owned(),
        hours => format!("Etc/GMT{:+}", -hours),
    };
    let interfaces: String = ["lan", "wan", "opt1", "opt2", "opt3"]
        .iter()
        .map(|name| format!("<{name}><if>em-{name}</if><enable></enable></{name}>"))
        .collect();
    let config = format!(
        "<pfsense><system><timezone>{zone}</timezone></system><interfaces>{interfaces}</interfaces>\n\
         <aliases></aliases>\n<schedules></schedules>\n<filter>\n</filter>\n</pfsense>\n"
    );
    let file = |(name, content): &(String, String)| OutputFile {
        path: format!("{DEVICE}/{name}"),
        content: content.clone(),
    };
    let files: Vec<OutputFile> = files.iter().map(file).collect();
    let whole = splice(&config, DEVICE, &files).unwrap_or_else(|error| panic!("{error}")).config;
    let area = |name: &str| {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let from = whole.find(&start)?;
        let to = whole.rfind(&end)? + end.len();
        Some(whole[from..to].to_owned())
    };
    ["filter", "aliases", "schedules"].iter().filter_map(|name| area(name)).collect()
}

fn walked(read: &Read, target: &str, files: &Files, seed: u64, tally: &mut Tally) -> Outcome {
    let naive = Naive::new(&read.files, AS_OF);
    let by_day = DAYS.map(|(day, midnight)| (Naive::new(&read.files, day), midnight));
    let models = models(target, files, naive.clock());
    let own_clock = matches!(target, "pfsense" | "cisco-ios");
    let (sampler, mut dice, turns) = (Sampler::new(&naive, &read.files), Dice::new(seed), turns(&naive));
    for _ in 0..PACKETS {
        let packet = sampler.packet(&read.files, &mut dice);
        let minute = match turns.as_slice() {
            turns if !turns.is_empty() && !dice.once_in(4) => *dice.pick(turns),
            _ => i32::try_from(dice.below(7 * 24 * 60)).unwrap(),
        };
        let shown = (minute + if own_clock { naive.clock() } else { 0 }).rem_euclid(7 * 24 * 60);
        let second = u32::try_from(shown).unwrap() * 60 + *dice.pick(&[0, 30, 59]);
        let linux = matches!(target, "nftables" | "iptables");
        let to_device = linux && dice.once_in(5);
        let packet = if to_device { asked(packet, &mut dice) } else { packet };
        // pfSense cannot end a rule by itself, and no target ends a manage statement.
        let days = if target == "pfsense" || to_device { &by_day[..1] } else { &by_day[..] };
        let (then, midnight) = dice.pick(days);
        let moment = midnight + *dice.pick(&[0, 43_200, 86_399]);
        let Some((flight, must)) = flight(then, target, packet, minute, (second, moment), to_device) else {
            continue;
        };
        match must {
            Must::Pass => tally.passed += 1,
            Must::Stop => tally.stopped += 1,
            Must::Either => continue,
        }
        let results = [true, false].map(|opaque| passes(&models, flight, opaque));
        let agrees = match must {
            Must::Pass => granted(target).iter().all(|opaque| results[usize::from(!*opaque)]),
            Must::Stop | Must::Either => results == [false, false],
        };
        if !agrees {
            return Outcome::Wrong(format!("{flight:?} at minute {minute}: {must:?}, but {results:?}"));
        }
    }
    Outcome::Fine
}

/// What is taken for granted of opaque conditions where a packet has to pass: addresses of pfSense's tables are not
/// those of a policy, and the clock of a switch is set.
fn granted(target: &str) -> &'static [bool] {
    match target {
        "pfsense" => &[false],
        "cisco-ios" => &[true],
        _ => &[true, false],
    }
}

/// A packet to a device itself, over what manage statements name or nearly so.
fn asked(packet: Packet, dice: &mut Dice) -> Packet {
    let services = [
        (6, 40_000, 22),
        (6, 40_000, 23),
        (17, 40_000, 161),
        (17, 53, 160),
        (6, 1, 443),
        (1, 8, 0),
        (58, 128, 0),
    ];
    let (protocol, source_port, destination_port) = *dice.pick(&services);
    Packet { protocol, source_port, destination_port, ..packet }
}

/// The way of a packet through the device or to it, and what must become of it; none for packets that it never sees, or
/// that a network treats in ways of its own.
fn flight<'f>(
    naive: &Naive<'f>,
    target: &str,
    packet: Packet,
    minute: i32,
    (second, moment): (u32, u32),
    to_device: bool,
) -> Option<(Flight<'f>, Must)> {
    if unforwardable(packet.source, packet.destination).is_some() {
        return None;
    }
    let arrives = naive.interface(DEVICE, packet.source)?;
    if to_device {
        let must = if naive.manages(DEVICE, &packet) { Must::Pass } else { Must::Stop };
        return Some((Flight { packet, arrives, leaves: None, second, moment }, must));
    }
    let leaves = naive.interface(DEVICE, packet.destination)?;
    if arrives == leaves {
        return None;
    }
    let allowed = naive.allows(&packet, minute, false);
    let promised = naive.allows(&packet, minute, true);
    let excused = match target {
        "pfsense" => of_pfsense(&packet),
        "cisco-ios" if !allowed => of_switches(naive, &packet, minute),
        _ => false,
    };
    let must = match (allowed, promised) {
        _ if excused => Must::Either,
        (false, _) => Must::Stop,
        (true, true) => Must::Pass,
        (true, false) => Must::Either,
    };
    Some((Flight { packet, arrives, leaves: Some(leaves), second, moment }, must))
}

/// True for what pfSense decides by itself: ports 0, and messages that IPv6 needs.
fn of_pfsense(packet: &Packet) -> bool {
    let ports = [packet.source_port, packet.destination_port];
    match packet.protocol {
        6 | 17 => ports.contains(&0),
        58 => [1, 2, 135, 136].contains(&packet.source_port),
        _ => false,
    }
}

/// True for what a device without state cannot tell from what is allowed: replies, and errors. A SYN is neither.
fn of_switches(naive: &Naive, packet: &Packet, minute: i32) -> bool {
    let asked = |request: u16| {
        let request = Packet { source_port: request, destination_port: 0, ..packet.reversed() };
        naive.allows(&request, minute, false)
    };
    // Each family has its own messages; the number of the other's is a protocol like any.
    let messages = if packet.source.is_ipv4() { 1 } else { 58 };
    match (packet.protocol, packet.source_port) {
        (6, _) => false,
        (1, 3 | 11 | 12) | (58, 1..=4 | 135 | 136) if packet.protocol == messages => true,
        (1, 0) if packet.protocol == messages => asked(8),
        (1, kind @ (14 | 16 | 18)) | (58, kind @ (129 | 140)) if packet.protocol == messages => {
            asked(kind - 1)
        }
        (protocol, _) if protocol == messages => false,
        _ => naive.allows(&packet.reversed(), minute, false),
    }
}
