//! Statements of which other statements hold all packets.
//!
//! The longest way to look at it is the surest: one statement after the other is taken out, and what is found redundant stays
//! out while the rest is looked at. So all that is found can be removed at once, and whatever is then left is needed.

use std::collections::BTreeSet;

use super::claim::{Claim, Kind, Piece, Place};
use super::cover::Covers;

/// Covers of one claim that are tried without each other, so that those named are all needed.
const TRIED: usize = 16;

/// The pieces of each claim, with their places.
pub(super) type Own<'c> = Vec<Vec<(Place, &'c Piece<'c>)>>;

/// The pieces of all claims by claim.
pub(super) fn own<'c>(covers: &Covers<'c>) -> Own<'c> {
    let mut own: Own = covers.claims.iter().map(|_| Vec::new()).collect();
    for (place, pieces) in covers.pieces {
        for piece in pieces {
            if let Some(of_claim) = own.get_mut(piece.claim) {
                of_claim.push((*place, piece));
            }
        }
    }
    own
}

/// The claims that are redundant, each with those of the others that hold its packets; none of these is redundant.
///
/// Those that one other claim holds go first, then those that several hold together: where a wide statement and narrow ones
/// that are its parts say the same, it is the narrow ones that are found. Of two that say the same it is the one that
/// decides last.
pub(super) fn redundant(covers: &Covers, own: &Own) -> Vec<(usize, BTreeSet<usize>)> {
    let mut out = BTreeSet::new();
    let candidates = || covers.claims.iter().zip(own).enumerate().rev();
    let mut undecided = Vec::new();
    for (number, (claim, pieces)) in candidates().filter(|(_, (claim, _))| !claim.is_named) {
        match alone(covers, number, claim, pieces, &out) {
            Alone::Covered => {
                out.insert(number);
            }
            Alone::Never => {}
            Alone::Perhaps => undecided.push((number, claim, pieces)),
        }
    }
    for (number, claim, pieces) in undecided {
        let may = |other: usize| other != number && !out.contains(&other) && serves(covers, other, claim);
        if all(covers, pieces, claim, &may).is_some() {
            out.insert(number);
        }
    }
    let found = out.iter().filter_map(|number| {
        let (claim, pieces) = (covers.claims.get(*number)?, own.get(*number)?);
        Some((*number, needed(covers, claim, pieces, &out)))
    });
    found.collect()
}

/// What one other claim can do for one.
enum Alone {
    /// It holds all packets.
    Covered,
    /// No one does; several may.
    Perhaps,
    /// There is a packet that no other claim holds, or nothing that could be held.
    Never,
}

fn alone(
    covers: &Covers,
    number: usize,
    claim: &Claim,
    pieces: &[(Place, &Piece)],
    out: &BTreeSet<usize>,
) -> Alone {
    let is_forbid = |other: usize| takes_from(covers, other, claim);
    let left = pieces.iter().find_map(|(place, piece)| {
        let left = covers.cover(*place, piece, claim.services, &is_forbid).err()?;
        Some((*place, left.0))
    });
    let Some((place, packet)) = left else { return Alone::Never };
    let serving = covers.holders(place, &packet).map(|piece| piece.claim);
    let serving = serving.filter(|other| {
        *other != number && !out.contains(other) && !is_forbid(*other) && serves(covers, *other, claim)
    });
    let mut found = Alone::Never;
    for other in serving {
        let may = |used: usize| used == other || is_forbid(used);
        if all(covers, pieces, claim, &may).is_some() {
            return Alone::Covered;
        }
        found = Alone::Perhaps;
    }
    found
}

/// True if a claim can be used to cover another: it stands for it, or forbids what the other would allow.
pub(super) fn serves(covers: &Covers, other: usize, claim: &Claim) -> bool {
    covers.claims.get(other).is_some_and(|other| other.stands_for(claim)) || takes_from(covers, other, claim)
}

/// True if a claim is a forbid and the other an allow.
pub(super) fn takes_from(covers: &Covers, other: usize, claim: &Claim) -> bool {
    claim.kind == Kind::Allow && covers.claims.get(other).is_some_and(|other| other.kind == Kind::Forbid)
}

/// The claims that hold all pieces, if they do.
fn all(
    covers: &Covers,
    pieces: &[(Place, &Piece)],
    claim: &Claim,
    may: &dyn Fn(usize) -> bool,
) -> Option<BTreeSet<usize>> {
    let mut used = BTreeSet::new();
    for (place, piece) in pieces {
        used.extend(covers.cover(*place, piece, claim.services, may).ok()?);
    }
    Some(used)
}

/// The claims that hold a redundant one, without those that are not needed for it.
fn needed(
    covers: &Covers,
    claim: &Claim,
    pieces: &[(Place, &Piece)],
    out: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let may = |other: usize| !out.contains(&other) && serves(covers, other, claim);
    let mut used = all(covers, pieces, claim, &may).unwrap_or_default();
    used.retain(|other| !takes_from(covers, *other, claim));
    if used.len() > TRIED {
        return used;
    }
    for other in used.clone() {
        let without =
            |tried: usize| tried != other && (used.contains(&tried) || takes_from(covers, tried, claim));
        if all(covers, pieces, claim, &without).is_some() {
            used.remove(&other);
        }
    }
    used
}
