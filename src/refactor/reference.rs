//! Every place of a policy that names something, with the name space in which it is looked up.
//!
//! The same resolution as in `check`: zones, classes, peers and groups share their names, and so do allow, forbid, manage
//! and assert statements; services, schedules, postures, enforcement points and inventories have names of their own.

use std::collections::BTreeSet;

use crate::source::Span;
use crate::syntax::ast::{
    Class, Condition, Device, DeviceKind, Expectation, File, Flow, Group, Leads, Members, Names, Statement,
    Via, Word,
};

/// The word for every zone, every service, and every enforcement point.
pub(super) const ANY: &str = "any";

/// Statements that share their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Space {
    /// Zones, classes, peers and groups.
    Place,
    /// Services.
    Service,
    /// Schedules.
    Schedule,
    /// Allow, forbid, manage and assert statements.
    Rule,
    /// Postures.
    Posture,
    /// Firewalls and switches.
    Device,
    /// Inventories.
    Inventory,
}

impl Space {
    /// The name space of a kind of statement, by a keyword or by the word for several of them.
    pub fn of(kind: &str) -> Option<Space> {
        Some(match kind {
            "zone" | "class" | "peer" | "group" => Space::Place,
            "service" => Space::Service,
            "schedule" => Space::Schedule,
            "rule" | "allow" | "forbid" | "manage" | "assert" => Space::Rule,
            "posture" => Space::Posture,
            "device" | "firewall" | "switch" => Space::Device,
            "inventory" => Space::Inventory,
            _ => return None,
        })
    }

    /// What shares its names, for messages.
    pub fn kinds(self) -> &'static str {
        match self {
            Space::Place => "zones, classes, peers and groups",
            Space::Service => "services",
            Space::Schedule => "schedules",
            Space::Rule => "allow, forbid, manage and assert statements",
            Space::Posture => "postures",
            Space::Device => "firewalls and switches",
            Space::Inventory => "inventories",
        }
    }
}

/// A word that names a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Where the name is looked up.
    pub space: Space,
    /// The name.
    pub name: String,
    /// The word, with its quotes where it has them.
    pub span: Span,
    /// The kind of the statement, where the word is its own name.
    pub declares: Option<&'static str>,
}

/// All words that name statements, in the order of the trees.
pub fn references(files: &[File]) -> Vec<Reference> {
    let statements = || files.iter().flat_map(|file| &file.statements);
    let places: BTreeSet<&str> =
        statements().filter_map(place_declared).map(|name| name.node.as_str()).collect();
    let mut found = Found { references: Vec::new(), places };
    statements().for_each(|statement| found.statement(statement));
    found.references
}

/// The name of a zone, class, peer or group.
fn place_declared(statement: &Statement) -> Option<&Word> {
    match statement {
        Statement::Zone(zone) => Some(&zone.name),
        Statement::Class(class) => Some(&class.name),
        Statement::Peer(peer) => Some(&peer.name),
        Statement::Group(group) => Some(&group.name),
        Statement::Policy(_)
        | Statement::Include(_)
        | Statement::Service(_)
        | Statement::Rule(_)
        | Statement::Assertion(_)
        | Statement::Manage(_)
        | Statement::Schedule(_)
        | Statement::Guard(_)
        | Statement::Posture(_)
        | Statement::Device(_)
        | Statement::Require(_)
        | Statement::Inventory(_) => None,
    }
}

/// What was found so far.
struct Found<'a> {
    references: Vec<Reference>,
    /// The names of all places, by which a guard of a place is told from one of a rule.
    places: BTreeSet<&'a str>,
}

impl Found<'_> {
    fn add(&mut self, space: Space, word: &Word, declares: Option<&'static str>) {
        if !word.node.is_empty() {
            self.references.push(Reference { space, name: word.node.clone(), span: word.span, declares });
        }
    }

    fn uses<'w>(&mut self, space: Space, words: impl IntoIterator<Item = &'w Word>) {
        words.into_iter().filter(|word| word.node != ANY).for_each(|word| self.add(space, word, None));
    }

    fn names(&mut self, space: Space, lists: &[Names]) {
        lists.iter().for_each(|names| self.uses(space, names.list.iter().chain(&names.except)));
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Policy(_) | Statement::Include(_) | Statement::Require(_) => {}
            Statement::Zone(zone) => self.add(Space::Place, &zone.name, Some("zone")),
            Statement::Service(service) => self.add(Space::Service, &service.name, Some("service")),
            Statement::Class(class) => self.class(class),
            Statement::Peer(peer) => {
                self.add(Space::Place, &peer.name, Some("peer"));
                self.uses(Space::Place, &peer.zone);
                self.members(&peer.members);
            }
            Statement::Group(Group { name, members, .. }) => {
                self.add(Space::Place, name, Some("group"));
                self.names(Space::Place, members);
            }
            Statement::Rule(rule) => {
                self.rule(rule.name.as_ref(), rule.effect.node.keyword());
                self.flow(&rule.flow, Space::Place);
                self.uses(Space::Schedule, &rule.during);
            }
            Statement::Assertion(assertion) => {
                let kind = match assertion.expectation {
                    Expectation::Allowed => "assert allowed",
                    Expectation::Denied => "assert denied",
                };
                self.rule(assertion.name.as_ref(), kind);
                self.flow(&assertion.flow, Space::Place);
            }
            Statement::Manage(manage) => {
                self.rule(manage.name.as_ref(), "manage");
                self.flow(&manage.flow, Space::Device);
            }
            Statement::Schedule(schedule) => self.add(Space::Schedule, &schedule.name, Some("schedule")),
            Statement::Guard(guard) => {
                let is_place = self.places.contains(guard.subject.node.as_str());
                self.uses(if is_place { Space::Place } else { Space::Rule }, [&guard.subject]);
                self.uses(Space::Rule, guard.actions.iter().flat_map(|action| &action.except));
            }
            Statement::Posture(posture) => {
                self.add(Space::Posture, &posture.name, Some("posture"));
                for names in &posture.isolate {
                    self.uses(Space::Place, &names.list);
                    self.uses(Space::Rule, &names.except);
                }
            }
            Statement::Device(device) => self.device(device),
            Statement::Inventory(inventory) => {
                self.add(Space::Inventory, &inventory.name, Some("inventory"));
            }
        }
    }

    fn rule(&mut self, name: Option<&Word>, kind: &'static str) {
        name.into_iter().for_each(|name| self.add(Space::Rule, name, Some(kind)));
    }

    fn flow(&mut self, flow: &Flow, to: Space) {
        self.names(Space::Place, &flow.from);
        self.names(to, &flow.to);
        self.via(&flow.via);
    }

    fn via(&mut self, entries: &[Via]) {
        for entry in entries {
            match entry {
                Via::Service(word) => self.uses(Space::Service, [word]),
                Via::Inline(_) => {}
            }
        }
    }

    fn class(&mut self, class: &Class) {
        self.add(Space::Place, &class.name, Some("class"));
        self.uses(Space::Place, &class.zone);
        self.members(&class.members);
        for reach in &class.reaches {
            self.uses(Space::Place, reach.others.list.iter().chain(&reach.others.except));
            self.via(&reach.via);
            self.uses(Space::Schedule, &reach.during);
        }
    }

    fn members(&mut self, members: &[Members]) {
        for one in members {
            match one {
                Members::Inventory { condition, .. } => {
                    condition.iter().for_each(|condition| self.condition(condition));
                }
                Members::Hosts(_) | Members::All(_) | Members::Unclassified(_) => {}
            }
        }
    }

    /// A condition names an inventory of the policy; what it calls a zone is a word of a table.
    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Any(parts) | Condition::All(parts) => {
                parts.iter().for_each(|part| self.condition(part));
            }
            Condition::Not(part) => self.condition(part),
            Condition::Compare { column, operator, value } => {
                if column.node == "inventory" && operator.node != "~" {
                    self.add(Space::Inventory, value, None);
                }
            }
        }
    }

    fn device(&mut self, device: &Device) {
        let kind = match device.kind {
            DeviceKind::Firewall => "firewall",
            DeviceKind::Switch => "switch",
        };
        self.add(Space::Device, &device.name, Some(kind));
        for interface in &device.interfaces {
            match &interface.leads {
                Leads::Zones(names) => {
                    self.uses(Space::Place, names.list.iter().chain(&names.except));
                }
                Leads::Device { to, .. } => self.uses(Space::Device, [to]),
            }
        }
        self.uses(Space::Place, device.ports.iter().map(|ports| &ports.zone));
    }
}
