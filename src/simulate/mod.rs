//! What a policy would do with recorded flows.
//!
//! In: a policy, and flows one after the other ([`Simulation::take`]). Out: a [`Report`]: how many would be allowed, blocked
//! or seen by no firewall, row by row for each two parties and each service, with the statement behind it; and if asked for,
//! statements that would allow what is blocked ([`Suggestion`]). A verdict here is the one of [`crate::ir::Decider`], found
//! by an index, and at the time of the flow where a rule has a schedule.

mod cells;
mod clock;
mod human;
mod judge;
mod merge;
mod pair;
mod report;
mod suggest;
mod tally;
mod write;

pub use human::human;
pub use judge::Verdict;
pub use report::{Count, Replies, Report, Row, Statement};
pub use suggest::Suggestion;
pub use tally::Simulation;
pub use write::Placeholders;
