//! The policy model: what a policy means, with every name resolved and every set exact.
//!
//! Made by `check`, read by everything behind it. Nothing in it depends on the order of statements or files: lists
//! are sorted by name, rules in the order in which they decide.

mod asset;
mod conduit;
mod decide;
mod guard;
mod openings;
mod port;
mod posture;
mod schedule;
mod topology;
mod when;

use std::ops::Index;

use jiff::civil::Date;

pub use asset::{Asset, Classification, Mac, Placement};
pub use conduit::{Conduits, Part, ZoneIndex};
pub use decide::{Decider, Decision};
pub use guard::{Action, Guard, Metric, Rate, RateUnit, Subject};
pub use openings::{Left, Opening, Openings};
pub use port::{Port, StormKind};
pub use posture::{Cut, Posture};
pub use schedule::{Clock, MINUTES_OF_DAY, MINUTES_OF_WEEK, Schedule, Week, Window};
pub use topology::{Crossing, DeviceId, InterfaceId, Topology};
pub use when::When;

pub use crate::source::Span;
pub use crate::syntax::ast::{DeviceKind, Effect, Expectation};

use crate::set::{AddressSet, PacketSet, ServiceSet};

/// A checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What the policy is called.
    pub name: Option<String>,
    /// The date by which it was decided which statements have expired.
    pub as_of: Date,
    /// Zones, by name.
    pub zones: Vec<Zone>,
    /// Classes and peers, by name.
    pub endpoints: Vec<Endpoint>,
    /// Names for several of them, by name.
    pub groups: Vec<Group>,
    /// The devices that inventories know, in the order of their rows, inventories by name.
    pub assets: Vec<Asset>,
    /// Services, by name.
    pub services: Vec<Service>,
    /// Schedules, by name.
    pub schedules: Vec<Schedule>,
    /// Rules, in the order in which they decide: forbids, then allows that hold at all times, then those that hold
    /// during a schedule; of these, those without an end, then those that end later before those that end earlier; of
    /// these, rules that may be left out in part come last, and of the others those that log first; each by id.
    ///
    /// INVARIANT: of two rules that both match a packet, the earlier one gives the verdict. Since forbids come first,
    /// this is `union(allow) minus union(forbid)`; the order among allows decides only whose name, counter and log a
    /// packet gets.
    pub rules: Vec<Rule>,
    /// Who may administer the enforcement points, by id.
    pub managements: Vec<Management>,
    /// What must be allowed or denied, by id.
    pub assertions: Vec<Assertion>,
    /// Guards, by name.
    pub guards: Vec<Guard>,
    /// Postures, by name.
    pub postures: Vec<Posture>,
    /// Enforcement points, by name.
    pub devices: Vec<Device>,
    /// What is accepted of other statements than rules, classes, peers and zones.
    pub other_acceptances: Vec<OtherAcceptance>,
}

/// The place of a zone in [`Policy::zones`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ZoneId(pub usize);

/// The place of a class or peer in [`Policy::endpoints`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointId(pub usize);

/// The place of a schedule in [`Policy::schedules`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScheduleId(pub usize);

/// The place of a rule in [`Policy::rules`]; smaller decides first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleIndex(pub usize);

impl Index<ZoneId> for Policy {
    type Output = Zone;

    #[expect(clippy::indexing_slicing, reason = "an id is only ever made from a place in this very list")]
    fn index(&self, id: ZoneId) -> &Zone {
        &self.zones[id.0]
    }
}

impl Index<EndpointId> for Policy {
    type Output = Endpoint;

    #[expect(clippy::indexing_slicing, reason = "an id is only ever made from a place in this very list")]
    fn index(&self, id: EndpointId) -> &Endpoint {
        &self.endpoints[id.0]
    }
}

impl Index<DeviceId> for Policy {
    type Output = Device;

    #[expect(clippy::indexing_slicing, reason = "an id is only ever made from a place in this very list")]
    fn index(&self, id: DeviceId) -> &Device {
        &self.devices[id.0]
    }
}

impl Index<InterfaceId> for Device {
    type Output = Interface;

    #[expect(clippy::indexing_slicing, reason = "an id is only ever made from a place in this very list")]
    fn index(&self, id: InterfaceId) -> &Interface {
        &self.interfaces[id.0]
    }
}

impl Index<ScheduleId> for Policy {
    type Output = Schedule;

    #[expect(clippy::indexing_slicing, reason = "an id is only ever made from a place in this very list")]
    fn index(&self, id: ScheduleId) -> &Schedule {
        &self.schedules[id.0]
    }
}

impl Index<RuleIndex> for Policy {
    type Output = Rule;

    #[expect(clippy::indexing_slicing, reason = "an index is only ever made from a place in this very list")]
    fn index(&self, index: RuleIndex) -> &Rule {
        &self.rules[index.0]
    }
}

/// What something has of protected health information.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phi {
    /// None.
    None,
    /// It passes through.
    Transit,
    /// It is kept.
    Store,
}

impl Phi {
    /// All, each with the word that a policy has for it.
    pub const ALL: [(&'static str, Phi); 3] =
        [("none", Phi::None), ("transit", Phi::Transit), ("store", Phi::Store)];

    /// The word that a policy has for it.
    pub fn word(self) -> &'static str {
        match self {
            Phi::None => "none",
            Phi::Transit => "transit",
            Phi::Store => "store",
        }
    }
}

/// What the loss of something would touch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Criticality {
    /// Operations.
    Ops,
    /// The care of patients.
    Care,
    /// A patient's life.
    Life,
}

impl Criticality {
    /// All, each with the word that a policy has for it.
    pub const ALL: [(&'static str, Criticality); 3] =
        [("ops", Criticality::Ops), ("care", Criticality::Care), ("life", Criticality::Life)];

    /// The word that a policy has for it.
    pub fn word(self) -> &'static str {
        match self {
            Criticality::Ops => "ops",
            Criticality::Care => "care",
            Criticality::Life => "life",
        }
    }
}

/// How far the hosts of a zone are trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Trust {
    /// They belong to the house.
    Internal,
    /// They belong to somebody with whom there is a contract.
    Partner,
    /// They belong to anybody, and are let in.
    Guest,
    /// They belong to anybody.
    External,
}

/// What something is there for, as far as other rules apply to it than to the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// From here others are administered.
    Admin,
    /// It serves everyone: names, time, logs.
    Infrastructure,
}

/// How exposed a class is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Risk {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Risk {
    /// All, each with the word that a policy has for it.
    pub const ALL: [(&'static str, Risk); 4] =
        [("low", Risk::Low), ("medium", Risk::Medium), ("high", Risk::High), ("critical", Risk::Critical)];

    /// The word that a policy has for it.
    pub fn word(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Critical => "critical",
        }
    }
}

/// What people want to know of a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct About {
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it stands.
    pub reason: Option<String>,
    /// The change ticket behind it.
    pub ticket: Option<String>,
    /// Free text.
    pub note: Option<String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
}

/// A kind of finding about a statement that somebody answers for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// The code of the finding.
    pub code: &'static str,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is; none for what endangers nobody, and is accepted for good.
    pub until: Option<Date>,
    /// Where the code is named.
    pub span: Span,
    /// The statement whose findings it accepts.
    pub statement: Span,
    /// What has to go for it to go: its code, or the whole clause.
    pub removal: Span,
}

/// An acceptance of a statement that the model keeps no acceptances of: a service, group, schedule, posture, enforcement
/// point, assertion or `manage` statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherAcceptance {
    /// What kind of statement it is, by its keyword.
    pub kind: &'static str,
    /// Its name, or its keyword if it has none.
    pub name: String,
    /// What is accepted of it.
    pub acceptance: Acceptance,
}

impl Acceptance {
    /// True if it still holds on a day.
    pub fn holds(&self, day: Date) -> bool {
        self.until.is_none_or(|until| until >= day)
    }
}

/// A zone: a set of prefixes that share a fate.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its addresses. Those of different zones are disjoint.
    pub addresses: AddressSet,
    /// True for the zone that holds all that no other does.
    pub is_rest: bool,
    /// What it has of protected health information.
    pub phi: Option<Phi>,
    /// What its loss would touch.
    pub criticality: Option<Criticality>,
    /// The tier of the architecture that it belongs to.
    pub tier: Option<String>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// How far its hosts are trusted.
    pub trust: Option<Trust>,
    /// What all of it is there for.
    pub role: Option<Role>,
    /// Owner and note.
    pub about: About,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// Where its name is declared.
    pub span: Span,
}

impl Zone {
    /// True if its hosts may be anybody's: it is marked as external or for guests, or is the rest of the world.
    pub fn is_outside(&self) -> bool {
        match self.trust {
            Some(Trust::External | Trust::Guest) => true,
            Some(Trust::Partner | Trust::Internal) => false,
            None => self.is_rest,
        }
    }
}

/// A class of devices, or a peer: a role that servers play.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// The zone that holds it.
    pub zone: ZoneId,
    /// Its addresses, all of them in the zone.
    pub addresses: AddressSet,
    /// True for a class, false for a peer.
    pub is_class: bool,
    /// True for a class that holds what no other class and no peer of its zone does.
    pub takes_unclassified: bool,
    /// What it has of protected health information.
    pub phi: Option<Phi>,
    /// What its loss would touch.
    pub criticality: Option<Criticality>,
    /// How exposed it is.
    pub risk: Option<Risk>,
    /// What it is there for.
    pub role: Option<Role>,
    /// The last day of the vendor's support.
    pub supported_until: Option<Date>,
    /// Owner and note.
    pub about: About,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// Where its name is declared.
    pub span: Span,
}

/// A name for several zones, classes and peers.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The addresses of all of them.
    pub addresses: AddressSet,
}

/// A service: protocols with their ports.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it matches.
    pub set: ServiceSet,
    /// True if what it carries cannot be read on the way.
    pub encrypted: bool,
    /// True if it carries no protected health information, whoever speaks.
    pub without_phi: bool,
    /// Where its name is declared.
    pub span: Span,
}

/// One side of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// As a policy would write it, names sorted: `ct_scanner, mri except mri_old`.
    pub text: String,
    /// The addresses.
    pub addresses: AddressSet,
}

/// An allow or forbid statement.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name: the author's, or derived from what it says.
    pub id: String,
    /// What it does with the packets that it matches.
    pub effect: Effect,
    /// Who opens the connection.
    pub from: Side,
    /// Who accepts it.
    pub to: Side,
    /// The services as a policy would write them, sorted.
    pub via: String,
    /// Over what.
    pub services: ServiceSet,
    /// The part of the services that is named as encrypted.
    pub encrypted: ServiceSet,
    /// The part of the services that is named as carrying no protected health information.
    pub without_phi: ServiceSet,
    /// When it holds; at all times if no schedule is named. A forbid names none.
    pub during: Option<ScheduleId>,
    /// True if each new connection is logged.
    pub log: bool,
    /// True if what a target cannot express of it is to be denied there, rather than refused.
    pub leave_out: bool,
    /// Owner, reason and so on.
    pub about: About,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// Where it stands.
    pub span: Span,
}

impl Rule {
    /// Every packet from one side to the other over its services.
    pub fn packets(&self) -> PacketSet {
        PacketSet::product(&self.from.addresses, &self.to.addresses, &self.services)
    }
}

/// A manage statement: who may open connections to enforcement points themselves.
#[derive(Clone, Debug)]
pub struct Management {
    /// Its name: the author's, or derived from what it says.
    pub id: String,
    /// Who opens the connection.
    pub from: Side,
    /// The enforcement points by name; none for all.
    pub devices: Vec<String>,
    /// Over what.
    pub services: ServiceSet,
    /// True if each new connection is logged.
    pub log: bool,
    /// Owner, reason and so on.
    pub about: About,
    /// Where it stands.
    pub span: Span,
}

impl Management {
    /// True if it speaks of `device`.
    pub fn applies_to(&self, device: &Device) -> bool {
        self.devices.is_empty() || self.devices.contains(&device.name)
    }
}

/// An assert statement: what the rules together must allow or deny.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Its name: the author's, or derived from what it says.
    pub id: String,
    /// What is expected.
    pub expectation: Expectation,
    /// Who would open the connection.
    pub from: Side,
    /// Who would accept it.
    pub to: Side,
    /// Over what.
    pub services: ServiceSet,
    /// Owner, reason and so on.
    pub about: About,
    /// Where it stands.
    pub span: Span,
}

/// An enforcement point.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Firewall or switch.
    pub kind: DeviceKind,
    /// The kind of config that it takes.
    pub target: String,
    /// Where its target is named.
    pub target_span: Span,
    /// How many hardware entries its access lists may take, if that is limited.
    pub tcam: Option<u32>,
    /// Where it is said that later fragments of packets do not pass, if it is.
    pub denies_fragments: Option<Span>,
    /// Its interfaces, by name.
    pub interfaces: Vec<Interface>,
    /// The ports of a switch that the policy speaks of, by unit and number.
    pub ports: Vec<Port>,
    /// Where its name is declared.
    pub span: Span,
}

/// An interface of an enforcement point.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The name that the device gives it.
    pub name: String,
    /// The zones attached to it, in the order of [`Policy::zones`].
    pub zones: Vec<ZoneId>,
    /// The enforcement point that it leads to instead.
    pub link: Option<Link>,
    /// Where it is named.
    pub span: Span,
}

/// One end of a link between two enforcement points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The name of the enforcement point at the other end.
    pub to: String,
    /// What crossing it costs; paths of lowest cost are taken.
    pub cost: u32,
    /// True if it carries packets only where others have failed.
    pub backup: bool,
}

impl Policy {
    /// The ids of all zones.
    pub fn zone_ids(&self) -> impl Iterator<Item = ZoneId> + use<> {
        (0..self.zones.len()).map(ZoneId)
    }

    /// When a rule holds, if not at all times.
    pub fn schedule_of(&self, rule: &Rule) -> Option<&Schedule> {
        rule.during.map(|id| &self[id])
    }

    /// All acceptances, each with the name of the statement that it stands in.
    pub fn acceptances(&self) -> impl Iterator<Item = (&str, &Acceptance)> {
        let rules = self.rules.iter().map(|rule| (&rule.id, &rule.acceptances));
        let endpoints = self.endpoints.iter().map(|endpoint| (&endpoint.name, &endpoint.acceptances));
        let zones = self.zones.iter().map(|zone| (&zone.name, &zone.acceptances));
        let all = rules.chain(endpoints).chain(zones);
        let all = all.flat_map(|(name, acceptances)| {
            acceptances.iter().map(move |acceptance| (name.as_str(), acceptance))
        });
        all.chain(self.other_acceptances.iter().map(|other| (other.name.as_str(), &other.acceptance)))
    }

    /// The indices of all rules, in the order in which they decide.
    pub fn rule_indices(&self) -> impl Iterator<Item = RuleIndex> + use<> {
        (0..self.rules.len()).map(RuleIndex)
    }
}
