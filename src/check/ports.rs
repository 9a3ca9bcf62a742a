//! Ports of switches: names and ranges as written, one by one and in full, with the rates above which frames are a storm.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use std::collections::BTreeMap;

use miette::Diagnostic;
use thiserror::Error;

use super::devices::zone_named;
use super::error::CheckError;
use crate::diag::{Diagnostics, did_you_mean};
use crate::ir::{Criticality, Interface, Policy, Port, Span, StormKind, Zone, ZoneId};
use crate::set::Set;
use crate::syntax::ast::{self, Word};

/// Kinds of ports that frames of a cable come in by, with what people shorten them to. The name in full is what a switch
/// shows. Bundles of ports are not among them, since manuals differ in whether storm-control works there.
const KINDS: [(&str, &str); 8] = [
    ("FastEthernet", "Fa"),
    ("GigabitEthernet", "Gi"),
    ("TwoGigabitEthernet", "Tw"),
    ("FiveGigabitEthernet", "Fi"),
    ("TenGigabitEthernet", "Te"),
    ("TwentyFiveGigE", "Twe"),
    ("FortyGigabitEthernet", "Fo"),
    ("HundredGigE", "Hu"),
];

/// What the interface of a network is called on a switch.
const VLAN: &str = "vlan";

/// The largest number in the name of a port.
const MOST_NUMBER: u16 = 999;

/// A mistake in what is said of ports.
#[derive(Error, Diagnostic, Debug)]
enum PortError {
    #[error("`{text}` is not a port of a switch: {why}")]
    #[diagnostic(
        code(C0513),
        help(
            "a port is a kind and its numbers, such as `Gi1/0/1` or `TenGigabitEthernet1/1/1`, and `Gi1/0/1-24` is 24 of them; kinds are {}",
            kinds()
        )
    )]
    NoPort {
        text: String,
        why: String,
        #[label("not a port")]
        span: Span,
    },

    #[error("the port `{name}` of `{device}` stands twice")]
    #[diagnostic(
        code(C0514),
        help("what is plugged in there belongs to one zone, and has one rate for a kind")
    )]
    Twice {
        name: String,
        device: String,
        #[label(primary, "again here")]
        span: Span,
        #[label("first here")]
        first: Span,
    },

    #[error("`{device}` has no VLAN interface for `{zone}`")]
    #[diagnostic(
        code(C0515),
        help(
            "ports belong to a zone whose packets the switch routes; attach it: `interface Vlan230 zone {zone}`"
        )
    )]
    NoVlan {
        zone: String,
        device: String,
        #[label("ports of a zone that is not attached here by a VLAN interface")]
        span: Span,
    },

    #[error("storm-control must not drop frames of `{zone}`: lives depend on `{life}`")]
    #[diagnostic(
        code(C0516),
        help(
            "`{life}` has `criticality life`, and what a patient's life depends on is never cut off automatically, since a false alarm would do what an attacker wants; leave `storm-control` out, which has it turned off there"
        )
    )]
    CutsLife {
        zone: String,
        life: String,
        #[label("never cut off by a machine")]
        span: Span,
    },

    #[error("storm-control cannot alert without dropping")]
    #[diagnostic(
        code(C0517),
        help(
            "a switch filters above the rate whatever else it is told to do, and the trap that it sends comes with that; write `then limit` if frames may be dropped there, or leave `storm-control` out"
        )
    )]
    AlertDrops {
        #[label("nothing on the switch would only tell")]
        span: Span,
    },
}

fn kinds() -> String {
    KINDS.map(|(name, short)| format!("{name} ({short})")).join(", ")
}

/// A port as it is told from others: its kind by its place in the table, and its numbers.
type Key = (usize, Vec<u16>);

/// Reads what is said of the ports of one switch: ports by kind and number.
pub(super) fn ports(
    clauses: &[ast::Ports],
    device: &str,
    interfaces: &[Interface],
    zones: &[Zone],
    diagnostics: &mut Diagnostics,
) -> Vec<Port> {
    let mut found: BTreeMap<Key, Port> = BTreeMap::new();
    for clause in clauses {
        let zone = zone_named(&clause.zone, zones, diagnostics);
        if let Some(zone) = zone.filter(|zone| !has_vlan(interfaces, *zone)) {
            let name = zones.get(zone.0).map_or_else(String::new, |zone| zone.name.clone());
            let (device, span) = (device.to_owned(), clause.zone.span);
            diagnostics.push(PortError::NoVlan { zone: name, device, span });
        }
        let levels = clause.storm.as_ref().map_or([None; 2], |storm| levels(storm, diagnostics));
        for word in &clause.names {
            let keys = match range(word, interfaces, Port::MOST.saturating_sub(found.len())) {
                Ok(keys) => keys,
                Err(why) => {
                    let (text, span) = (word.node.clone(), word.span);
                    diagnostics.push(PortError::NoPort { text, why, span });
                    continue;
                }
            };
            let (Some(zone), span) = (zone, word.span) else { continue };
            for key in keys {
                let name = full_name(&key);
                if let Some(first) = found.get(&key) {
                    let (device, first) = (device.to_owned(), first.span);
                    diagnostics.push(PortError::Twice { name, device, span, first });
                    break;
                }
                found.insert(key, Port { name, zone, levels, span });
            }
        }
    }
    found.into_values().collect()
}

/// Reports storm-control where devices are that lives depend on: in such a zone, or in one with such a class or peer.
pub(super) fn check_life(policy: &Policy, diagnostics: &mut Diagnostics) {
    let mut reported: Option<Span> = None;
    for port in policy.devices.iter().flat_map(|device| &device.ports) {
        let limited = port.levels.iter().any(Option::is_some);
        let Some(life) = life_within(policy, port.zone).filter(|_| limited) else { continue };
        // A range is many ports of one place.
        if reported.replace(port.span) != Some(port.span) {
            let (zone, span) = (policy[port.zone].name.clone(), port.span);
            diagnostics.push(PortError::CutsLife { zone, life: life.to_owned(), span });
        }
    }
}

/// What in a zone has `criticality life`: itself, or a class or peer.
fn life_within(policy: &Policy, zone: ZoneId) -> Option<&str> {
    let life = Some(Criticality::Life);
    let zone = &policy[zone];
    let itself = Some(zone.name.as_str()).filter(|_| zone.criticality == life);
    let inside = policy
        .endpoints
        .iter()
        .find(|one| one.criticality == life && !one.addresses.is_disjoint(&zone.addresses));
    itself.or(inside.map(|one| one.name.as_str()))
}

fn has_vlan(interfaces: &[Interface], zone: ZoneId) -> bool {
    interfaces.iter().any(|interface| {
        let kind = interface.name.get(..VLAN.len());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(VLAN)) && interface.zones.contains(&zone)
    })
}

fn full_name((kind, numbers): &Key) -> String {
    let kind = KINDS.get(*kind).map_or("", |(name, _)| name);
    let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
    format!("{kind}{}", numbers.join("/"))
}

/// The ports that a word stands for, of which there may be at most `room`; or why there are none.
fn range(word: &Word, interfaces: &[Interface], room: usize) -> Result<Vec<Key>, String> {
    let text = word.node.as_str();
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (first, Some(last)),
        None => (text, None),
    };
    let (kind, numbers) = port(first)?;
    let (Some(from), Some(before)) = (numbers.last(), numbers.get(..numbers.len().saturating_sub(1))) else {
        return Err("it has no number".to_owned());
    };
    let to = last.map_or(Ok(*from), number)?;
    if to < *from {
        return Err(format!("the range runs from {from} back to {to}"));
    }
    if usize::from(to - from) >= room {
        return Err(format!("a switch has {} ports at most", Port::MOST));
    }
    let keys: Vec<Key> =
        (*from..=to).map(|last| (kind, before.iter().copied().chain([last]).collect())).collect();
    let is_own = |key: &&Key| interfaces.iter().any(|own| port(&own.name).is_ok_and(|own| own == **key));
    match keys.iter().find(is_own) {
        Some(key) => Err(format!("`{}` is an interface of the switch, which routes there", full_name(key))),
        None => Ok(keys),
    }
}

/// One port.
fn port(text: &str) -> Result<Key, String> {
    let numbers = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let word = text.strip_suffix(numbers).unwrap_or_default();
    let known =
        |(name, short): &(&str, &str)| name.eq_ignore_ascii_case(word) || short.eq_ignore_ascii_case(word);
    let Some(kind) = KINDS.iter().position(known) else {
        let likely = did_you_mean(word, KINDS.iter().map(|(name, _)| *name));
        let likely = likely.map_or_else(String::new, |kind| format!(", is it `{kind}`?"));
        return Err(format!("`{word}` is no kind of port{likely}"));
    };
    if numbers.is_empty() {
        return Err("it has no number".to_owned());
    }
    let numbers = numbers.split('/').map(number).collect::<Result<Vec<u16>, String>>()?;
    match numbers.len() {
        1..=3 => Ok((kind, numbers)),
        _ => Err("it has more than three numbers".to_owned()),
    }
}

fn number(text: &str) -> Result<u16, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| plain && *number <= MOST_NUMBER);
    number.ok_or_else(|| format!("`{text}` is no number of a port"))
}

/// The rates of a `storm-control` clause.
fn levels(storm: &ast::Storm, diagnostics: &mut Diagnostics) -> [Option<u32>; StormKind::ALL.len()] {
    match storm.action.node.as_str() {
        "limit" => {}
        "alert" => diagnostics.push(PortError::AlertDrops { span: storm.action.span }),
        _ => unknown("then", &storm.action, "only `limit` is known here".to_owned(), diagnostics),
    }
    let mut levels = [None; StormKind::ALL.len()];
    for (kind, rate) in &storm.levels {
        let known = StormKind::ALL.into_iter().zip(&mut levels).find(|(one, _)| one.word() == kind.node);
        let Some((_, level)) = known.filter(|(_, level)| level.is_none()) else {
            let known = "`broadcast` and `multicast` are known, each once".to_owned();
            unknown("storm-control", kind, known, diagnostics);
            continue;
        };
        let count = rate.node.strip_suffix("/second").filter(|count| !count.starts_with('+'));
        let count = count.and_then(|count| count.parse().ok());
        *level = count.filter(|count| (1..=Port::FASTEST).contains(count));
        if level.is_none() {
            let known = format!("a number from 1 to {}, and `/second`, such as `500/second`", Port::FASTEST);
            unknown(kind_of(kind), rate, known, diagnostics);
        }
    }
    levels
}

fn kind_of(kind: &Word) -> &'static str {
    let known = StormKind::ALL.into_iter().find(|one| one.word() == kind.node);
    known.map_or("storm-control", StormKind::word)
}

fn unknown(attribute: &'static str, word: &Word, known: String, diagnostics: &mut Diagnostics) {
    let (value, span) = (word.node.clone(), word.span);
    diagnostics.push(CheckError::UnknownValue { attribute, value, span, known, help: None });
}
