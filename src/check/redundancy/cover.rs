//! Whether other claims together hold all packets of a piece.
//!
//! A packet of the piece is looked for in the others. If none holds it, that is the answer, which is so for most pieces at
//! the first packet. If one does, all that it holds is taken away, and a packet of what is left is looked for. So nothing is
//! put together of claims that do not meet the piece, and each claim is looked at once at the most.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::claim::{Claim, Piece, Pieces, Place};
use crate::set::{
    AddressSet, Interval, IntervalSet, Packet, PacketSet, ProductOverlaps, ServiceSet, Set, Traffic,
};

/// All claims and their pieces, made ready to be searched.
pub(super) struct Covers<'a> {
    pub(super) claims: &'a [Claim<'a>],
    pub(super) pieces: &'a Pieces<'a>,
    indices: BTreeMap<Place, ProductOverlaps>,
}

/// A packet of a piece that no claim holds.
pub(super) struct Uncovered(pub(super) Packet);

impl<'a> Covers<'a> {
    /// Prepares all places.
    pub(super) fn new(claims: &'a [Claim<'a>], pieces: &'a Pieces<'a>) -> Self {
        let index = |pieces: &[Piece]| {
            let sides: Vec<_> = pieces
                .iter()
                .filter_map(|piece| {
                    Some((&*piece.sources, &*piece.destinations, claims.get(piece.claim)?.services))
                })
                .collect();
            ProductOverlaps::new(sides.iter().copied())
        };
        let indices = pieces.iter().map(|(place, pieces)| (*place, index(pieces))).collect();
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
        let near = self.indices.get(&place).map(|index| near(index, packet)).unwrap_or_default();
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

/// The places of pieces that may hold a packet.
fn near(index: &ProductOverlaps, packet: &Packet) -> Vec<usize> {
    let [source, destination] = [packet.source_port, packet.destination_port]
        .map(|port| IntervalSet::from_interval(Interval::single(port), true));
    let mut services = ServiceSet::ports(packet.protocol, &source, &destination);
    if packet.source.is_ipv4() {
        services.v6 = Traffic::empty();
    } else {
        services.v4 = Traffic::empty();
    }
    index.near((&single(packet.source), &single(packet.destination), &services))
}

fn single(address: IpAddr) -> AddressSet {
    let mut set = AddressSet::empty();
    match address {
        IpAddr::V4(address) => set.v4 = IntervalSet::from_interval(Interval::single(address.to_bits()), true),
        IpAddr::V6(address) => set.v6 = IntervalSet::from_interval(Interval::single(address.to_bits()), true),
    }
    set
}
