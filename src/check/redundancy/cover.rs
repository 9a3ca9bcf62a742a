//! Whether other claims together hold all packets of a piece.
//!
//! A packet of the piece is looked for in the others. If none holds it, that is the answer, which is so for most pieces at
//! the first packet. If one does, all that it holds is taken away, and a packet of what is left is looked for. So nothing is
//! put together of claims that do not meet the piece, and each claim is looked at once at the most.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::claim::{Claim, Piece, Pieces, Place};
use crate::set::{
    AddressSet, Interval, IntervalSet, Overlaps, Packet, PacketSet, ServiceSet, Set, Traffic, traffic_boxes,
};

/// Pieces of one place that are looked through one by one.
const FEW: usize = 16;

/// How many overlaps in one dimension are tried before another dimension is asked.
const STEPS: [usize; 3] = [64, 1_024, usize::MAX];

/// All claims and their pieces, made ready to be searched.
pub(super) struct Covers<'a> {
    pub(super) claims: &'a [Claim<'a>],
    pub(super) pieces: &'a Pieces<'a>,
    indices: BTreeMap<Place, Index>,
}

/// The pieces of one place by what they overlap in each dimension.
struct Index {
    sources: Overlaps,
    destinations: Overlaps,
    services: Overlaps,
}

/// A packet of a piece that no claim holds.
pub(super) struct Uncovered(pub(super) Packet);

impl<'a> Covers<'a> {
    /// Prepares all places with more than a few pieces.
    pub(super) fn new(claims: &'a [Claim<'a>], pieces: &'a Pieces<'a>) -> Self {
        let many = pieces.iter().filter(|(_, pieces)| pieces.len() > FEW);
        let index = |pieces: &[Piece]| {
            let services = pieces.iter().filter_map(|piece| claims.get(piece.claim));
            let services: Vec<AddressSet> = services.map(|claim| numbers(claim.services)).collect();
            Index {
                sources: Overlaps::new(pieces.iter().map(|piece| piece.sources.as_ref())),
                destinations: Overlaps::new(pieces.iter().map(|piece| piece.destinations.as_ref())),
                services: Overlaps::new(services.iter()),
            }
        };
        let indices = many.map(|(place, pieces)| (*place, index(pieces))).collect();
        Covers { claims, pieces, indices }
    }

    /// The claims that together hold all packets of a piece over some services, of those that `may` be used.
    ///
    /// # Errors
    /// A packet that none of them holds.
    pub(super) fn cover(
        &self,
        place: Place,
        piece: &Piece,
        services: &ServiceSet,
        may: &dyn Fn(usize) -> bool,
    ) -> Result<BTreeSet<usize>, Uncovered> {
        let mut used = BTreeSet::new();
        let mut left = piece.packets(services);
        while let Some(packet) = left.sample() {
            let holder = self.holders(place, &packet).find(|holder| may(holder.claim));
            let Some((holder, claim)) =
                holder.and_then(|holder| Some((holder, self.claims.get(holder.claim)?)))
            else {
                return Err(Uncovered(packet));
            };
            used.insert(holder.claim);
            left = take(&left, piece, holder, claim.services);
        }
        Ok(used)
    }

    /// The pieces of a place that certainly hold a packet, in the order of their claims.
    pub(super) fn holders(&self, place: Place, packet: &Packet) -> impl Iterator<Item = &'a Piece<'a>> {
        let pieces = self.pieces.get(&place).map_or(&[][..], Vec::as_slice);
        let near = match self.indices.get(&place) {
            Some(index) => index.near(packet),
            None => (0..pieces.len()).collect(),
        };
        let packet = *packet;
        let claims = self.claims;
        near.into_iter().filter_map(move |number| pieces.get(number)).filter(move |piece| {
            let services = claims.get(piece.claim).map(|claim| claim.services);
            piece.is_certain && services.is_some_and(|services| piece.contains(&packet, services))
        })
    }
}

/// What a holder leaves of a part of a piece. Its sides are cut to those of the piece first, so that one that holds many
/// addresses costs no more than the piece has.
fn take(left: &PacketSet, piece: &Piece, holder: &Piece, services: &ServiceSet) -> PacketSet {
    let sources = holder.sources.intersection(&piece.sources);
    let destinations = holder.destinations.intersection(&piece.destinations);
    left.difference(&PacketSet::product(&sources, &destinations, services))
}

impl Index {
    /// The places of pieces that may hold a packet, found in the dimension in which the fewest overlap it.
    fn near(&self, packet: &Packet) -> Vec<usize> {
        let mut service = ServiceSet::empty();
        let ports = [packet.source_port, packet.destination_port]
            .map(|port| IntervalSet::from_interval(Interval::single(port), true));
        let [source, destination] = &ports;
        let one = ServiceSet::ports(packet.protocol, source, destination);
        if packet.source.is_ipv4() {
            service.v4 = one.v4;
        } else {
            service.v6 = one.v6;
        }
        let asked = [
            (&self.sources, single(packet.source)),
            (&self.destinations, single(packet.destination)),
            (&self.services, numbers(&service)),
        ];
        let found = STEPS.iter().flat_map(|most| asked.iter().map(move |ask| (ask, *most)));
        let mut found = found.filter_map(|((overlaps, set), most)| overlaps.with(set, most));
        found.next().unwrap_or_default()
    }
}

fn single(address: IpAddr) -> AddressSet {
    let mut set = AddressSet::empty();
    match address {
        IpAddr::V4(address) => set.v4 = IntervalSet::from_interval(Interval::single(address.to_bits()), true),
        IpAddr::V6(address) => set.v6 = IntervalSet::from_interval(Interval::single(address.to_bits()), true),
    }
    set
}

/// Services as intervals of one number, protocol before destination port, in each family: as far as an index needs to
/// tell them apart.
pub(super) fn numbers(services: &ServiceSet) -> AddressSet {
    AddressSet {
        v4: numbers_of(&services.v4),
        v6: numbers_of(&services.v6)
            .intervals()
            .map(|run| Interval::spanning(u128::from(run.first()), u128::from(run.last())))
            .collect(),
    }
}

fn numbers_of(traffic: &Traffic) -> IntervalSet<u32> {
    let number = |protocol: u8, port: u16| u32::from(protocol) << 16 | u32::from(port);
    let runs = traffic_boxes(traffic).flat_map(|(protocols, _, ports)| {
        let whole = ports.is_full();
        let each = (protocols.first()..=protocols.last()).filter(move |protocol| {
            // Protocols with all their ports follow one another without a gap.
            !whole || *protocol == protocols.first()
        });
        each.map(move |protocol| {
            let last = if whole { protocols.last() } else { protocol };
            Interval::spanning(number(protocol, ports.first()), number(last, ports.last()))
        })
    });
    runs.collect()
}
