//! The view model of `ruleset.nft`: every line that depends on the policy, ready to be laid out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::element::{Element, Family, Shape, place};
use super::text::comment;
use crate::ir::{Effect, Interface};
use crate::plan::{Arrival, DevicePlan, Pair};
use crate::set::{AddressRange, AddressSet, PacketBox, PacketSet, Set};

/// The whole file.
#[derive(Debug, Serialize)]
pub(super) struct Ruleset {
    device: String,
    title: String,
    interfaces: Vec<String>,
    arrivals: Vec<ArrivalView>,
    pairs: Vec<PairView>,
    input: Vec<Map>,
    logs: Vec<Log>,
}

/// What may arrive on an interface.
#[derive(Debug, Serialize)]
struct ArrivalView {
    interface: String,
    zones: String,
    sets: Vec<SourceSet>,
    checks: Vec<String>,
}

/// A named set of source addresses.
#[derive(Debug, Serialize)]
struct SourceSet {
    name: String,
    field: &'static str,
    elements: Vec<String>,
}

/// What may pass between two interfaces.
#[derive(Debug, Serialize)]
struct PairView {
    from: String,
    to: String,
    zones: String,
    maps: Vec<Map>,
}

/// A verdict map.
#[derive(Debug, Serialize)]
struct Map {
    name: String,
    fields: String,
    elements: Vec<Element>,
}

/// The chain that logs for one rule.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Log {
    rule: String,
    prefix: String,
    verdict: &'static str,
}

impl Ruleset {
    pub(super) fn new(plan: &DevicePlan) -> Result<Self, &'static str> {
        let policy = plan.policy;
        let pairs = plan.pairs.iter().map(|pair| pair_view(plan, pair)).collect::<Result<_, _>>()?;
        let mut input = Maps::new("input", false);
        for entry in &plan.inputs {
            let verdict = verdict(&entry.management.id, Effect::Allow, entry.management.log);
            input.add(&entry.packets, &entry.management.id, &verdict)?;
        }
        let title = policy.name.as_deref().unwrap_or("cordon");
        Ok(Ruleset {
            device: plan.device.name.clone(),
            title: comment(title),
            interfaces: plan.device.interfaces.iter().map(|interface| interface.name.clone()).collect(),
            arrivals: plan.arrivals.iter().map(|arrival| arrival_view(plan, arrival)).collect(),
            pairs,
            input: input.into_views(),
            logs: logs(plan),
        })
    }
}

/// What happens to the packets of a rule.
fn verdict(rule: &str, effect: Effect, log: bool) -> String {
    match (effect, log) {
        (_, true) => format!("goto log/{rule}"),
        (Effect::Allow, false) => "accept".to_owned(),
        (Effect::Forbid, false) => "goto denied".to_owned(),
    }
}

/// The chains of all rules that log, by rule.
fn logs(plan: &DevicePlan) -> Vec<Log> {
    let rules = plan.pairs.iter().flat_map(|pair| &pair.entries).map(|entry| &plan.policy[entry.rule]);
    let rules = rules.filter(|rule| rule.log).map(|rule| log(&rule.id, rule.effect));
    let inputs = plan.inputs.iter().map(|input| input.management).filter(|management| management.log);
    let mut logs: Vec<Log> =
        rules.chain(inputs.map(|management| log(&management.id, Effect::Allow))).collect();
    logs.sort();
    logs.dedup();
    logs
}

fn log(rule: &str, effect: Effect) -> Log {
    let (word, verdict) = match effect {
        Effect::Allow => ("allow", "accept"),
        Effect::Forbid => ("deny", "drop"),
    };
    Log { rule: rule.to_owned(), prefix: format!("cordon {word} {rule}: "), verdict }
}

/// The zones behind an interface, for readers.
fn zones(plan: &DevicePlan, interface: &Interface) -> String {
    let names: Vec<&str> = interface.zones.iter().map(|zone| plan.policy[*zone].name.as_str()).collect();
    comment(&names.join(", "))
}

fn pair_view(plan: &DevicePlan, pair: &Pair) -> Result<PairView, &'static str> {
    let name = format!("pair/{}/{}", pair.from.name, pair.to.name);
    let mut maps = Maps::new(&name, true);
    for entry in &pair.entries {
        let rule = &plan.policy[entry.rule];
        maps.add(&entry.packets, &rule.id, &verdict(&rule.id, rule.effect, rule.log))?;
    }
    Ok(PairView {
        from: pair.from.name.clone(),
        to: pair.to.name.clone(),
        zones: comment(&format!("{} to {}", zones(plan, pair.from), zones(plan, pair.to))),
        maps: maps.into_views(),
    })
}

/// The maps of one chain, filled box by box.
struct Maps<'n> {
    name: &'n str,
    with_destination: bool,
    maps: BTreeMap<(Family, Shape), Vec<(PacketBox, Element)>>,
}

impl<'n> Maps<'n> {
    fn new(name: &'n str, with_destination: bool) -> Self {
        Maps { name, with_destination, maps: BTreeMap::new() }
    }

    fn add(&mut self, packets: &PacketSet, rule: &str, verdict: &str) -> Result<(), &'static str> {
        for packets in packets.boxes() {
            for placed in place(&packets, self.with_destination)? {
                let element = Element { key: placed.key, rule: rule.to_owned(), verdict: verdict.to_owned() };
                self.maps.entry((placed.family, placed.shape)).or_default().push((packets, element));
            }
        }
        Ok(())
    }

    /// The maps, their elements by rule and then by key, so that a change of one rule moves no line of another.
    fn into_views(self) -> Vec<Map> {
        let maps = self.maps.into_iter().map(|((family, shape), mut elements)| {
            elements.sort_by(|(one, left), (other, right)| (&left.rule, one).cmp(&(&right.rule, other)));
            Map {
                name: format!("{}/{}/{}", self.name, family.suffix(), shape.suffix()),
                fields: format!("{} . {}", family.fields(self.with_destination), shape.fields(family)),
                elements: elements.into_iter().map(|(_, element)| element).collect(),
            }
        });
        maps.collect()
    }
}

/// The checks of what arrives on an interface: a source that no zone behind it has is dropped.
fn arrival_view(plan: &DevicePlan, arrival: &Arrival) -> ArrivalView {
    let interface = &arrival.interface.name;
    let foreign = AddressSet::full().difference(&arrival.sources);
    let mut view = ArrivalView {
        interface: interface.clone(),
        zones: zones(plan, arrival.interface),
        sets: Vec::new(),
        checks: Vec::new(),
    };
    let ranges = |set: &AddressSet, family| -> Vec<String> {
        let of_family =
            set.ranges().filter(|range| matches!(range, AddressRange::V4(_)) == (family == Family::V4));
        of_family.map(|range| range.to_string()).collect()
    };
    for family in [Family::V4, Family::V6] {
        let (own, foreign) = (ranges(&arrival.sources, family), ranges(&foreign, family));
        add_checks(&mut view, family, &own, &foreign);
    }
    view
}

fn add_checks(view: &mut ArrivalView, family: Family, own: &[String], foreign: &[String]) {
    let field = family.fields(false);
    let name = format!("source/{}/{}", view.interface, family.suffix());
    let check = match (own, foreign) {
        (_, []) => return,
        ([], _) => match family {
            Family::V4 => "meta nfproto ipv4".to_owned(),
            Family::V6 => "meta nfproto ipv6".to_owned(),
        },
        ([range], _) => format!("{field} != {range}"),
        (_, [range]) => format!("{field} {range}"),
        // INVARIANT: neither set is empty here. A negated match on an empty set would match every packet.
        (own, foreign) => {
            let (elements, operator) = if own.len() <= foreign.len() { (own, "!= ") } else { (foreign, "") };
            view.sets.push(SourceSet { name: name.clone(), field, elements: elements.to_vec() });
            format!("{field} {operator}@{name}")
        }
    };
    view.checks.push(format!("{check} goto spoofed"));
}
