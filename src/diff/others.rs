//! What changes besides access: who may administer, guards, postures, enforcement points, assertions, and what is said of
//! zones, classes, services and rules.
//!
//! Statements are told by kind and name. A name that is gone and a name that is new are two lines here, even where nothing
//! changes in access.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;

use crate::ir::{Action, Management, Policy, RuleIndex, Subject};
use crate::set::{AddressSet, ServiceSet};

/// A statement that was added, removed or changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Other {
    /// The keyword of the statement.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// `added`, `removed` or `changed`.
    pub what: &'static str,
    /// Which clauses changed.
    pub clauses: Vec<&'static str>,
    /// True if it changes who may administer enforcement points.
    pub administers: bool,
}

/// The clauses of a statement, each as a text that is the same for the same content.
type Clauses = Vec<(&'static str, String)>;

/// Kind and name; the kinds stand in the order in which they are shown.
type Key = (usize, &'static str, String);

/// All statements that differ.
pub(super) fn others(old: &Policy, new: &Policy) -> Vec<Other> {
    let (before, after) = (described(old), described(new));
    let mut found: Vec<(Key, Other)> = Vec::new();
    for (key, clauses) in &after {
        let changed: Vec<&'static str> = match before.get(key) {
            None => {
                found.push((key.clone(), other(key, "added", Vec::new())));
                continue;
            }
            Some(was) => differing(was, clauses),
        };
        if !changed.is_empty() {
            found.push((key.clone(), other(key, "changed", changed)));
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        found.push((key.clone(), other(key, "removed", Vec::new())));
    }
    found.sort_by(|(one, _), (two, _)| one.cmp(two));
    let mut found: Vec<Other> = found.into_iter().map(|(_, other)| other).collect();
    for other in &mut found {
        other.administers = other.kind == "manage" && administers(old, new, &other.name);
    }
    found
}

fn other((_, kind, name): &Key, what: &'static str, clauses: Vec<&'static str>) -> Other {
    Other { kind, name: name.clone(), what, clauses, administers: false }
}

fn differing(was: &Clauses, now: &Clauses) -> Vec<&'static str> {
    let pairs = was.iter().zip(now);
    pairs.filter(|((_, one), (_, two))| one != two).map(|((clause, _), _)| *clause).collect()
}

/// True if a manage statement of one policy has no equal in the other, whatever that one is called.
fn administers(old: &Policy, new: &Policy, name: &str) -> bool {
    fn content(one: &Management) -> (&AddressSet, &[String], &ServiceSet) {
        (&one.from.addresses, &one.devices, &one.services)
    }
    let alone = |one: &Policy, two: &Policy| {
        let own = one.managements.iter().filter(|own| own.id == name);
        own.map(content).any(|own| two.managements.iter().map(content).all(|other| other != own))
    };
    alone(old, new) || alone(new, old)
}

fn text(value: impl Debug) -> String {
    format!("{value:?}")
}

fn described(policy: &Policy) -> BTreeMap<Key, Clauses> {
    let mut all: BTreeMap<Key, Clauses> = BTreeMap::new();
    let kinds = [managements, guards, postures, devices, assertions, rules, zones, endpoints, names];
    for (place, kind) in kinds.into_iter().enumerate() {
        for (keyword, name, clauses) in kind(policy) {
            // Statements of the same name, which only those without a name of their own can have, are told by their number.
            let mut key = (place, keyword, name.clone());
            let mut number = 2;
            while all.contains_key(&key) {
                key.2 = format!("{name} ({number})");
                number += 1;
            }
            all.insert(key, clauses);
        }
    }
    all
}

type Described = Vec<(&'static str, String, Clauses)>;

fn managements(policy: &Policy) -> Described {
    let all = policy.managements.iter().map(|one| {
        let clauses = vec![
            ("from", text(&one.from.addresses)),
            ("on", text(&one.devices)),
            ("via", text(&one.services)),
            ("log", text(one.log)),
            ("about", text(&one.about)),
        ];
        ("manage", one.id.clone(), clauses)
    });
    all.collect()
}

fn guards(policy: &Policy) -> Described {
    let all = policy.guards.iter().map(|one| {
        let subject = match &one.subject {
            Subject::Sources(addresses) => text(addresses),
            Subject::Rule(index) => policy[*index].id.clone(),
        };
        let clauses = vec![
            ("of", subject),
            ("rate", text((one.metric, one.rate, one.per_source))),
            ("then", action(policy, &one.action)),
            ("approval", text(&one.approval)),
            ("about", text(&one.about)),
        ];
        ("guard", one.id.clone(), clauses)
    });
    all.collect()
}

/// What a guard does, with rules by name: their places change with other rules.
fn action(policy: &Policy, action: &Action) -> String {
    match action {
        Action::Isolate { seconds, except } => {
            text((seconds, except.iter().map(|rule| &policy[*rule].id).collect::<Vec<_>>()))
        }
        Action::Alert | Action::Limit | Action::Quarantine { .. } => text(action),
    }
}

fn postures(policy: &Policy) -> Described {
    let id = |index: &RuleIndex| policy[*index].id.clone();
    let all = policy.postures.iter().map(|one| {
        let cuts = one.cuts.iter().map(|cut| &cut.addresses).collect::<Vec<_>>();
        let except = one.cuts.iter().map(|cut| cut.except.iter().map(id).collect::<Vec<_>>());
        let clauses = vec![
            ("isolate", text(cuts)),
            ("except", text(except.collect::<Vec<_>>())),
            ("about", text(&one.about)),
        ];
        ("posture", one.name.clone(), clauses)
    });
    all.collect()
}

fn devices(policy: &Policy) -> Described {
    let all = policy.devices.iter().map(|one| {
        let interfaces = one.interfaces.iter().map(|interface| {
            let zones = interface.zones.iter().map(|zone| policy[*zone].name.as_str());
            (interface.name.as_str(), zones.collect::<Vec<_>>(), &interface.link)
        });
        let ports = one.ports.iter().map(|port| (&port.name, &policy[port.zone].name, port.levels));
        let clauses = vec![
            ("target", text((one.kind, &one.target))),
            ("interfaces", text(interfaces.collect::<Vec<_>>())),
            ("ports", text(ports.collect::<Vec<_>>())),
            ("tcam", text(one.tcam)),
            ("fragments", text(one.denies_fragments.is_some())),
        ];
        ("device", one.name.clone(), clauses)
    });
    all.collect()
}

fn assertions(policy: &Policy) -> Described {
    let all = policy.assertions.iter().map(|one| {
        let clauses = vec![
            ("expectation", text(one.expectation)),
            ("from", text(&one.from.addresses)),
            ("to", text(&one.to.addresses)),
            ("via", text(&one.services)),
            ("about", text(&one.about)),
        ];
        ("assert", one.id.clone(), clauses)
    });
    all.collect()
}

/// Rules, but for what they say of access, which rows show.
fn rules(policy: &Policy) -> Described {
    let all = policy.rules.iter().map(|one| {
        let accepted = one.acceptances.iter().map(|one| (one.code, &one.reason, one.until));
        let clauses = vec![
            ("from", text(&one.from.text)),
            ("to", text(&one.to.text)),
            ("via", text(&one.via)),
            ("during", text(policy.schedule_of(one).map(|schedule| &schedule.name))),
            ("log", text(one.log)),
            ("unsupported", text(one.leave_out)),
            ("about", text(&one.about)),
            ("accepted", text(accepted.collect::<Vec<_>>())),
        ];
        (one.effect.keyword(), one.id.clone(), clauses)
    });
    all.collect()
}

fn zones(policy: &Policy) -> Described {
    let all = policy.zones.iter().map(|one| {
        let clauses = vec![
            ("addresses", text((&one.addresses, one.is_rest))),
            ("phi", text(one.phi)),
            ("criticality", text(one.criticality)),
            ("trust", text(one.trust)),
            ("role", text(one.role)),
            ("tier", text(&one.tier)),
            ("vlan", text(one.vlan)),
            ("about", text(&one.about)),
        ];
        ("zone", one.name.clone(), clauses)
    });
    all.collect()
}

fn endpoints(policy: &Policy) -> Described {
    let all = policy.endpoints.iter().map(|one| {
        let clauses = vec![
            ("zone", policy[one.zone].name.clone()),
            ("addresses", text(&one.addresses)),
            ("phi", text(one.phi)),
            ("criticality", text(one.criticality)),
            ("risk", text(one.risk)),
            ("role", text(one.role)),
            ("supported", text(one.supported_until)),
            ("about", text(&one.about)),
        ];
        (if one.is_class { "class" } else { "peer" }, one.name.clone(), clauses)
    });
    all.collect()
}

/// Services and schedules.
fn names(policy: &Policy) -> Described {
    let services = policy.services.iter().map(|one| {
        let clauses = vec![
            ("ports", text(&one.set)),
            ("encrypted", text(one.encrypted)),
            ("phi", text(one.without_phi)),
        ];
        ("service", one.name.clone(), clauses)
    });
    let schedules = policy.schedules.iter().map(|one| {
        let clauses = vec![("hours", text(&one.week)), ("timezone", text(&one.clock))];
        ("schedule", one.name.clone(), clauses)
    });
    services.chain(schedules).collect()
}
