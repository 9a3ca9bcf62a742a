//! From configs back to what they mean.
//!
//! In: the text of a config, as cordon made it or as a device shows it. Out: a [`Model`], which says in one form for all
//! platforms what happens to packets, and what could not be understood. Nothing here knows how configs are made: a
//! reader that shared code with an emitter would prove nothing. Nothing is skipped: a line is understood, or stands on
//! the reader's written list of what cannot affect filtering, or is a [`Mistake`].

pub mod cisco_ios;
pub mod iptables;
mod model;
pub mod nftables;
pub mod pfsense;
mod place;

pub use model::{
    Action, Chain, ChainId, Condition, Family, Filter, Interfaces, Lines, Match, Mistake, Model, PacketBox,
    Paths, Reading, Rule, States, StormControl, StormLevel,
};
