//! Guards: what happens when something opens more connections, or sends more, than it should.

use super::{About, Criticality, Policy, RuleIndex, Span};
use crate::set::{AddressSet, ServiceSet, Set};

/// The protocol number of TCP (RFC 9293).
const TCP: u8 = 6;

/// How long pfSense keeps a source that made too many connections, at the most, in seconds: what clears the table looks
/// once an hour for sources that have been in it for an hour (targets/pfsense/NOTES.md).
const PFSENSE_QUARANTINE: u32 = 7_200;

/// The longest time, in seconds, in which an empty bucket of a hash limit is full again: what it counts in is 64 bits wide
/// and made to hold one day (`MAX_CPJ`, net/netfilter/xt_hashlimit.c).
const IPTABLES_REFILL: u32 = 86_400;

/// How far from its rate a hash limit may be, as parts of a hundred: it knows whole microseconds between two packets.
const IPTABLES_ROUNDING: u64 = 5;

/// A guard statement.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Its name: what it guards, what it counts where that is not new connections, and what it does, such as `lab-limit` or
    /// `lab.packets-limit`.
    pub id: String,
    /// Whose connections or packets it counts.
    pub subject: Subject,
    /// What it counts.
    pub metric: Metric,
    /// How many are too many.
    pub rate: Rate,
    /// True if each source is counted by itself, false if all are counted together.
    pub per_source: bool,
    /// What happens then.
    pub action: Action,
    /// Who has to approve what it does.
    pub approval: Option<String>,
    /// Reason and note.
    pub about: About,
    /// Where its subject is named.
    pub span: Span,
}

/// Whose connections a guard counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// All that some addresses try to open, whether a rule allows them or not.
    Sources(AddressSet),
    /// Those that a rule allows.
    Rule(RuleIndex),
}

/// What a guard counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// Packets that open a connection.
    NewConnections,
    /// All packets, those of known connections too.
    Packets,
    /// The bits of all packets from their network header on, in kilobits of 1,000 bits.
    Bandwidth,
    /// Destinations that a source opens connections to, each once in a unit.
    Destinations,
    /// How long ago a connection was opened.
    SessionTime,
}

/// A rate, as a bucket that holds `burst`, and into which `count` come in each `unit`. For a session time, `count` of `unit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many in a unit: 1 to [`Metric::most`].
    pub count: u32,
    /// The unit.
    pub unit: RateUnit,
    /// How many at once: 1 to [`Metric::most_at_once`]. For a bandwidth, what comes in a second;
    /// for a session time, 1.
    pub burst: u32,
}

/// What a rate counts by, or a session time is said in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RateUnit {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day; of session times only.
    Day,
}

/// What a guard does with what is too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is logged, and passes.
    Alert,
    /// It is logged and dropped, until the rate falls.
    Limit,
    /// It is logged and dropped, and so is all that its source sends for so many seconds.
    Quarantine {
        /// How long, in seconds: 1 to [`Action::LONGEST`].
        seconds: u32,
    },
    /// It is logged, and for so many seconds everything from and to the subject is dropped, but for what some rules allow.
    Isolate {
        /// How long, in seconds: 1 to [`Action::LONGEST`].
        seconds: u32,
        /// The rules that stay as they are.
        except: Vec<RuleIndex>,
    },
}

impl Metric {
    /// All, each with its word.
    pub const ALL: [(&'static str, Metric); 5] = [
        ("new-connections", Metric::NewConnections),
        ("packets", Metric::Packets),
        ("bandwidth", Metric::Bandwidth),
        ("destinations", Metric::Destinations),
        ("session-time", Metric::SessionTime),
    ];

    /// The smallest bandwidth, in kilobits a second. The kernel puts packets of a connection together before it filters, up
    /// to 64 KiB, and one of these must not be more than a bucket holds.
    pub const LEAST_BANDWIDTH: u32 = 1_000;

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Metric::NewConnections => "new-connections",
            Metric::Packets => "packets",
            Metric::Bandwidth => "bandwidth",
            Metric::Destinations => "destinations",
            Metric::SessionTime => "session-time",
        }
    }

    /// The largest count in a unit. The kernel's older limits of rates take 10,000 in a second; at 100,000 packets or 10
    /// gigabits a second those of iptables are off by some parts of a hundred. For a session time, the most seconds: a week.
    pub fn most(self) -> u32 {
        match self {
            Metric::NewConnections | Metric::Destinations => 10_000,
            Metric::Packets => 100_000,
            Metric::Bandwidth => 10_000_000,
            Metric::SessionTime => Action::LONGEST,
        }
    }

    /// The largest burst: a hash limit takes a million at the most (`XT_HASHLIMIT_BURST_MAX`).
    pub fn most_at_once(self) -> u32 {
        match self {
            Metric::NewConnections | Metric::Destinations => 10_000,
            Metric::Packets => 1_000_000,
            Metric::Bandwidth => 10_000_000,
            Metric::SessionTime => 1,
        }
    }

    /// True if each packet is counted, those of known connections too.
    pub fn counts_known(self) -> bool {
        match self {
            Metric::Packets | Metric::Bandwidth => true,
            Metric::NewConnections | Metric::Destinations | Metric::SessionTime => false,
        }
    }
}

impl Guard {
    /// The seconds that a session may last, if that is what it guards.
    pub fn session_seconds(&self) -> Option<u32> {
        let Rate { count, unit, .. } = self.rate;
        (self.metric == Metric::SessionTime).then(|| count.saturating_mul(unit.seconds()))
    }
}

impl Rate {
    /// The seconds in which an empty bucket is full again, rounded up.
    pub fn seconds_to_refill(self) -> u32 {
        self.burst.saturating_mul(self.unit.seconds()).div_ceil(self.count.max(1))
    }
}

impl RateUnit {
    /// All that a rate counts by, each with its word.
    pub const ALL: [(&'static str, RateUnit); 3] =
        [("second", RateUnit::Second), ("minute", RateUnit::Minute), ("hour", RateUnit::Hour)];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            RateUnit::Second => "second",
            RateUnit::Minute => "minute",
            RateUnit::Hour => "hour",
            RateUnit::Day => "day",
        }
    }

    /// Its seconds.
    pub fn seconds(self) -> u32 {
        match self {
            RateUnit::Second => 1,
            RateUnit::Minute => 60,
            RateUnit::Hour => 3_600,
            RateUnit::Day => 86_400,
        }
    }
}

impl Action {
    /// The longest quarantine and the longest isolation, in seconds: a week.
    pub const LONGEST: u32 = 7 * 86_400;

    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Alert => "alert",
            Action::Limit => "limit",
            Action::Quarantine { .. } => "quarantine",
            Action::Isolate { .. } => "isolate",
        }
    }

    /// True if it drops anything.
    pub fn cuts(&self) -> bool {
        *self != Action::Alert
    }
}

impl Policy {
    /// Whether an enforcement point with a target owes a guard.
    ///
    /// # Errors
    /// Why its target cannot keep the guard.
    pub fn keeps(&self, target: &str, guard: &Guard) -> Result<(), &'static str> {
        match target {
            "nftables" => Ok(()),
            "iptables" | "pfsense" if guard.metric == Metric::SessionTime => {
                Err("only nftables is told when a session began")
            }
            "iptables" => kept_by_iptables(self, guard),
            "pfsense" => kept_by_pfsense(self, guard),
            "cisco-ios" => Err("access lists count nothing"),
            _ => Err("guards are not compiled for this target"),
        }
    }
}

/// The two families have tables, and so counts, of their own.
fn kept_by_iptables(policy: &Policy, guard: &Guard) -> Result<(), &'static str> {
    let is_of_both = match &guard.subject {
        Subject::Sources(sources) => !sources.v4.is_empty() && !sources.v6.is_empty(),
        Subject::Rule(rule) => {
            let packets = policy[*rule].packets();
            !packets.v4.is_empty() && !packets.v6.is_empty()
        }
    };
    if guard.per_source && touches_life(policy, &guard.subject) {
        return Err(
            "a table of hash limits that is full drops new sources, also where it only counts, and lives depend on these",
        );
    }
    if is_of_both && !guard.per_source {
        return Err("iptables counts IPv4 and IPv6 apart, so it can count for each source only");
    }
    if is_of_both && matches!(guard.action, Action::Isolate { .. }) {
        return Err("iptables cuts IPv4 and IPv6 off apart, so it can isolate what is of one family only");
    }
    if guard.rate.seconds_to_refill() > IPTABLES_REFILL {
        return Err("a bucket of iptables holds what comes in a day at the most; a smaller burst would fit");
    }
    if guard.metric == Metric::Packets && !is_near_on_iptables(guard.rate) {
        return Err(
            "iptables counts whole microseconds between two packets, which is too far from this rate",
        );
    }
    if guard.metric == Metric::Destinations && guard.action == Action::Limit {
        return Err(
            "iptables lets a second attempt through; it can quarantine who goes to too many destinations",
        );
    }
    Ok(())
}

/// True if lives depend on something of what a guard counts.
fn touches_life(policy: &Policy, subject: &Subject) -> bool {
    let counted: Vec<&AddressSet> = match subject {
        Subject::Sources(sources) => vec![sources],
        Subject::Rule(rule) => vec![&policy[*rule].from.addresses, &policy[*rule].to.addresses],
    };
    let zones = policy.zones.iter().map(|zone| (zone.criticality, &zone.addresses));
    let endpoints = policy.endpoints.iter().map(|endpoint| (endpoint.criticality, &endpoint.addresses));
    zones.chain(endpoints).any(|(criticality, addresses)| {
        criticality == Some(Criticality::Life) && counted.iter().any(|one| !one.is_disjoint(addresses))
    })
}

/// True if the rate that a hash limit makes of a rate is not far from it.
fn is_near_on_iptables(rate: Rate) -> bool {
    let unit = u64::from(rate.unit.seconds()) * 1_000_000;
    let between = unit / u64::from(rate.count.max(1));
    between > 0 && unit * 100 <= between * u64::from(rate.count) * (100 + IPTABLES_ROUNDING)
}

fn kept_by_pfsense(policy: &Policy, guard: &Guard) -> Result<(), &'static str> {
    match guard.metric {
        Metric::NewConnections => {}
        Metric::Packets | Metric::Bandwidth | Metric::Destinations | Metric::SessionTime => {
            return Err("pfSense counts connections only");
        }
    }
    let Subject::Rule(rule) = guard.subject else { return Err("pfSense counts for a rule, not for a zone") };
    match guard.action {
        Action::Quarantine { seconds } if seconds >= PFSENSE_QUARANTINE => {}
        Action::Quarantine { .. } => {
            return Err("pfSense keeps a source out for one to two hours; a quarantine of 2 hours would fit");
        }
        Action::Alert | Action::Limit | Action::Isolate { .. } => return Err("pfSense can only quarantine"),
    }
    let tcp = ServiceSet::protocol(TCP);
    if policy[rule].services.is_subset(&tcp) { Ok(()) } else { Err("pfSense counts TCP only") }
}
