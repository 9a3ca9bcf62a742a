//! How often each statement was used, by what devices count; now, or between two times.
//!
//! In: the policy, what each enforcement point is to have ([`Compiled`]), and what some of them show. Out: a count for each
//! statement at each of them, and for each statement whether it was used. *Unused* is said only if every connection that
//! the statement allows crosses an enforcement point that counted none: all that lie on its way were measured, or all that
//! its sources or its destinations are attached to. Whatever else is *not measured*, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::compiled::{Compiled, Owner};
use super::{Dump, Form};
use crate::ir::{DeviceKind, Effect, Openings, Policy, RuleIndex, Topology, ZoneId};
use crate::source::Sources;

/// What one enforcement point shows.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its name.
    pub device: String,
    /// What shows it.
    pub form: Form,
    /// The files that it was read from, as the user names them.
    pub files: Vec<String>,
    /// All counters in them.
    pub now: Dump,
    /// All counters of an earlier time, if they are compared with one.
    pub since: Option<Dump>,
}

/// How often statements were used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Hits {
    /// True if counts are those since an earlier time.
    pub since: bool,
    /// The enforcement points whose counters were given, by name.
    pub devices: Vec<DeviceHits>,
    /// The enforcement points whose counters were not given, by name.
    pub missing: Vec<String>,
    /// All statements that allow or forbid something, by id.
    pub statements: Vec<StatementHits>,
}

/// One enforcement point whose counters were given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DeviceHits {
    /// Its name.
    pub name: String,
    /// The kind of config that it takes.
    pub target: String,
    /// The files that its counters were read from.
    pub files: Vec<String>,
    /// True if a counter is smaller than it was: it began anew, and what it counted before is lost.
    pub restarted: bool,
    /// What in it is not of this policy as it is now, with how many packets it counted.
    pub unknown: BTreeMap<String, u64>,
    /// Names that could be those of several statements, with how many packets were counted.
    pub ambiguous: BTreeMap<String, u64>,
}

/// Whether a statement was used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Packets of it were counted.
    Used,
    /// None were, where every packet of it would have been.
    Unused,
    /// None were, which says nothing.
    NotMeasured,
}

impl State {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            State::Used => "used",
            State::Unused => "unused",
            State::NotMeasured => "not measured",
        }
    }
}

/// How often one statement was used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StatementHits {
    /// Its id.
    pub id: String,
    /// `allow`, `forbid` or `manage`.
    pub effect: &'static str,
    /// Where it stands.
    pub place: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it stands.
    pub reason: Option<String>,
    /// Whether it was used.
    pub state: State,
    /// The packets that one enforcement point counted, the most of all. A packet that crosses several is counted by each.
    pub packets: u64,
    /// What each enforcement point counted that shows counters of it.
    pub counts: Vec<Count>,
    /// Why it is not measured, if it is not.
    pub why: Vec<String>,
}

/// What an enforcement point counted of a statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Count {
    /// The enforcement point.
    pub device: String,
    /// Packets.
    pub packets: u64,
    /// Bytes, where it counts them.
    pub bytes: Option<u64>,
}

/// Why a count of nothing is no proof.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Doubt {
    /// The counters of an enforcement point were not given.
    NotGiven(String),
    /// Something else, in words.
    Said(String),
}

/// What one enforcement point says of statements.
#[derive(Default)]
struct Measured {
    counts: BTreeMap<String, Count>,
    /// Why a count of nothing is no proof for a statement; statements that are not here were measured.
    doubts: BTreeMap<String, String>,
    /// The parts of the config that show counters of each statement.
    shown: BTreeMap<String, BTreeSet<String>>,
    summary: DeviceHits,
}

/// Works out how often each statement was used.
pub fn hits(
    policy: &Policy,
    sources: &Sources,
    compiled: &BTreeMap<String, Compiled>,
    given: &[Given],
) -> Hits {
    let nothing = Compiled::default();
    let of = |device: &str| compiled.get(device).unwrap_or(&nothing);
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    for one in given {
        measured.insert(one.device.clone(), measure(policy, of(&one.device), one));
    }
    let ways = Ways::new(policy);
    let mut statements = Vec::new();
    for (index, rule) in policy.rule_indices().map(|index| (index, &policy[index])) {
        let doubts = match rule.effect {
            Effect::Allow => ways.doubts(policy, index, &measured),
            Effect::Forbid => everywhere(policy, &rule.id, compiled, &measured),
        };
        statements.push(statement(&rule.id, rule.effect.keyword(), &rule.about, &measured, doubts));
        if let Some(statement) = statements.last_mut() {
            statement.place = sources.locate(rule.span).to_string();
        }
    }
    for management in &policy.managements {
        let doubts = everywhere(policy, &management.id, compiled, &measured);
        let mut hits = statement(&management.id, "manage", &management.about, &measured, doubts);
        hits.place = sources.locate(management.span).to_string();
        statements.push(hits);
    }
    statements.sort_by(|one, other| one.id.cmp(&other.id));
    let missing = policy.devices.iter().map(|device| &device.name);
    let missing = missing.filter(|name| !measured.contains_key(*name)).cloned().collect();
    let devices = measured.into_values().map(|measured| measured.summary).collect();
    Hits { since: given.iter().any(|one| one.since.is_some()), devices, missing, statements }
}

fn statement(
    id: &str,
    effect: &'static str,
    about: &crate::ir::About,
    measured: &BTreeMap<String, Measured>,
    doubts: BTreeSet<Doubt>,
) -> StatementHits {
    let counts: Vec<Count> =
        measured.values().filter_map(|measured| measured.counts.get(id)).cloned().collect();
    let packets = counts.iter().map(|count| count.packets).max().unwrap_or(0);
    let state = match (packets, doubts.is_empty()) {
        (0, true) => State::Unused,
        (0, false) => State::NotMeasured,
        _ => State::Used,
    };
    let why = if state == State::NotMeasured { in_words(doubts) } else { Vec::new() };
    let (id, owner, reason) = (id.to_owned(), about.owner.clone(), about.reason.clone());
    StatementHits { id, effect, place: String::new(), owner, reason, state, packets, counts, why }
}

/// Doubts in words, all enforcement points that were not given in one.
fn in_words(doubts: BTreeSet<Doubt>) -> Vec<String> {
    let (mut missing, mut said) = (Vec::new(), Vec::new());
    for doubt in doubts {
        match doubt {
            Doubt::NotGiven(name) => missing.push(name),
            Doubt::Said(text) => said.push(text),
        }
    }
    let missing =
        (!missing.is_empty()).then(|| format!("the counters of {} were not given", missing.join(", ")));
    missing.into_iter().chain(said).collect()
}

/// The counters of a dump by what they belong to and what tells them apart, those that came twice added up.
type ByKey<'d> = BTreeMap<(&'d str, &'d str), Counted>;

fn by_key(dump: &Dump) -> ByKey<'_> {
    let mut all = ByKey::new();
    for counter in &dump.counters {
        let entry = all.entry((&counter.part, &counter.key)).or_insert((0, counter.bytes.map(|_| 0)));
        entry.0 = entry.0.saturating_add(counter.packets);
        entry.1 = entry.1.zip(counter.bytes).map(|(sum, bytes)| sum.saturating_add(bytes));
    }
    all
}

/// What one enforcement point says of each statement.
fn measure(policy: &Policy, compiled: &Compiled, given: &Given) -> Measured {
    let device = policy.devices.iter().find(|device| device.name == given.device);
    let (now, then) = (by_key(&given.now), given.since.as_ref().map(by_key));
    let restarted = then.as_ref().is_some_and(|then| {
        now.iter().any(|(key, (packets, _))| then.get(key).is_some_and(|(before, _)| before > packets))
    });
    let summary = DeviceHits {
        name: given.device.clone(),
        target: device.map(|device| device.target.clone()).unwrap_or_default(),
        files: given.files.clone(),
        restarted,
        ..DeviceHits::default()
    };
    let mut measured = Measured { summary, ..Measured::default() };
    let parts = given.now.parts.iter().map(String::as_str);
    let changed: BTreeSet<&str> = parts.filter(|part| !compiled.agrees(&given.now, part)).collect();
    let mut done = BTreeSet::new();
    for counter in &given.now.counters {
        let key = (counter.part.as_str(), counter.key.as_str());
        if !done.insert(key) {
            continue;
        }
        let count = now.get(&key).copied().unwrap_or_default();
        let earlier = then.as_ref().map(|then| then.get(&key).copied());
        let count = since(count, earlier.flatten().filter(|_| !restarted));
        let owner = match changed.contains(counter.part.as_str()) {
            true => Owner::Unknown(format!("the access list {}, which was changed by hand", counter.part)),
            false => compiled.owner(counter),
        };
        if let Owner::Statement(id) = &owner
            && matches!(earlier, Some(None))
        {
            let doubt = format!("{} has counters of it that were not there before", given.device);
            measured.doubts.insert(id.clone(), doubt);
        }
        measured.add(owner, &counter.part, count);
    }
    let is_switch = device.is_some_and(|device| device.kind == DeviceKind::Switch);
    let ids = policy.rules.iter().map(|rule| &rule.id).chain(policy.managements.iter().map(|one| &one.id));
    for id in ids {
        if let Some(parts) = compiled.parts_of(id) {
            measured.doubt(id, parts, is_switch);
        }
    }
    measured
}

/// Packets and, where they are counted, bytes.
type Counted = (u64, Option<u64>);

/// What was counted since an earlier count.
fn since((packets, bytes): Counted, earlier: Option<Counted>) -> Counted {
    let Some((before, bytes_before)) = earlier else { return (packets, bytes) };
    let bytes = bytes.zip(bytes_before).map(|(bytes, before)| bytes.saturating_sub(before));
    (packets.saturating_sub(before), bytes)
}

impl Measured {
    /// Adds a count of a part of a config to what it belongs to.
    fn add(&mut self, owner: Owner, part: &str, (packets, bytes): Counted) {
        let add = |to: &mut BTreeMap<String, u64>, what: String| {
            let sum = to.entry(what).or_default();
            *sum = sum.saturating_add(packets);
        };
        match owner {
            Owner::Own => {}
            Owner::Unknown(what) => add(&mut self.summary.unknown, what),
            Owner::Ambiguous(name) => add(&mut self.summary.ambiguous, name),
            Owner::Statement(id) => {
                self.shown.entry(id.clone()).or_default().insert(part.to_owned());
                let device = self.summary.name.clone();
                let new = || Count { device, packets: 0, bytes: bytes.map(|_| 0) };
                let count = self.counts.entry(id).or_insert_with(new);
                count.packets = count.packets.saturating_add(packets);
                count.bytes = count.bytes.zip(bytes).map(|(sum, bytes)| sum.saturating_add(bytes));
            }
        }
    }

    /// Doubts that a count of nothing says something of a statement, if parts of the config were to have counters of it that
    /// were not shown, or do not count all.
    fn doubt(&mut self, id: &str, parts: &BTreeSet<String>, is_switch: bool) {
        let name = &self.summary.name;
        let shown = |part: &&str| self.shown.get(id).is_some_and(|shown| shown.contains(*part));
        let missing: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !shown(part)).collect();
        let doubt = if !missing.is_empty() {
            format!("{name} shows no counters of it for {}", missing.join(", "))
        } else if is_switch {
            format!("{name} is a switch, which need not count what it forwards in hardware")
        } else if self.summary.restarted {
            format!("{name} began to count anew in between")
        } else {
            return;
        };
        self.doubts.insert(id.to_owned(), doubt);
    }
}

/// Why a count of nothing at an enforcement point is no proof; nothing if it is one.
fn doubt(policy: &Policy, device: usize, id: &str, measured: &BTreeMap<String, Measured>) -> Option<Doubt> {
    let name = policy.devices.get(device).map(|device| device.name.as_str()).unwrap_or_default();
    match measured.get(name) {
        None => Some(Doubt::NotGiven(name.to_owned())),
        Some(one) => match (one.doubts.get(id), one.counts.get(id)) {
            (Some(doubt), _) => Some(Doubt::Said(doubt.clone())),
            (None, Some(_)) => None,
            (None, None) => Some(Doubt::Said(format!("{name} has no counter of it"))),
        },
    }
}

/// Why it cannot be said that a statement was not used, for one whose counters all have to be there.
fn everywhere(
    policy: &Policy,
    id: &str,
    compiled: &BTreeMap<String, Compiled>,
    measured: &BTreeMap<String, Measured>,
) -> BTreeSet<Doubt> {
    let places = policy.devices.iter().zip(0..);
    let places: Vec<usize> = places
        .filter(|(device, _)| compiled.get(&device.name).is_some_and(|own| own.parts_of(id).is_some()))
        .map(|(_, place)| place)
        .collect();
    if places.is_empty() {
        return [Doubt::Said("no enforcement point has a counter of it".to_owned())].into();
    }
    places.into_iter().filter_map(|place| doubt(policy, place, id, measured)).collect()
}

/// The ways that connections of each allow take.
struct Ways {
    /// The pairs of zones between which each allow opens something.
    pairs: BTreeMap<RuleIndex, BTreeSet<(ZoneId, ZoneId)>>,
    topology: Topology,
}

impl Ways {
    fn new(policy: &Policy) -> Self {
        let mut pairs: BTreeMap<RuleIndex, BTreeSet<(ZoneId, ZoneId)>> = BTreeMap::new();
        for (zones, openings) in Openings::new(policy).iter() {
            for opening in openings {
                pairs.entry(opening.rule).or_default().insert(zones);
            }
        }
        Ways { pairs, topology: Topology::new(policy) }
    }

    /// Why it cannot be said that an allow was not used; nothing if it can.
    fn doubts(
        &self,
        policy: &Policy,
        rule: RuleIndex,
        measured: &BTreeMap<String, Measured>,
    ) -> BTreeSet<Doubt> {
        let id = &policy[rule].id;
        let Some(pairs) = self.pairs.get(&rule) else {
            return [Doubt::Said("nothing of it is open".to_owned())].into();
        };
        let mut doubts = BTreeSet::new();
        for (from, to) in pairs {
            let crossed: BTreeSet<usize> =
                self.topology.crossings(*from, *to).iter().map(|crossing| crossing.device.0).collect();
            if crossed.is_empty() {
                let (from, to) = (&policy[*from].name, &policy[*to].name);
                doubts.insert(Doubt::Said(format!("no enforcement point lies between {from} and {to}")));
                continue;
            }
            let at = |zone: &ZoneId| -> Vec<usize> {
                let holds = |place: &usize| {
                    let interfaces = policy.devices.get(*place).map(|device| &device.interfaces);
                    interfaces.is_some_and(|all| all.iter().any(|one| one.zones.contains(zone)))
                };
                crossed.iter().copied().filter(holds).collect()
            };
            let all: Vec<usize> = crossed.iter().copied().collect();
            // A packet leaves its zone by one of those that the zone is attached to, and enters the other by one of those
            // that this one is.
            let cuts = [at(from), at(to), all];
            let why = |cut: &Vec<usize>| -> BTreeSet<Doubt> {
                cut.iter().filter_map(|place| doubt(policy, *place, id, measured)).collect()
            };
            if cuts.iter().filter(|cut| !cut.is_empty()).any(|cut| why(cut).is_empty()) {
                continue;
            }
            doubts.extend(
                cuts.iter()
                    .filter(|cut| !cut.is_empty())
                    .map(why)
                    .min_by_key(BTreeSet::len)
                    .unwrap_or_default(),
            );
        }
        doubts
    }
}
