//! The view model of `ruleset.nft`: every line that depends on the policy, ready to be laid out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::linux;
use super::behind::{Behind, NamedSet, Side};
use super::element::{Element, Family, Shape, place};
use super::guard::Guards;
use super::product::Products;
use super::text::comment;
use crate::ir::{Effect, Interface, Policy, RuleIndex, When};
use crate::plan::{DevicePlan, Pair};
use crate::set::{AddressSet, PacketBox, PacketSet, Set};

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
    guards: Guards,
    guarded: Vec<GuardedRule>,
}

/// What may arrive on an interface.
#[derive(Debug, Serialize)]
struct ArrivalView {
    interface: String,
    zones: String,
    sets: Vec<NamedSet>,
    checks: Vec<String>,
}

/// What may pass between two interfaces.
#[derive(Debug, Serialize)]
struct PairView {
    from: String,
    to: String,
    zones: String,
    checks: Vec<String>,
    maps: Vec<Map>,
    products: Products,
    timed: Vec<Timed>,
}

/// What may pass between two interfaces while a schedule holds, or until an end.
#[derive(Debug, Serialize)]
struct Timed {
    chain: String,
    notes: Vec<String>,
    moments: Vec<String>,
    maps: Vec<Map>,
    products: Products,
}

/// A verdict map.
#[derive(Debug, Serialize)]
pub(super) struct Map {
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

/// The chain of a rule that is guarded.
#[derive(Debug, Serialize)]
struct GuardedRule {
    rule: String,
    guards: Vec<String>,
    verdict: String,
}

impl Ruleset {
    pub(super) fn new(plan: &DevicePlan) -> Result<Self, &'static str> {
        let policy = plan.policy;
        let pairs = plan.pairs.iter().map(|pair| pair_view(plan, pair)).collect::<Result<_, _>>()?;
        let mut input = Maps::new("input", false);
        for entry in &plan.inputs {
            let verdict = verdict(&entry.management.id, Effect::Allow, entry.management.log, false);
            input.add(&entry.packets, &entry.management.id, &verdict)?;
        }
        let title = policy.name.as_deref().unwrap_or("cordon");
        Ok(Ruleset {
            device: plan.device.name.clone(),
            title: comment(title),
            interfaces: plan.device.interfaces.iter().map(|interface| interface.name.clone()).collect(),
            arrivals: plan.device.interfaces.iter().map(|interface| arrival_view(plan, interface)).collect(),
            pairs,
            input: input.into_views(),
            logs: logs(plan),
            guards: Guards::new(plan)?,
            guarded: guarded(plan),
        })
    }
}

/// What happens to the packets of a rule.
fn verdict(rule: &str, effect: Effect, log: bool, guarded: bool) -> String {
    match (effect, log) {
        _ if guarded => format!("goto guarded/{rule}"),
        (_, true) => format!("goto log/{rule}"),
        (Effect::Allow, false) => "accept".to_owned(),
        (Effect::Forbid, false) => "goto denied".to_owned(),
    }
}

/// The chains of all rules that are guarded, by rule.
fn guarded(plan: &DevicePlan) -> Vec<GuardedRule> {
    let rules: BTreeSet<RuleIndex> =
        plan.pairs.iter().flat_map(|pair| &pair.entries).map(|entry| entry.rule).collect();
    let guarded = rules.into_iter().filter(|rule| plan.guards_of(*rule).next().is_some()).map(|index| {
        let rule = &plan.policy[index];
        let guards = plan.guards_of(index).map(|guard| guard.id.clone()).collect();
        let verdict = verdict(&rule.id, rule.effect, rule.log, false);
        GuardedRule { rule: rule.id.clone(), guards, verdict }
    });
    let mut guarded: Vec<GuardedRule> = guarded.collect();
    guarded.sort_by(|one, other| one.rule.cmp(&other.rule));
    guarded
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

/// What lies behind an interface, for readers: its zones, or the enforcement point that it leads to.
fn zones(plan: &DevicePlan, interface: &Interface) -> String {
    let zones = interface.zones.iter().map(|zone| plan.policy[*zone].name.as_str());
    let names: Vec<&str> = zones.chain(interface.link.iter().map(|link| link.to.as_str())).collect();
    comment(&names.join(", "))
}

/// The destinations that lie behind an interface. Where they are not the sources that may arrive on it, as with links
/// that are backups, the sets that hold them have a name of their own.
fn reachable(plan: &DevicePlan, interface: &Interface) -> Behind {
    let destinations = plan.destinations_at(interface);
    let role = if destinations == plan.sources_at(interface) { "behind" } else { "beyond" };
    Behind::new(role, &interface.name, destinations)
}

fn pair_view(plan: &DevicePlan, pair: &Pair) -> Result<PairView, &'static str> {
    let policy = plan.policy;
    let name = format!("pair/{}/{}", pair.from.name, pair.to.name);
    let (sources, destinations) = (plan.sources_at(pair.from), plan.destinations_at(pair.to));
    let mut by_time: BTreeMap<When, (Maps, Products)> = BTreeMap::new();
    let mut beyond_goals = false;
    for entry in &pair.entries {
        let rule = &policy[entry.rule];
        let packets = linux::shortened(&entry.packets, sources, destinations);
        beyond_goals |= linux::shortened(&entry.packets, &AddressSet::empty(), destinations) != entry.packets;
        let when = plan.when(entry.rule);
        let place = format!("{name}{}", time_in_name(policy, when));
        let guarded = plan.guards_of(entry.rule).next().is_some();
        let verdict = verdict(&rule.id, rule.effect, rule.log, guarded);
        let (maps, products) =
            by_time.entry(when).or_insert_with(|| (Maps::new(&place, true), Products::default()));
        let packets = products.take(packets, &place, &rule.id, &verdict)?;
        maps.add(&packets, &rule.id, &verdict)?;
    }
    let always = by_time.remove(&When::default());
    let (maps, products) = always.unwrap_or((Maps::new(&name, true), Products::default()));
    let timed = by_time.into_iter();
    let timed = timed.map(|(when, (maps, products))| timed_view(policy, &name, when, maps, products));
    let timed = timed.collect::<Result<_, _>>()?;
    let tests: Vec<String> = reachable(plan, pair.to).foreign_tests(Side::Destination).collect();
    let tests = if beyond_goals { tests } else { Vec::new() };
    Ok(PairView {
        from: pair.from.name.clone(),
        to: pair.to.name.clone(),
        zones: comment(&format!("{} to {}", zones(plan, pair.from), zones(plan, pair.to))),
        checks: tests.iter().map(|test| format!("{test} goto denied")).collect(),
        maps: maps.into_views(),
        products,
        timed,
    })
}

/// What may pass while a schedule holds, or until an end. The kernel counts hours and dates in UTC; written as seconds of
/// the day and since 1970 they are not converted from the time zone of whoever loads them, as hours written with a colon
/// are, and dates written as such.
fn timed_view(
    policy: &Policy,
    pair: &str,
    when: When,
    maps: Maps,
    products: Products,
) -> Result<Timed, &'static str> {
    let moments = linux::moments(policy, when)?.into_iter().map(|moments| {
        let hours = moments.seconds.map(|(first, last)| format!("meta hour {first}-{last}"));
        // The kernel's week begins on Sunday.
        let number = |day: u8| ((day + 1) % 7).to_string();
        let days = moments.days.map(|days| {
            let days: Vec<String> = days.into_iter().map(number).collect();
            format!("meta day {{ {} }}", days.join(", "))
        });
        let end = moments.last.map(|last| format!("meta time < {}", u64::from(last) + 1));
        hours.into_iter().chain(days).chain(end).collect::<Vec<_>>().join(" ")
    });
    Ok(Timed {
        chain: format!("{pair}{}", time_in_name(policy, when)),
        notes: notes(policy, when),
        moments: moments.collect(),
        maps: maps.into_views(),
        products,
    })
}

/// What names of chains and sets say of when something holds: `/during/night/until/2027-06-30`.
fn time_in_name(policy: &Policy, when: When) -> String {
    let during = when.during.map(|id| format!("/during/{}", policy[id].name)).unwrap_or_default();
    let until = when.end().map(|end| format!("/until/{end}")).unwrap_or_default();
    during + &until
}

/// What has to be known of a time to read its lines.
fn notes(policy: &Policy, when: When) -> Vec<String> {
    let during = when.during.map(|id| &policy[id]).map(|schedule| {
        let (name, clock) = (&schedule.name, &schedule.clock);
        let hours = format!(
            "{name} is meant in {clock}. Here seconds of the day are those of UTC, and days, 0 being Sunday, those of the"
        );
        [hours, "kernel's time zone, which has to be UTC.".to_owned()]
    });
    let until = when.end().map(|end| format!("Until the end of {end} in UTC, in seconds since 1970."));
    during.into_iter().flatten().chain(until).collect()
}

/// The maps of one chain, filled box by box.
pub(super) struct Maps {
    name: String,
    with_destination: bool,
    maps: BTreeMap<(Family, Shape), Vec<(PacketBox, Element)>>,
}

impl Maps {
    pub(super) fn new(name: &str, with_destination: bool) -> Self {
        Maps { name: name.to_owned(), with_destination, maps: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, packets: &PacketSet, rule: &str, verdict: &str) -> Result<(), &'static str> {
        for packets in packets.boxes() {
            for placed in place(&packets, self.with_destination)? {
                let element = Element { key: placed.key, rule: rule.to_owned(), verdict: verdict.to_owned() };
                self.maps.entry((placed.family, placed.shape)).or_default().push((packets, element));
            }
        }
        Ok(())
    }

    /// The maps, their elements by rule and then by key, so that a change of one rule moves no line of another.
    pub(super) fn into_views(self) -> Vec<Map> {
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
fn arrival_view(plan: &DevicePlan, interface: &Interface) -> ArrivalView {
    let behind = Behind::new("behind", &interface.name, plan.sources_at(interface));
    let checks = behind.foreign_tests(Side::Source).map(|test| format!("{test} goto spoofed"));
    let checks: Vec<String> = checks.collect();
    let mut sets: Vec<NamedSet> = behind.into_sets();
    if plan.destinations_at(interface) != plan.sources_at(interface) {
        sets.extend(reachable(plan, interface).into_sets());
    }
    ArrivalView { interface: interface.name.clone(), zones: zones(plan, interface), checks, sets }
}
