//! From syntax trees to the policy model.
//!
//! In: the trees of all files, and the date by which statements expire. Out: a [`Policy`] with every name resolved and
//! every set exact, and everything that is wrong or doubtful. The policy must not be used if there were errors. What
//! comes out does not depend on the order of statements or files.

mod acceptance;
mod addresses;
mod assertions;
mod attributes;
mod data;
mod devices;
mod error;
mod guards;
mod inventory;
mod names;
mod opened;
mod parties;
mod places;
mod ports;
mod postures;
mod privilege;
mod reach;
mod redundancy;
mod require;
mod rules;
mod schedules;
mod sense;
mod services;
mod siblings;
mod thresholds;
mod topology;
mod warning;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use self::acceptance::Ledger;
pub use self::assertions::{Violation, packets_of, violation};
use self::error::CheckError;
pub use self::inventory::{Doubts, Reachable};
use self::names::{Declared, Scope};
use self::postures::NamedRules;
use self::schedules::Schedules;
use self::services::Services;
use crate::diag::Diagnostics;
use crate::inventory::Inventories;
use crate::ir::{Conduits, Endpoint, Policy, Zone};
use crate::syntax::ast::{File, Group, Statement, Word};

/// What zones, classes, peers and groups share, for messages.
const SHARED_KINDS: &str = "zones, classes, peers and groups";

/// The statements of a policy, sorted by kind.
#[derive(Default)]
struct Statements<'a> {
    names: Vec<&'a Word>,
    zones: Vec<&'a crate::syntax::ast::Zone>,
    services: Vec<&'a crate::syntax::ast::Service>,
    classes: Vec<&'a crate::syntax::ast::Class>,
    peers: Vec<&'a crate::syntax::ast::Peer>,
    groups: Vec<&'a crate::syntax::ast::Group>,
    rules: Vec<&'a crate::syntax::ast::Rule>,
    assertions: Vec<&'a crate::syntax::ast::Assertion>,
    managements: Vec<&'a crate::syntax::ast::Manage>,
    schedules: Vec<&'a crate::syntax::ast::Schedule>,
    guards: Vec<&'a crate::syntax::ast::Guard>,
    postures: Vec<&'a crate::syntax::ast::Posture>,
    devices: Vec<&'a crate::syntax::ast::Device>,
    requires: Vec<&'a crate::syntax::ast::Require>,
    inventories: Vec<&'a crate::syntax::ast::Inventory>,
}

impl<'a> Statements<'a> {
    fn sort(files: &'a [File]) -> Self {
        let mut sorted = Statements::default();
        for statement in files.iter().flat_map(|file| &file.statements) {
            match statement {
                Statement::Policy(name) => sorted.names.push(name),
                Statement::Include(_) => {}
                Statement::Zone(zone) => sorted.zones.push(zone),
                Statement::Service(service) => sorted.services.push(service),
                Statement::Class(class) => sorted.classes.push(class),
                Statement::Peer(peer) => sorted.peers.push(peer),
                Statement::Group(group) => sorted.groups.push(group),
                Statement::Rule(rule) => sorted.rules.push(rule),
                Statement::Assertion(assertion) => sorted.assertions.push(assertion),
                Statement::Manage(manage) => sorted.managements.push(manage),
                Statement::Schedule(schedule) => sorted.schedules.push(schedule),
                Statement::Guard(guard) => sorted.guards.push(guard),
                Statement::Posture(posture) => sorted.postures.push(posture),
                Statement::Device(device) => sorted.devices.push(device),
                Statement::Require(require) => sorted.requires.push(require),
                Statement::Inventory(inventory) => sorted.inventories.push(inventory),
            }
        }
        sorted
    }
}

/// Checks a policy as of a date, with the inventories that its statements name.
pub fn check(files: &[File], inventories: Inventories, as_of: Date, diagnostics: &mut Diagnostics) -> Policy {
    let (policy, conduits) = check_rest(files, inventories, as_of, diagnostics);
    assertions::check(&policy, &conduits, diagnostics);
    policy
}

/// Checks all of a policy but whether its assertions hold, which `cordon test` judges one by one.
pub fn check_but_assertions(
    files: &[File],
    inventories: Inventories,
    as_of: Date,
    diagnostics: &mut Diagnostics,
) -> Policy {
    check_rest(files, inventories, as_of, diagnostics).0
}

/// The policy with its conduits, after all checks but the one whether its assertions hold.
fn check_rest(
    files: &[File],
    inventories: Inventories,
    as_of: Date,
    diagnostics: &mut Diagnostics,
) -> (Policy, Conduits) {
    let statements = Statements::sort(files);
    let (mut policy, scope) = resolve(&statements, &inventories, as_of, diagnostics);
    let all_read = inventories.read == statements.inventories.len();
    policy.assets = inventories.assets;
    let conduits = Conduits::new(&policy);
    let mut ledger = Ledger::new(as_of);
    sense::check_effect(&policy, &conduits, &mut ledger, diagnostics);
    sense::check_forbids(&policy, &conduits, &mut ledger, diagnostics);
    topology::check(&policy, &conduits, diagnostics);
    ports::check_life(&policy, diagnostics);
    require::check(&statements.requires, &policy, diagnostics);
    assertions::check_visible(&policy, diagnostics);
    if all_read {
        inventory::check(&policy, &conduits, &mut ledger, diagnostics);
    }
    check_doubtful(&policy, &statements, &conduits, &mut ledger, diagnostics);
    redundancy::check(&policy, &statements, &scope, &conduits, diagnostics);
    policy.name = policy_name(&statements.names, diagnostics);
    ledger.finish(&policy, diagnostics);
    (policy, conduits)
}

/// Reports what is allowed and yet doubtful, as far as the policy says enough to tell.
fn check_doubtful(
    policy: &Policy,
    statements: &Statements,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let (has_phi, has_roles) = (data::is_judged(policy), privilege::is_judged(policy));
    if !has_phi && !has_roles {
        return;
    }
    let openings = opened::openings(policy, conduits);
    if has_phi {
        data::check(policy, &openings, ledger, diagnostics);
    }
    if has_roles {
        privilege::check(policy, &openings, ledger, diagnostics);
        siblings::check(policy, &statements.groups, &openings, ledger, diagnostics);
    }
}

/// Resolves all names and sets. Gives the names too.
fn resolve(
    statements: &Statements,
    inventories: &Inventories,
    as_of: Date,
    diagnostics: &mut Diagnostics,
) -> (Policy, Scope) {
    let mut declared = Declared::default();
    let zones = places::zones(&statements.zones, &mut declared, diagnostics);
    let classes = statements.classes.iter().map(|class| (*class).into());
    let declarations = classes.chain(statements.peers.iter().map(|peer| (*peer).into()));
    let grounds = places::Grounds { zones: &zones, inventories, stated: statements.inventories.len() };
    let endpoints = places::endpoints(declarations, &grounds, &mut declared, diagnostics);
    let mut groups = BTreeMap::new();
    for group in &statements.groups {
        if declared.enter(&group.name, SHARED_KINDS, diagnostics) {
            groups.insert(group.name.node.clone(), *group);
        }
    }
    let scope = scope_of(&zones, &endpoints, &groups, &declared, diagnostics);
    let groups = scope.resolved(groups.keys());

    let devices = devices::devices(&statements.devices, &zones, diagnostics);
    let device_names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    let mut services = Services::declare(&statements.services, diagnostics);
    let mut schedules = Schedules::declare(&statements.schedules, diagnostics);
    let mut lowering = rules::Lowering {
        scope: &scope,
        services: &mut services,
        schedules: &mut schedules,
        declared: Declared::default(),
        derived: BTreeMap::new(),
        ended: BTreeSet::new(),
        as_of,
    };
    let rules = lowering.rules(&statements.rules, &statements.classes, diagnostics);
    let managements = lowering.managements(&statements.managements, &device_names, diagnostics);
    let assertions = lowering.assertions(&statements.assertions, diagnostics);
    let named = NamedRules { rules: &rules, ended: &lowering.ended };
    let subjects = guards::Subjects { scope: &scope, named, zones: &zones, endpoints: &endpoints };
    let guards = guards::guards(&statements.guards, &subjects, diagnostics);
    let postures = postures::postures(&statements.postures, &scope, named, diagnostics);
    let services = services.finish(diagnostics);
    let schedules = schedules.finish(diagnostics);
    let policy = Policy {
        name: None,
        as_of,
        zones,
        endpoints,
        groups,
        assets: Vec::new(),
        services,
        schedules,
        rules,
        managements,
        assertions,
        guards,
        postures,
        devices,
        other_acceptances: acceptance::others(statements, diagnostics),
    };
    (policy, scope)
}

/// What each name that a rule may use stands for.
fn scope_of(
    zones: &[Zone],
    endpoints: &[Endpoint],
    groups: &BTreeMap<String, &Group>,
    declared: &Declared,
    diagnostics: &mut Diagnostics,
) -> Scope {
    let mut scope = Scope::default();
    for zone in zones {
        scope.add_zone(&zone.name, Some(&zone.addresses).filter(|_| !declared.is_broken(&zone.name)));
    }
    for endpoint in endpoints {
        scope.add(&endpoint.name, Some(&endpoint.addresses));
    }
    for name in declared.broken() {
        scope.add(name, None);
    }
    scope.add_groups(groups, diagnostics);
    scope
}

/// The name of the policy, which may be said once.
fn policy_name(names: &[&Word], diagnostics: &mut Diagnostics) -> Option<String> {
    let first = names.iter().min_by_key(|name| name.span)?;
    for again in names.iter().filter(|name| name.span != first.span) {
        diagnostics.push(CheckError::PolicyNamedTwice { span: again.span, first: first.span });
    }
    Some(first.node.clone())
}
