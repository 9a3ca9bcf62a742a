//! The diagrams of the proof, and what a policy allows as one of them.

#[path = "../../../../src/prove/bounds.rs"]
#[allow(dead_code, reason = "the proof needs more than is measured")]
mod bounds;
#[path = "../../../../src/prove/diagram.rs"]
#[allow(dead_code, reason = "the proof needs more than is measured")]
mod diagram;
#[path = "../../../../src/prove/expected.rs"]
#[allow(dead_code, reason = "the proof needs more than is measured")]
mod expected;
#[path = "../../../../src/prove/platform.rs"]
#[allow(dead_code, reason = "the proof needs more than is measured")]
mod platform;
#[path = "../../../../src/prove/space.rs"]
#[allow(dead_code, reason = "the proof needs more than is measured")]
mod space;

use std::collections::BTreeSet;

use cordon::ir::Policy;
use cordon::read::Family;

use self::diagram::Id;
use self::expected::{Time, Way, allowed};
use self::space::Space;
use crate::Taken;
use crate::speed::timed;

/// Measures interval diagrams.
pub(crate) fn measure(policy: &Policy, fewer: &Policy) -> Taken {
    let mut space = Space::<u32>::new(Family::V4);
    let nothing = BTreeSet::new();
    let mut set = |policy| allowed(&mut space, policy, Time::Own, Way::Forth, &nothing);
    let (all, build) = timed(|| set(policy));
    let some = set(fewer);
    let diagrams = &mut space.diagrams;
    let (differ, compare) = timed(|| [diagrams.without(all, some), diagrams.without(some, all)]);
    assert!(differ[0] != Id::NONE && differ[1] == Id::NONE);
    let (nodes, edges) = diagrams.size(all);
    Taken {
        nodes,
        edges,
        // A node is a variable of 16 bits and two places of 32, an edge an address and a place.
        kibibytes: (nodes * 12 + edges * 8) / 1024,
        build_seconds: build.as_secs_f64(),
        compare_seconds: compare.as_secs_f64(),
    }
}
