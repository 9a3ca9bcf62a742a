//! What one statement does: what it opens or closes, which others have a part in that, and where it went.
//!
//! In: a policy, the id of an allow, forbid or manage statement, and the files that were compiled from the policy. Out: sets
//! that are exact. What an allow opens is what [`Openings`] says; together they hold every packet between zones that it
//! allows and nothing forbids, and no other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::flow::{Flow, flows};
use super::guarding::{Guarding, guardings};
use super::path::Configs;
use super::placed::{Placed, placed};
use super::statement::{Statement, managed, statement};
use crate::diff::Names;
use crate::ir::{
    Conduits, DeviceId, Effect, Management, Opening, Openings, Part, Policy, Rule, RuleIndex, Topology,
};
use crate::set::{AddressSet, Packet, PacketSet, Set, union_all};
use crate::source::Sources;

/// What a statement does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RuleExplanation {
    /// `allow`, `forbid` or `manage`.
    pub kind: &'static str,
    /// What comes of it.
    pub state: RuleState,
    /// The same in a sentence.
    pub because: String,
    /// The statement.
    pub rule: Statement,
    /// The findings about it that somebody answers for.
    pub accepted: Vec<Accepted>,
    /// The guards that count what it allows, or cut it off.
    pub guards: Vec<Guarding>,
    /// What an allow opens, or a forbid speaks of, by the zones on both sides.
    pub conduits: Vec<ConduitRow>,
    /// The same in as few words as it takes, over all zones. Of a manage statement nobody accepts: these are addresses of the
    /// enforcement points in `devices`.
    pub flows: Vec<Flow>,
    /// The enforcement points of a manage statement.
    pub devices: Vec<String>,
    /// What forbids take away of an allow.
    pub loses: Vec<Share>,
    /// What a forbid takes away, by the allow that would open it.
    pub takes: Vec<Share>,
    /// What others of its kind say too.
    pub also: Vec<Share>,
    /// What the configs have of it.
    pub configs: Vec<Placed>,
}

/// What comes of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleState {
    /// It opens something, closes something, or lets somebody administer.
    InForce,
    /// It is an allow, and all of it is forbidden.
    Forbidden,
    /// It speaks of no packet that an enforcement point sees.
    Empty,
    /// Its last day is over.
    Ended,
}

/// What a statement says between two zones.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ConduitRow {
    /// The zone where connections are opened.
    pub from: String,
    /// The zone where they are accepted.
    pub to: String,
    /// Who, to whom, over what.
    pub flows: Vec<Flow>,
    /// The enforcement points on the way.
    pub crosses: Vec<String>,
    /// Exactly the packets.
    #[serde(skip)]
    pub packets: PacketSet,
}

/// What two statements have in common.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Share {
    /// The other one, by its id.
    pub rule: String,
    /// Where it stands.
    pub place: String,
    /// The schedule of the other one, if it does not hold at all times.
    pub during: Option<String>,
    /// True if it is all of the statement that is explained, or of what that opens.
    pub whole: bool,
    /// What they have in common.
    pub flows: Vec<Flow>,
    /// Exactly the packets; none for manage statements.
    #[serde(skip)]
    pub packets: PacketSet,
}

/// A finding that somebody answers for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Accepted {
    /// The code of the finding.
    pub code: &'static str,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Option<String>,
}

/// The ids of all statements that can be explained.
pub fn explainable(policy: &Policy) -> impl Iterator<Item = &str> {
    let rules = policy.rules.iter().map(|rule| rule.id.as_str());
    rules.chain(policy.managements.iter().map(|one| one.id.as_str()))
}

/// Explains a statement; none if no allow, forbid or manage has that id.
pub fn explain_rule(
    policy: &Policy,
    sources: &Sources,
    id: &str,
    configs: &Configs,
) -> Option<RuleExplanation> {
    if let Some(index) = policy.rule_indices().find(|index| policy[*index].id == id) {
        return Some(Ctx { policy, sources, names: Names::new(policy), configs }.rule(index));
    }
    let one = policy.managements.iter().find(|one| one.id == id)?;
    Some(Ctx { policy, sources, names: Names::new(policy), configs }.management(one))
}

/// Explains a statement whose last day was over on another day; none if no statement with that id had an end. `policy` is
/// what it was while the statement held.
pub fn explain_ended(policy: &Policy, sources: &Sources, id: &str, as_of: Date) -> Option<RuleExplanation> {
    let rule = policy.rules.iter().find(|rule| rule.id == id);
    let management = policy.managements.iter().find(|one| one.id == id);
    let (kind, rule, accepted) = match (rule, management) {
        (Some(rule), _) => (rule.effect.keyword(), statement(policy, sources, rule), accepted(rule)),
        (None, Some(one)) => ("manage", managed(sources, one), accepted_of(policy, one)),
        (None, None) => return None,
    };
    let until = rule.until.clone()?;
    let because = format!("`{id}` ended with {until}: as of {as_of} nothing of it is left");
    Some(RuleExplanation { accepted, ..blank(kind, RuleState::Ended, because, rule) })
}

fn blank(kind: &'static str, state: RuleState, because: String, rule: Statement) -> RuleExplanation {
    RuleExplanation {
        kind,
        state,
        because,
        rule,
        accepted: Vec::new(),
        guards: Vec::new(),
        conduits: Vec::new(),
        flows: Vec::new(),
        devices: Vec::new(),
        loses: Vec::new(),
        takes: Vec::new(),
        also: Vec::new(),
        configs: Vec::new(),
    }
}

fn accepted(rule: &Rule) -> Vec<Accepted> {
    rule.acceptances.iter().map(Accepted::new).collect()
}

fn accepted_of(policy: &Policy, one: &Management) -> Vec<Accepted> {
    let own = policy.other_acceptances.iter();
    let own = own.filter(|other| other.kind == "manage" && other.acceptance.statement == one.span);
    own.map(|other| Accepted::new(&other.acceptance)).collect()
}

impl Accepted {
    fn new(one: &crate::ir::Acceptance) -> Self {
        let until = one.until.map(|day| day.to_string());
        Accepted { code: one.code, reason: one.reason.clone(), until }
    }
}

impl RuleExplanation {
    /// True if every config that was read back does with the packets of the statement what the policy says.
    pub fn agrees(&self) -> bool {
        self.configs.iter().all(|one| one.agrees)
    }
}

/// Why a config has no line for a rule, though its packets come there.
fn without_line(placed: &Placed, effect: Effect) -> Option<String> {
    let why = match (placed.followed, effect) {
        _ if placed.lines > 0 || !placed.read_back => return None,
        (0, _) => "other statements decide on all of it",
        (_, Effect::Allow) => "lines of others, or of the way between enforcement points, carry it",
        (_, Effect::Forbid) => "it needs none: what no line lets pass is dropped",
    };
    Some(why.to_owned())
}

struct Ctx<'p, 'c> {
    policy: &'p Policy,
    sources: &'p Sources,
    names: Names<'p>,
    configs: &'c Configs<'p>,
}

/// What is gathered of a rule from one pair of zones after the other.
#[derive(Default)]
struct Gathered {
    conduits: Vec<ConduitRow>,
    shared: BTreeMap<RuleIndex, Vec<PacketSet>>,
    /// All that it says, whatever others say.
    said: Vec<PacketSet>,
    on_path: BTreeSet<DeviceId>,
    /// Packets on which it decides itself.
    packets: Vec<Packet>,
}

impl Ctx<'_, '_> {
    fn rule(&self, index: RuleIndex) -> RuleExplanation {
        let policy = self.policy;
        let rule = &policy[index];
        let gathered = self.gather(index);
        let opened = union_all(gathered.conduits.iter().map(|row| row.packets.clone()));
        let said = union_all(gathered.said);
        let (mut loses, mut takes, mut also) = (Vec::new(), Vec::new(), Vec::new());
        for (other, packets) in gathered.shared {
            let packets = union_all(packets);
            match (rule.effect, policy[other].effect) {
                (Effect::Allow, Effect::Forbid) => loses.push(self.share(other, packets, &said)),
                (Effect::Forbid, Effect::Allow) => takes.push(self.share(other, packets, &said)),
                (Effect::Allow, Effect::Allow) | (Effect::Forbid, Effect::Forbid) => {
                    also.push(self.share(other, packets, &opened));
                }
            }
        }
        let state = match (said.is_empty(), opened.is_empty()) {
            (true, _) => RuleState::Empty,
            (false, true) => RuleState::Forbidden,
            (false, false) => RuleState::InForce,
        };
        let mut configs = placed(policy, self.configs, &rule.id, &gathered.on_path, &gathered.packets);
        for one in &mut configs {
            one.remarks.extend(without_line(one, rule.effect));
        }
        let because = self.because(rule, gathered.conduits.len(), (&loses, &takes), state);
        RuleExplanation {
            accepted: accepted(rule),
            guards: guardings(policy, index),
            configs,
            flows: flows(&self.names, &opened),
            conduits: gathered.conduits,
            loses,
            takes,
            also,
            ..blank(rule.effect.keyword(), state, because, statement(policy, self.sources, rule))
        }
    }

    fn gather(&self, index: RuleIndex) -> Gathered {
        let (policy, mut gathered) = (self.policy, Gathered::default());
        let (topology, openings) = (Topology::new(policy), Openings::new(policy));
        for ((from, to), parts) in Conduits::new(policy).iter() {
            let Some(part) = parts.iter().find(|part| part.rule == index) else { continue };
            let said = part.packets(&policy[index].services);
            let packets = match policy[index].effect {
                Effect::Forbid => said.clone(),
                Effect::Allow => {
                    let own = openings.of(from, to).iter().find(|opening| opening.rule == index);
                    own.map_or_else(PacketSet::empty, Opening::packets)
                }
            };
            self.compare(index, parts, (&said, &packets), &mut gathered);
            gathered.said.push(said);
            if packets.is_empty() {
                continue;
            }
            let mut crosses: Vec<String> = Vec::new();
            for crossing in topology.path(from, to) {
                let name = &policy[crossing.device].name;
                if !crosses.contains(name) {
                    crosses.push(name.clone());
                }
                gathered.on_path.insert(crossing.device);
            }
            gathered.conduits.push(ConduitRow {
                from: policy[from].name.clone(),
                to: policy[to].name.clone(),
                flows: flows(&self.names, &packets),
                crosses,
                packets,
            });
        }
        gathered
    }

    /// Notes what a rule has in common with the others between two zones, and packets on which it decides before them.
    fn compare(
        &self,
        index: RuleIndex,
        parts: &[Part],
        (said, packets): (&PacketSet, &PacketSet),
        gathered: &mut Gathered,
    ) {
        let (effect, mut own) = (self.policy[index].effect, packets.clone());
        for part in parts.iter().filter(|part| part.rule != index) {
            let other = &self.policy[part.rule];
            // Two allows share what is left of both after the forbids, which take the same of each.
            let base = if other.effect == effect { packets } else { said };
            let shared = part.packets(&other.services).intersection(base);
            if shared.is_empty() {
                continue;
            }
            if other.effect == effect && part.rule < index {
                own = own.difference(&shared);
            }
            gathered.shared.entry(part.rule).or_default().push(shared);
        }
        let (v4, v6) = (PacketSet { v6: Set::empty(), ..own.clone() }, PacketSet { v4: Set::empty(), ..own });
        gathered.packets.extend([v4, v6].iter().filter_map(PacketSet::sample));
    }

    fn share(&self, other: RuleIndex, packets: PacketSet, whole: &PacketSet) -> Share {
        let rule = &self.policy[other];
        Share {
            rule: rule.id.clone(),
            place: self.sources.locate(rule.span).to_string(),
            during: self.policy.schedule_of(rule).map(|schedule| schedule.name.clone()),
            whole: whole.is_subset(&packets),
            flows: flows(&self.names, &packets),
            packets,
        }
    }

    fn because(
        &self,
        rule: &Rule,
        pairs: usize,
        (loses, takes): (&[Share], &[Share]),
        state: RuleState,
    ) -> String {
        let (id, effect) = (&rule.id, rule.effect);
        let list = |shares: &[Share]| {
            shares.iter().map(|share| format!("`{}`", share.rule)).collect::<Vec<_>>().join(", ")
        };
        let pairs =
            if pairs == 1 { "one pair of zones".to_owned() } else { format!("{pairs} pairs of zones") };
        let during = self.policy.schedule_of(rule);
        let during = during.map_or_else(String::new, |schedule| format!(" during `{}`", schedule.name));
        match (state, effect) {
            (RuleState::Empty, _) if rule.from.addresses.is_empty() || rule.to.addresses.is_empty() => {
                format!("`{id}` does nothing: no address is left on one of its sides")
            }
            (RuleState::Empty | RuleState::Ended, _) => {
                format!("`{id}` does nothing: no enforcement point sees any of its packets")
            }
            (RuleState::Forbidden, _) => {
                format!("`{id}` opens nothing: all of it is forbidden, by {}", list(loses))
            }
            (RuleState::InForce, Effect::Allow) if loses.is_empty() => {
                format!("`{id}` opens connections between {pairs}{during}, and nothing forbids any of it")
            }
            (RuleState::InForce, Effect::Allow) => {
                format!(
                    "`{id}` opens connections between {pairs}{during}, less what is forbidden by {}",
                    list(loses)
                )
            }
            (RuleState::InForce, Effect::Forbid) if takes.is_empty() => {
                format!("`{id}` forbids connections between {pairs}; no allow would open any of them")
            }
            (RuleState::InForce, Effect::Forbid) => {
                format!(
                    "`{id}` forbids connections between {pairs}, some of which {} would open",
                    list(takes)
                )
            }
        }
    }

    fn management(&self, one: &Management) -> RuleExplanation {
        let policy = self.policy;
        let applies = |device: &DeviceId| one.applies_to(&policy[*device]);
        let on_path: BTreeSet<DeviceId> = (0..policy.devices.len()).map(DeviceId).filter(applies).collect();
        let devices: Vec<String> = on_path.iter().map(|device| policy[*device].name.clone()).collect();
        let said =
            |one: &Management| PacketSet::product(&one.from.addresses, &AddressSet::full(), &one.services);
        // The addresses of enforcement points are not known, so the other side is left out.
        let in_words = |packets: &PacketSet| {
            let all = flows(&self.names, packets).into_iter();
            all.map(|flow| Flow { to: Vec::new(), ..flow }).collect::<Vec<_>>()
        };
        let own = said(one);
        let others = policy.managements.iter().filter(|other| other.id != one.id);
        let also = others.filter_map(|other| {
            let shared = own.intersection(&said(other));
            let common = |device: &&DeviceId| other.applies_to(&policy[**device]);
            let devices = on_path.iter().filter(common).count();
            (devices > 0 && !shared.is_empty()).then(|| Share {
                rule: other.id.clone(),
                place: self.sources.locate(other.span).to_string(),
                during: None,
                whole: devices == on_path.len() && own.is_subset(&shared),
                flows: in_words(&shared),
                packets: PacketSet::empty(),
            })
        });
        let id = &one.id;
        let (state, because) = match own.is_empty() || devices.is_empty() {
            true => (RuleState::Empty, format!("`{id}` does nothing: it is about no address or no device")),
            false => (RuleState::InForce, format!("`{id}` lets enforcement points be administered")),
        };
        RuleExplanation {
            accepted: accepted_of(policy, one),
            flows: in_words(&own),
            also: also.collect(),
            configs: placed(policy, self.configs, id, &on_path, &[]),
            devices,
            ..blank("manage", state, because, managed(self.sources, one))
        }
    }
}
