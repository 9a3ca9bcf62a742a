//! Why access changed: the statement behind it, and what became of it or of the names in it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::access::Ready;
use super::change::{Difference, Origin};
use super::time::normal;
use crate::ir::{Endpoint, Policy, Rule};
use crate::set::{AddressSet, PacketSet, Set};
use crate::source::{Sources, Span};

/// Why packets pass in one policy and not in the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cause {
    /// In words.
    pub why: String,
    /// The rule or zone behind it.
    pub name: String,
    /// File, line and column of it.
    pub place: String,
    /// Which of the two policies it stands in there: `old` or `new`.
    pub of: &'static str,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it stands.
    pub reason: Option<String>,
    /// The change ticket behind it.
    pub ticket: Option<String>,
}

/// Two policies in the order of a question: what passes in `more` and not in `less`.
pub(super) struct Pair<'p> {
    pub(super) more: &'p Ready<'p>,
    pub(super) less: &'p Ready<'p>,
    pub(super) more_sources: &'p Sources,
    pub(super) less_sources: &'p Sources,
    /// True if `more` is the new policy, so that packets are opened.
    pub(super) opens: bool,
}

impl Pair<'_> {
    pub(super) fn cause(&self, difference: &Difference) -> Cause {
        match difference.origin {
            Origin::Allow(index) => {
                let rule = &self.more.policy[index];
                let twin = twin(self.less.policy, rule);
                let news = if self.opens { "allow added" } else { "allow removed or ended" };
                let (from, to) = (self.more.policy, self.less.policy);
                let why = why(rule, twin, news, from, to, self.opens, &difference.packets);
                // What was removed stands in the old policy alone; what changed is shown where it stands now.
                match twin {
                    Some(twin) if !self.opens => self.of_rule(twin, why, false),
                    Some(_) | None => self.of_rule(rule, why, true),
                }
            }
            Origin::Forbid(index) => {
                let rule = &self.less.policy[index];
                let twin = twin(self.more.policy, rule);
                let news = if self.opens { "forbid removed" } else { "forbid added" };
                let (from, to) = (self.less.policy, self.more.policy);
                let why = why(rule, twin, news, from, to, !self.opens, &difference.packets);
                match twin {
                    Some(twin) if self.opens => self.of_rule(twin, why, true),
                    Some(_) | None => self.of_rule(rule, why, false),
                }
            }
            Origin::Zone(id) => {
                let zone = &self.more.policy[id];
                let why = if self.opens {
                    "zone changed: both ends lie in it now, and nothing filters inside a zone"
                } else {
                    "zone changed: both ends lay in it, and nothing filters inside a zone"
                };
                let (owner, reason, ticket) = (zone.about.owner.as_deref().map(one_line), None, None);
                let (place, of) = self.place(zone.span, true);
                Cause { why: why.to_owned(), name: zone.name.clone(), place, of, owner, reason, ticket }
            }
        }
    }

    fn of_rule(&self, rule: &Rule, why: String, in_more: bool) -> Cause {
        let about = &rule.about;
        let (place, of) = self.place(rule.span, in_more);
        Cause {
            why,
            name: rule.id.clone(),
            place,
            of,
            owner: about.owner.as_deref().map(one_line),
            reason: about.reason.as_deref().map(one_line),
            ticket: about.ticket.as_deref().map(one_line),
        }
    }

    fn place(&self, span: Span, in_more: bool) -> (String, &'static str) {
        let sources = if in_more { self.more_sources } else { self.less_sources };
        let of = if in_more == self.opens { "new" } else { "old" };
        (sources.locate(span).to_string(), of)
    }
}

/// Free text on one line, so that it cannot look like a line of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rule of another policy with the same name and effect.
fn twin<'p>(policy: &'p Policy, rule: &Rule) -> Option<&'p Rule> {
    policy.rules.iter().find(|other| other.id == rule.id && other.effect == rule.effect)
}

/// What became of a rule. `from` is the policy in which it stands, `is_new` says whether that is the new one.
fn why(
    rule: &Rule,
    twin: Option<&Rule>,
    news: &str,
    from: &Policy,
    to: &Policy,
    is_new: bool,
    packets: &PacketSet,
) -> String {
    let Some(twin) = twin else { return news.to_owned() };
    let schedule = |policy: &Policy, rule: &Rule| policy.schedule_of(rule).map(|one| one.name.clone());
    let clauses = [
        ("from", rule.from.text != twin.from.text),
        ("to", rule.to.text != twin.to.text),
        ("via", rule.via != twin.via),
        ("during", schedule(from, rule) != schedule(to, twin)),
    ];
    let clauses: Vec<&str> =
        clauses.iter().filter(|(_, differs)| *differs).map(|(clause, _)| *clause).collect();
    if !clauses.is_empty() {
        return format!("statement changed: {}", clauses.join(", "));
    }
    let (old, new) = if is_new { (to, from) } else { (from, to) };
    let mut behind = Vec::new();
    if rule.services != twin.services {
        behind.extend(changed_services(old, new));
    }
    let hours = |policy: &Policy, rule: &Rule| policy.schedule_of(rule).map(normal);
    if let Some(name) = schedule(from, rule).filter(|_| hours(from, rule) != hours(to, twin)) {
        behind.push(format!("schedule `{name}` changed"));
    }
    let touched = touched(packets);
    let differs = rule
        .from
        .addresses
        .either_not_both(&twin.from.addresses)
        .union(&rule.to.addresses.either_not_both(&twin.to.addresses));
    let moved = differs.intersection(&touched);
    if !moved.is_empty() {
        behind.extend(changed_members(old, new, &moved));
    }
    if behind.is_empty() { "a name in the statement changed".to_owned() } else { behind.join("; ") }
}

/// The addresses of either side of some packets.
fn touched(packets: &PacketSet) -> AddressSet {
    use crate::set::union_all;
    let v4 = packets.v4.entries().iter().map(|(_, to)| to.keys());
    let v6 = packets.v6.entries().iter().map(|(_, to)| to.keys());
    AddressSet { v4: union_all(v4.chain([packets.v4.keys()])), v6: union_all(v6.chain([packets.v6.keys()])) }
}

/// The services whose content differs between two policies.
fn changed_services(old: &Policy, new: &Policy) -> Vec<String> {
    let changed = new.services.iter().filter(|service| {
        old.services.iter().any(|other| other.name == service.name && other.set != service.set)
    });
    changed.map(|service| format!("service `{}` changed", service.name)).collect()
}

/// What became of the classes, peers and zones that some addresses were or are in, and of devices of inventories.
fn changed_members(old: &Policy, new: &Policy, moved: &AddressSet) -> Vec<String> {
    let (before, after) = (endpoint_names(old), endpoint_names(new));
    let kind = |one: &Endpoint| if one.is_class { "class" } else { "peer" };
    let mut found = Vec::new();
    for now in new.endpoints.iter().filter(|one| !before.contains(one.name.as_str())) {
        if !now.addresses.is_disjoint(moved) {
            found.push(format!("{} `{}` added", kind(now), now.name));
        }
    }
    for was in old.endpoints.iter().filter(|one| !after.contains(one.name.as_str())) {
        if !was.addresses.is_disjoint(moved) {
            found.push(format!("{} `{}` removed", kind(was), was.name));
        }
    }
    // Both lists are by name, so those with a name in both come in the same order.
    let stayed = old.endpoints.iter().filter(|one| after.contains(one.name.as_str()));
    let stay = new.endpoints.iter().filter(|one| before.contains(one.name.as_str()));
    for (was, now) in stayed.zip(stay).filter(|(was, now)| was.addresses != now.addresses) {
        if !was.addresses.either_not_both(&now.addresses).is_disjoint(moved) {
            let what = came_and_went(&was.addresses, &now.addresses, moved);
            found.push(format!("{} `{}` {what}", kind(now), now.name));
        }
    }
    let devices = changed_devices(old, new, moved);
    if !devices.is_empty() {
        found.push(format!("inventory changed: {}", super::row::few(&devices)));
    }
    if found.is_empty() {
        found.extend(changed_zones(old, new, moved));
    }
    if found.is_empty() {
        found.push("members of a group changed".to_owned());
    }
    found
}

fn endpoint_names(policy: &Policy) -> BTreeSet<&str> {
    policy.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect()
}

fn came_and_went(was: &AddressSet, now: &AddressSet, moved: &AddressSet) -> String {
    let few = |set: AddressSet| {
        let ranges: Vec<String> = set.ranges().map(|range| range.to_string()).collect();
        super::row::few(&ranges)
    };
    let came = now.difference(was).intersection(moved);
    let went = was.difference(now).intersection(moved);
    let came = (!came.is_empty()).then(|| format!("gained {}", few(came)));
    let went = (!went.is_empty()).then(|| format!("lost {}", few(went)));
    came.into_iter().chain(went).collect::<Vec<_>>().join(" and ")
}

fn changed_zones(old: &Policy, new: &Policy, moved: &AddressSet) -> Vec<String> {
    let mut found = Vec::new();
    for now in &new.zones {
        let before = old.zones.iter().find(|other| other.name == now.name);
        match before {
            Some(was) if !was.addresses.either_not_both(&now.addresses).is_disjoint(moved) => {
                let what = came_and_went(&was.addresses, &now.addresses, moved);
                found.push(format!("zone `{}` {what}", now.name));
            }
            None if !now.addresses.is_disjoint(moved) => found.push(format!("zone `{}` added", now.name)),
            Some(_) | None => {}
        }
    }
    for was in old.zones.iter().filter(|one| new.zones.iter().all(|other| other.name != one.name)) {
        if !was.addresses.is_disjoint(moved) {
            found.push(format!("zone `{}` removed", was.name));
        }
    }
    found
}

/// The devices of inventories with an address among some that only one of two policies knows there with what it says of it.
fn changed_devices(old: &Policy, new: &Policy, moved: &AddressSet) -> Vec<String> {
    let known = |policy: &Policy| {
        let mut devices = BTreeSet::new();
        for asset in &policy.assets {
            let own = asset.addresses.iter().filter(|address| moved.contains(**address));
            devices.extend(own.map(|address| {
                let texts = [&asset.kind, &asset.vendor, &asset.model, &asset.os, &asset.owner, &asset.zone];
                (asset.name.to_string(), *address, texts.map(ToString::to_string))
            }));
        }
        devices
    };
    let (old, new) = (known(old), known(new));
    let mut names: Vec<String> =
        old.symmetric_difference(&new).map(|(name, address, _)| format!("{name} ({address})")).collect();
    names.dedup();
    names
}

/// What is in one of two sets.
trait Different {
    fn either_not_both(&self, other: &Self) -> Self;
}

impl Different for AddressSet {
    fn either_not_both(&self, other: &Self) -> Self {
        self.difference(other).union(&other.difference(self))
    }
}
