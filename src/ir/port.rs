//! Ports of a switch, and the rates above which frames of a kind are a storm there.

use super::{Span, ZoneId};

/// A port of a switch that devices of a zone are plugged into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// Its name in full, as the switch shows it: `GigabitEthernet1/0/1`.
    pub name: String,
    /// The zone.
    pub zone: ZoneId,
    /// For each kind of [`StormKind::ALL`], how many frames a second may come in by it before they are a storm and are
    /// dropped. Where there is no number the switch counts nothing.
    pub levels: [Option<u32>; StormKind::ALL.len()],
    /// Where it is named.
    pub span: Span,
}

/// Frames that a switch hands on to all ports of a network, or to many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StormKind {
    /// To everybody.
    Broadcast,
    /// To a group.
    Multicast,
}

impl StormKind {
    /// All kinds.
    pub const ALL: [StormKind; 2] = [StormKind::Broadcast, StormKind::Multicast];

    /// What it is called, in policies and by Cisco.
    pub fn word(self) -> &'static str {
        match self {
            StormKind::Broadcast => "broadcast",
            StormKind::Multicast => "multicast",
        }
    }
}

impl Port {
    /// The most ports that a switch may have here. A stack of nine units with 56 ports each has 504.
    pub const MOST: usize = 1_024;

    /// The highest rate that can be said, in frames a second. A link of 10 Gbit/s carries 14.9 million of the smallest.
    pub const FASTEST: u32 = 15_000_000;

    /// The kinds that are limited here, each with its rate.
    pub fn storms(&self) -> impl Iterator<Item = (StormKind, Option<u32>)> + use<> {
        StormKind::ALL.into_iter().zip(self.levels)
    }
}
