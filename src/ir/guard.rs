//! Guards: what happens when something opens more connections than it should.

use super::{About, Policy, RuleIndex, Span};
use crate::set::{AddressSet, ServiceSet, Set};

/// The protocol number of TCP (RFC 9293).
const TCP: u8 = 6;

/// How long pfSense keeps a source that made too many connections, at the most, in seconds: what clears the table looks
/// once an hour for sources that have been in it for an hour (targets/pfsense/NOTES.md).
const PFSENSE_QUARANTINE: u32 = 7_200;

/// A guard statement.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Its name: what it guards and what it does, such as `lab-limit`.
    pub id: String,
    /// Whose connections it counts.
    pub subject: Subject,
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

/// A rate of connections, as a bucket that holds `burst`, and into which `count` come in each `unit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many in a unit: 1 to [`Rate::MOST`].
    pub count: u32,
    /// The unit.
    pub unit: RateUnit,
    /// How many at once: 1 to [`Rate::MOST`].
    pub burst: u32,
}

/// What a rate counts by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RateUnit {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
}

/// What a guard does with what is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
}

impl Rate {
    /// The largest count and the largest burst: the kernel's limits of rates take 10,000 in a second.
    pub const MOST: u32 = 10_000;

    /// The seconds in which an empty bucket is full again, rounded up.
    pub fn seconds_to_refill(self) -> u32 {
        self.burst.saturating_mul(self.unit.seconds()).div_ceil(self.count.max(1))
    }
}

impl RateUnit {
    /// All, each with its word.
    pub const ALL: [(&'static str, RateUnit); 3] =
        [("second", RateUnit::Second), ("minute", RateUnit::Minute), ("hour", RateUnit::Hour)];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            RateUnit::Second => "second",
            RateUnit::Minute => "minute",
            RateUnit::Hour => "hour",
        }
    }

    /// Its seconds.
    pub fn seconds(self) -> u32 {
        match self {
            RateUnit::Second => 1,
            RateUnit::Minute => 60,
            RateUnit::Hour => 3_600,
        }
    }
}

impl Action {
    /// The longest quarantine, in seconds: a week.
    pub const LONGEST: u32 = 7 * 86_400;

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Action::Alert => "alert",
            Action::Limit => "limit",
            Action::Quarantine { .. } => "quarantine",
        }
    }

    /// True if it drops anything.
    pub fn cuts(self) -> bool {
        self != Action::Alert
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
    if is_of_both && !guard.per_source {
        return Err("iptables counts IPv4 and IPv6 apart, so it can count for each source only");
    }
    Ok(())
}

fn kept_by_pfsense(policy: &Policy, guard: &Guard) -> Result<(), &'static str> {
    let Subject::Rule(rule) = guard.subject else { return Err("pfSense counts for a rule, not for a zone") };
    match guard.action {
        Action::Quarantine { seconds } if seconds >= PFSENSE_QUARANTINE => {}
        Action::Quarantine { .. } => {
            return Err("pfSense keeps a source out for one to two hours; a quarantine of 2 hours would fit");
        }
        Action::Alert | Action::Limit => return Err("pfSense can only quarantine"),
    }
    let tcp = ServiceSet::protocol(TCP);
    if policy[rule].services.is_subset(&tcp) { Ok(()) } else { Err("pfSense counts TCP only") }
}
