//! Guards: what happens when something opens more connections than it should.

use super::{About, RuleIndex, Span};
use crate::set::AddressSet;

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
