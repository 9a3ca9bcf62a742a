//! The syntax tree: what a policy file says, word for word, each part with its place.
//!
//! Nothing is resolved here: names are not looked up, addresses and dates are still text.

pub use crate::source::{Span, Spanned};

/// A word as written: a name, an address, a port, a date.
pub type Word = Spanned<String>;

/// One file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct File {
    /// The statements in the order of the file.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    /// `policy "..."`: the name of the whole.
    Policy(Word),
    /// `include "..."`: another file or folder of the policy's directory.
    Include(Word),
    /// `zone`
    Zone(Zone),
    /// `service`
    Service(Service),
    /// `class`
    Class(Class),
    /// `peer`
    Peer(Peer),
    /// `group`
    Group(Group),
    /// `allow` or `forbid`
    Rule(Rule),
    /// `assert allowed` or `assert denied`
    Assertion(Assertion),
    /// `manage`
    Manage(Manage),
    /// `schedule`
    Schedule(Schedule),
    /// `guard`
    Guard(Guard),
    /// `posture`
    Posture(Posture),
    /// `firewall` or `switch`
    Device(Device),
    /// `require`
    Require(Require),
    /// `inventory`
    Inventory(Inventory),
}

/// A list of words, less some: `a, b except c`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// What is listed.
    pub list: Vec<Word>,
    /// What is taken away from the list.
    pub except: Vec<Word>,
}

/// An attribute that takes one value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Who answers for it.
    Owner,
    /// What it has of protected health information: `none`, `transit` or `store`.
    Phi,
    /// What its loss would touch: `life`, `care` or `ops`.
    Criticality,
    /// How exposed it is: `low`, `medium`, `high` or `critical`.
    Risk,
    /// How far the hosts of a zone are trusted: `internal`, `partner`, `guest` or `external`.
    Trust,
    /// What it is there for: `admin` or `infrastructure`.
    Role,
    /// The tier of the architecture that a zone belongs to.
    Tier,
    /// The VLAN of a zone.
    Vlan,
    /// Free text for the reader.
    Note,
    /// Why a statement stands.
    Reason,
    /// The change ticket behind a statement.
    Ticket,
    /// Who has to agree before an action is taken.
    Approval,
    /// The last day on which a statement holds.
    Until,
    /// The last day of the vendor's support.
    SupportedUntil,
}

impl Key {
    /// The keyword as a policy writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            Key::Owner => "owner",
            Key::Phi => "phi",
            Key::Criticality => "criticality",
            Key::Risk => "risk",
            Key::Trust => "trust",
            Key::Role => "role",
            Key::Tier => "tier",
            Key::Vlan => "vlan",
            Key::Note => "note",
            Key::Reason => "reason",
            Key::Ticket => "ticket",
            Key::Approval => "approval",
            Key::Until => "until",
            Key::SupportedUntil => "supported until",
        }
    }
}

/// An attribute and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// Which attribute.
    pub key: Key,
    /// Its value, with string escapes resolved.
    pub value: Word,
    /// The whole clause.
    pub span: Span,
}

/// `accepted CODES because TEXT until DATE`: findings that somebody answers for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// The codes of the findings that are accepted.
    pub codes: Vec<Word>,
    /// Why.
    pub reason: Word,
    /// The last day on which they are, if they are not for good.
    pub until: Option<Word>,
    /// The whole clause.
    pub span: Span,
    /// The statement that it stands in, or the `reaches` or `reached by` of a class: findings about that are accepted.
    pub statement: Span,
}

/// `zone NAME { net PREFIXES | rest ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Its name.
    pub name: Word,
    /// Prefixes that it is made of.
    pub nets: Vec<Names>,
    /// `rest`: it is everything that no other zone holds.
    pub rest: Option<Span>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `service NAME { tcp 104, 11112 ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Its name.
    pub name: Word,
    /// The protocols and ports that it is made of.
    pub protocols: Vec<ProtocolPorts>,
    /// `encrypted`: what it carries cannot be read on the way.
    pub encrypted: Option<Span>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `tcp/udp 53, 5353 source-port 1024-65535`, `icmp echo-request`, `gre`, `protocol 89`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtocolPorts {
    /// Protocol names, or one number.
    pub protocols: Vec<Word>,
    /// Destination ports and port ranges, or `any`.
    pub ports: Vec<Word>,
    /// An ICMP message type, by name.
    pub message_type: Option<Word>,
    /// Source ports and port ranges; none for all.
    pub source_ports: Vec<Word>,
    /// The whole.
    pub span: Span,
}

/// What a class or peer consists of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Members {
    /// `hosts`: addresses, ranges and prefixes.
    Hosts(Names),
    /// `members all`: every address of the zone.
    All(Span),
    /// `members unclassified`: every address of the zone that no other class and no peer holds.
    Unclassified(Span),
    /// `members from inventory where ...`
    Inventory {
        /// Which devices; all if it is left out.
        condition: Option<Condition>,
        /// `at least N`: how many of them the zone must hold.
        at_least: Option<Word>,
        /// The whole clause.
        span: Span,
    },
}

/// A condition on the devices of an inventory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// One of them holds.
    Any(Vec<Condition>),
    /// All of them hold.
    All(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A column compared with a value.
    Compare {
        /// The column.
        column: Word,
        /// `==`, `!=` or `~`.
        operator: Word,
        /// The value.
        value: Word,
    },
}

/// `class NAME in ZONE { ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    /// Its name.
    pub name: Word,
    /// The zone that it lies in.
    pub zone: Option<Word>,
    /// What it consists of.
    pub members: Vec<Members>,
    /// `reaches` and `reached by`: allow statements written inside the class.
    pub reaches: Vec<Reach>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `reaches NAMES via SERVICES` or `reached by NAMES via SERVICES`, inside a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Who opens the connection.
    pub direction: Direction,
    /// The other side.
    pub others: Names,
    /// Over what.
    pub via: Vec<Via>,
    /// `log`
    pub log: Option<Span>,
    /// `during SCHEDULE`
    pub during: Option<Word>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// The whole clause.
    pub span: Span,
}

/// Which side of a [`Reach`] opens the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The class does.
    Outward,
    /// The others do.
    Inward,
}

/// `peer NAME in ZONE { host ADDRESSES ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its name.
    pub name: Word,
    /// The zone that it lies in.
    pub zone: Option<Word>,
    /// What it consists of.
    pub members: Vec<Members>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `group NAME { NAMES }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Its name.
    pub name: Word,
    /// Zones, classes, peers and other groups.
    pub members: Vec<Names>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// What a rule does with the packets that it names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// They may open connections.
    Allow,
    /// They may not, whatever else is said.
    Forbid,
}

impl Effect {
    /// The keyword as a policy writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            Effect::Allow => "allow",
            Effect::Forbid => "forbid",
        }
    }
}

/// From where, to where, over what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    /// `from`: who opens the connection.
    pub from: Vec<Names>,
    /// `to`: who accepts it.
    pub to: Vec<Names>,
    /// `via`: services.
    pub via: Vec<Via>,
}

/// One entry of a `via` list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Via {
    /// A service by name, or `any`.
    Service(Word),
    /// Protocols and ports on the spot.
    Inline(ProtocolPorts),
}

/// `allow NAME { ... }` or `forbid NAME { ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Allow or forbid, and where that is said.
    pub effect: Spanned<Effect>,
    /// Its name, if the author gave one.
    pub name: Option<Word>,
    /// What it speaks of.
    pub flow: Flow,
    /// `log`: each new connection is logged.
    pub log: Option<Span>,
    /// `during SCHEDULE`
    pub during: Option<Word>,
    /// `unsupported leave-out`: what a target cannot express is denied there, and reported.
    pub leave_out: Option<Span>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// The whole statement.
    pub span: Span,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// What an assertion expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// All of it is allowed.
    Allowed,
    /// None of it is.
    Denied,
}

/// `assert allowed { ... }` or `assert denied { ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assertion {
    /// What is expected.
    pub expectation: Expectation,
    /// Its name, if the author gave one.
    pub name: Option<Word>,
    /// What it speaks of.
    pub flow: Flow,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// Its keywords.
    pub span: Span,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `manage NAME { from PEERS to DEVICES via SERVICES }`: who may administer the enforcement points themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manage {
    /// Its name, if the author gave one.
    pub name: Option<Word>,
    /// From whom, to which enforcement points (all if none is named), over what.
    pub flow: Flow,
    /// `log`: each new connection is logged.
    pub log: Option<Span>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// Its keywords.
    pub span: Span,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `schedule NAME { mon..fri 18:00-22:00 }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Its name.
    pub name: Word,
    /// Days and the hours on them.
    pub windows: Vec<Window>,
    /// The time zone in which the hours are meant.
    pub timezone: Option<Word>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// Days, or ranges of days, and the hours on each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// `mon`, `sat`, `mon..fri`
    pub days: Vec<Word>,
    /// `18:00-22:00`
    pub hours: Vec<Word>,
}

/// `guard NAME { new-connections 20/second burst 60 per source then quarantine 10 minutes }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// The zone, class or rule that it guards.
    pub subject: Word,
    /// Limits.
    pub thresholds: Vec<Threshold>,
    /// What happens when a limit is passed.
    pub actions: Vec<Action>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// A limit on traffic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Threshold {
    /// What is counted: `new-connections`, `packets`, `bandwidth`, `destinations` or `session-time`.
    pub metric: Word,
    /// How much of it in which time: `20/second`, or `40 mbit/second`.
    pub rate: Word,
    /// How much at once.
    pub burst: Option<Word>,
    /// What it is counted for: `source`.
    pub per: Option<Word>,
}

/// What a guard does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// `alert`, `limit`, `quarantine` or `isolate`.
    pub verb: Word,
    /// For how long: number and unit.
    pub duration: Option<(Word, Word)>,
    /// What stays allowed.
    pub except: Vec<Word>,
}

/// `require ATTRIBUTES on KINDS`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Require {
    /// The attributes.
    pub attributes: Vec<Word>,
    /// The kinds of statements that need them, by their keywords.
    pub kinds: Vec<Word>,
}

/// `posture NAME { isolate NAMES except RULES }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posture {
    /// Its name.
    pub name: Word,
    /// What is cut off, and what stays allowed.
    pub isolate: Vec<Names>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// Whether an enforcement point routes between zones with state, or switches with access lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceKind {
    /// `firewall`
    Firewall,
    /// `switch`
    Switch,
}

/// `firewall NAME { target nftables interface NAME zone ZONES ... }` or `switch NAME { ... }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Firewall or switch.
    pub kind: DeviceKind,
    /// Its name.
    pub name: Word,
    /// The kind of config that it takes.
    pub targets: Vec<Word>,
    /// Its interfaces and uplinks.
    pub interfaces: Vec<Interface>,
    /// Its ports, with what keeps storms in check there.
    pub ports: Vec<Ports>,
    /// `tcam NUMBER`: how many hardware entries its access lists may take.
    pub tcam: Option<Word>,
    /// `fragments deny`: nothing but first fragments passes. Where it stands.
    pub denies_fragments: Option<Span>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What is accepted of it.
    pub acceptances: Vec<Acceptance>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}

/// `interface NAME zone ZONES`, `interface NAME to DEVICE cost NUMBER backup` or `uplink NAME to DEVICE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// The name that the device gives it.
    pub name: Word,
    /// Where it leads.
    pub leads: Leads,
}

/// `ports NAMES zone ZONE storm-control KIND RATE, KIND RATE then limit`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ports {
    /// The ports, of which each word may be a range.
    pub names: Vec<Word>,
    /// The zone of what is plugged in there.
    pub zone: Word,
    /// What keeps storms in check, if anything does.
    pub storm: Option<Storm>,
}

/// `storm-control KIND RATE, KIND RATE then ACTION`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storm {
    /// Kinds of frames, each with a rate.
    pub levels: Vec<(Word, Word)>,
    /// What happens above a rate.
    pub action: Word,
    /// Where it stands.
    pub span: Span,
}

/// Where an interface leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leads {
    /// To zones.
    Zones(Names),
    /// To another enforcement point.
    Device {
        /// Which one.
        to: Word,
        /// What crossing the link costs; 1 if it is left out.
        cost: Option<Word>,
        /// `backup`: it carries packets only where others have failed.
        backup: Option<Span>,
    },
}

/// `inventory NAME { file "PATH" format netbox | mapping "PATH" }`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inventory {
    /// Its name.
    pub name: Word,
    /// The table of devices, by its path from the file with this statement.
    pub file: Option<Word>,
    /// The form of the table, by name.
    pub format: Option<Word>,
    /// The file that says what the columns of the table mean, by its path from the file with this statement.
    pub mapping: Option<Word>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// True if something in it could not be read, which was reported.
    pub broken: bool,
}
