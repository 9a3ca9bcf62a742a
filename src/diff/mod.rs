//! What changes between two policies: in access first, then in everything else that they say.
//!
//! In: two policies. Out: rows of what is opened and closed, which together are exactly the packets that pass in one and
//! not in the other; never a difference by names alone, so a refactoring shows none. See docs/diff.md.

mod access;
mod cause;
mod change;
mod human;
mod markdown;
mod others;
mod output;
mod party;
mod row;
mod time;
mod words;

use serde::Serialize;

pub use self::cause::Cause;
pub use self::markdown::markdown;
pub use self::others::Other;
pub use self::output::{DeviceChange, device_changes};
pub(crate) use self::party::Names;
pub use self::party::Party;
pub use self::row::Row;
pub use self::time::When;

use self::access::Ready;
use self::cause::Pair;
use self::change::differences;
use crate::ir::Policy;
use crate::source::Sources;

/// A policy, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Version<'p> {
    /// What it means.
    pub policy: &'p Policy,
    /// Its text.
    pub sources: &'p Sources,
}

/// What changes in access. Marked rows come first, then by zones and names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccessChange {
    /// What passes in the new policy and did not in the old one.
    pub opened: Vec<Row>,
    /// What passed in the old policy and does not in the new one.
    pub closed: Vec<Row>,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// In access.
    pub access: AccessChange,
    /// In what else the policy says.
    pub others: Vec<Other>,
    /// In the output of enforcement points.
    pub devices: Vec<DeviceChange>,
    /// Why output is not compared, if it is not.
    pub uncompared: Vec<String>,
}

impl Change {
    /// True if other connections are open, or others may administer enforcement points.
    pub fn changes_access(&self) -> bool {
        !self.access.is_empty() || self.others.iter().any(|other| other.administers)
    }
}

impl AccessChange {
    /// True if the same packets pass at the same times.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }
}

/// Compares two policies, with the output that each is compiled into.
pub fn change(old: Version, new: Version, devices: Vec<DeviceChange>, uncompared: Vec<String>) -> Change {
    let (access, others) = (access_change(old, new), others::others(old.policy, new.policy));
    Change { access, others, devices, uncompared }
}

/// Compares the access of two policies.
pub fn access_change(old: Version, new: Version) -> AccessChange {
    let (before, after) = (Ready::new(old.policy), Ready::new(new.policy));
    let opened = Pair {
        more: &after,
        less: &before,
        more_sources: new.sources,
        less_sources: old.sources,
        opens: true,
    };
    let closed = Pair {
        more: &before,
        less: &after,
        more_sources: old.sources,
        less_sources: new.sources,
        opens: false,
    };
    AccessChange { opened: rows(&opened), closed: rows(&closed) }
}

fn rows(pair: &Pair) -> Vec<Row> {
    let names = Names::new(pair.more.policy);
    let found = differences(pair.more, pair.less);
    let mut rows: Vec<Row> =
        found.iter().flat_map(|difference| row::rows(difference, pair, &names)).collect();
    rows.sort_by(|one, other| {
        let key = |row: &Row| (row.marks.is_empty(), row.from.clone(), row.to.clone());
        key(one)
            .cmp(&key(other))
            .then_with(|| one.ports.cmp(&other.ports))
            .then_with(|| one.during.cmp(&other.during))
    });
    rows
}
