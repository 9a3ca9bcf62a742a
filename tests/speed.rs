//! How long a build and its proof take, by the number of rules: the table of docs/proof.md.
//!
//!     cargo test --release speed -- --ignored --nocapture
//!
//! `CORDON_RULES=1000,10000` says how many rules, `CORDON_TARGETS=nftables,pfsense` for which targets.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use cordon::check::check;
use cordon::diag::{Diagnostics, human};
use cordon::emit::emit;
use cordon::inventory::Inventories;
use cordon::ir::{DeviceId, Policy};
use cordon::plan::plan;
use cordon::prove::{ConfigFile, Verdict, prove};
use cordon::source::Sources;
use cordon::syntax::parse;

use crate::random::Dice;
use crate::support::AS_OF;

/// Zones of the one device, each behind an interface of its own.
const ZONES: usize = 24;
/// Ports that rules open.
const PORTS: usize = 40;
/// Rules that a host stands in, on average.
const RULES_PER_HOST: usize = 10;

/// A policy with so many rules of different meaning, in both families: each from one host to another for one port, or
/// `mixed`, where a source may also be a row of hosts or a whole zone, so that rules overlap.
pub(crate) fn generated(target: &str, shape: &str, rules: usize) -> String {
    let mut text = "policy \"speed\"\n".to_owned();
    for zone in 0..ZONES {
        let _ = writeln!(text, "zone z{zone} {{ net 10.{zone}.0.0/16, 2001:db8:0:{zone:x}::/64 }}");
    }
    let hosts = (2 * rules / RULES_PER_HOST / ZONES).max(4);
    for (zone, host) in (0..ZONES).flat_map(|zone| (0..hosts).map(move |host| (zone, host))) {
        let [high, low] = [host / 200, host % 200 + 10];
        let addresses = format!("10.{zone}.{high}.{low}, 2001:db8:0:{zone:x}::{:x}", 16 * host + 1);
        let _ = writeln!(text, "class h{zone}-{host} in z{zone} {{ hosts {addresses} }}");
        if host % 8 == 0 {
            let (v4, v6) = (format!("10.{zone}.{high}.{low}"), format!("2001:db8:0:{zone:x}::"));
            let addresses =
                format!("{v4}-10.{zone}.{high}.{}, {v6}{:x}-{v6}{:x}", low + 7, 16 * host, 16 * host + 127);
            let _ = writeln!(text, "class row{zone}-{} in z{zone} {{ hosts {addresses} }}", host / 8);
        }
    }
    let mut dice = Dice::new(1);
    let mut known = BTreeSet::new();
    while known.len() < rules {
        let (from, to) = (dice.below(ZONES), dice.below(ZONES));
        let (source, destination) = (dice.below(hosts), dice.below(hosts));
        let source = match dice.below(10) {
            0 if shape == "mixed" => format!("z{from}"),
            1..=3 if shape == "mixed" => format!("row{from}-{}", source / 8),
            _ => format!("h{from}-{source}"),
        };
        let port = 1_000 + 7 * dice.below(PORTS);
        let said = format!("from {source}  to h{to}-{destination}  via tcp {port}");
        if from != to && known.insert(said.clone()) {
            let _ = writeln!(text, "allow r{} {{ {said} }}", known.len());
        }
    }
    text + &device(target)
}

/// The device that all zones are attached to.
fn device(target: &str) -> String {
    let (kind, budget) =
        if target == "cisco-ios" { ("switch", "   tcam 10000000") } else { ("firewall", "") };
    let mut text = format!("{kind} core {{\n  target {target}{budget}\n");
    for zone in 0..ZONES {
        let name = match (target, zone) {
            ("pfsense", 0) => "lan".to_owned(),
            ("pfsense", 1) => "wan".to_owned(),
            ("pfsense", _) => format!("opt{}", zone - 1),
            ("cisco-ios", _) => format!("Vlan{}", 100 + zone),
            _ => format!("vlan{}", 100 + zone),
        };
        let _ = writeln!(text, "  interface {name} zone z{zone}");
    }
    text + "}\n"
}

/// What a text says, which must be free of errors.
pub(crate) fn checked(text: &str) -> Policy {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let source = sources.add("speed.cordon".to_owned(), text.to_owned()).unwrap().clone();
    let files = [parse(&source, &mut diagnostics)];
    let policy = check(&files, Inventories::default(), AS_OF.parse().unwrap(), &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", human(&diagnostics, &sources, 100, false));
    policy
}

/// What something gives, and how long it takes.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

/// The most memory that this process had since it was last asked, in MiB; nothing where the kernel does not say.
pub(crate) fn peak_mebibytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    kibibytes.unwrap_or(0) / 1024
}

pub(crate) fn listed(name: &str, normal: &str) -> Vec<String> {
    let text = std::env::var(name).unwrap_or_else(|_| normal.to_owned());
    text.split(',').map(str::to_owned).collect()
}

/// One line of the table.
fn measure(target: &str, shape: &str, rules: usize) -> String {
    peak_mebibytes();
    let (policy, check) = timed(|| checked(&generated(target, shape, rules)));
    let mut diagnostics = Diagnostics::default();
    let (plans, plan) = timed(|| plan(&policy));
    let (files, emit) = timed(|| emit(&plans, &mut diagnostics));
    assert!(!diagnostics.has_errors());
    drop(plans);
    let configs: Vec<ConfigFile> = files
        .iter()
        .map(|file| ConfigFile { name: file.path.strip_prefix("core/").unwrap(), text: &file.content })
        .collect();
    let (verdict, prove) = timed(|| prove(&policy, DeviceId(0), &configs));
    let Verdict::Compared(comparison) = verdict else { panic!("{target}: {verdict:?}") };
    assert!(comparison.is_equal(), "{target} with {rules} rules");
    let seconds = [check, plan, emit, prove].map(|time| format!("{:8.2}", time.as_secs_f64()));
    format!("{target:9} {shape:5} {rules:7} {} {:7}", seconds.join(" "), peak_mebibytes())
}

#[test]
#[ignore = "takes minutes, and says how long each step takes"]
fn time_by_rules() {
    eprintln!("target    shape   rules  check s   plan s   emit s  prove s  peak MiB");
    for target in listed("CORDON_TARGETS", "nftables,iptables,pfsense,cisco-ios") {
        for shape in listed("CORDON_SHAPES", "hosts,mixed") {
            for rules in listed("CORDON_RULES", "1000,10000,100000") {
                eprintln!("{}", measure(&target, &shape, rules.parse().unwrap()));
            }
        }
    }
}
