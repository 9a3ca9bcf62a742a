//! What the network says back: how often statements were used, by the counters of devices, and what firewalls logged, in
//! the words of the policy.
//!
//! In: text that devices show, and the policy with the files that it compiles to. Out: counts by statement
//! ([`hits()`]), and packets by who they are and what the policy says of them ([`log`]). Nothing is guessed: a counter
//! that is not there is not a count of zero, and a name that could stand for two statements stands for neither.

mod cisco_ios;
mod compiled;
mod counter;
mod hits;
mod hits_text;
mod iptables;
pub mod log;
mod nftables;
mod pfsense;

pub use compiled::{Compiled, Owner};
pub use counter::{Counter, Dump, Form, Unreadable, detect, read};
pub use hits::{Count, DeviceHits, Given, Hits, State, StatementHits, hits};
pub use hits_text::{comma_separated, human};
