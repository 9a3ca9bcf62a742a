//! Packets as products of sources, destinations and services, in the words of a policy.

use serde::Serialize;

use crate::diff::{Names, Party};
use crate::set::{AddressSet, PacketSet, PerFamily, ServiceSet, Set, rectangles};

/// All packets from some addresses to others over some services.
pub(super) struct Piece {
    pub(super) from: AddressSet,
    pub(super) to: AddressSet,
    pub(super) services: ServiceSet,
}

/// What may pass, or is said of packets, from some parties to others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Flow {
    /// Who opens the connections.
    pub from: Vec<Party>,
    /// Who accepts them.
    pub to: Vec<Party>,
    /// `both`, `IPv4` or `IPv6`.
    pub family: &'static str,
    /// Over what.
    pub services: String,
}

/// Packets as disjoint products of one family each.
pub(super) fn pieces(packets: &PacketSet) -> Vec<Piece> {
    let v4 = rectangles(&packets.v4).into_iter().map(|one| Piece {
        from: PerFamily { v4: one.sources, v6: Set::empty() },
        to: PerFamily { v4: one.destinations, v6: Set::empty() },
        services: PerFamily { v4: one.traffic, v6: Set::empty() },
    });
    let v6 = rectangles(&packets.v6).into_iter().map(|one| Piece {
        from: PerFamily { v4: Set::empty(), v6: one.sources },
        to: PerFamily { v4: Set::empty(), v6: one.destinations },
        services: PerFamily { v4: Set::empty(), v6: one.traffic },
    });
    v4.chain(v6).collect()
}

impl Piece {
    pub(super) fn packets(&self) -> PacketSet {
        PacketSet::product(&self.from, &self.to, &self.services)
    }

    /// It in words.
    pub(super) fn flow(&self, names: &Names) -> Flow {
        let packets = self.packets();
        // A family in which nothing is open has no part in the names either.
        let (v4, v6) = (!packets.v4.is_empty(), !packets.v6.is_empty());
        let only = |set: &AddressSet| AddressSet {
            v4: if v4 { set.v4.clone() } else { Set::empty() },
            v6: if v6 { set.v6.clone() } else { Set::empty() },
        };
        let services = ServiceSet {
            v4: if v4 { self.services.v4.clone() } else { Set::empty() },
            v6: if v6 { self.services.v6.clone() } else { Set::empty() },
        };
        Flow {
            from: names.parties(&only(&self.from)),
            to: names.parties(&only(&self.to)),
            family: family(&packets),
            services: services.to_string(),
        }
    }
}

/// Packets in words: sorted, with one flow for both families where they are alike.
pub(super) fn flows(names: &Names, packets: &PacketSet) -> Vec<Flow> {
    let mut all: Vec<Flow> = pieces(packets).iter().map(|piece| piece.flow(names)).collect();
    all.sort();
    let mut joined: Vec<Flow> = Vec::new();
    for flow in all {
        let same = |known: &&mut Flow| {
            known.family != flow.family
                && known.family != "both"
                && Flow { family: flow.family, ..(**known).clone() } == flow
        };
        match joined.iter_mut().find(same) {
            Some(known) => known.family = "both",
            None => joined.push(flow),
        }
    }
    joined
}

fn family(packets: &PacketSet) -> &'static str {
    match (packets.v4.is_empty(), packets.v6.is_empty()) {
        (true, _) => "IPv6",
        (false, true) => "IPv4",
        (false, false) => "both",
    }
}

/// In words, for people.
impl std::fmt::Display for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |parties: &[Party]| parties.iter().map(Party::to_string).collect::<Vec<_>>().join("; ");
        write!(f, "{} ", list(&self.from))?;
        if !self.to.is_empty() {
            write!(f, "to {} ", list(&self.to))?;
        }
        write!(f, "via {}", self.services)?;
        if self.family == "both" { Ok(()) } else { write!(f, " ({} only)", self.family) }
    }
}
