//! The proof that a config means what its policy says, for all packets.
//!
//! In: a policy, an enforcement point, and the model that a reader made of its config. Out: nothing, or where the two
//! differ, with packets that show it. Both sides become diagrams over the same variables (see `diagram`), so that equal
//! meaning is equality of diagrams; nothing is sampled. Neither side has been through the planner or an emitter: the
//! policy is taken from its statements, the config from its text.

mod bounds;
mod device;
mod diagram;
mod expected;
mod guard;
mod judge;
mod meaning;
mod platform;
mod session;
mod space;
mod storm;
#[cfg(test)]
mod tests;
mod trace;
mod walk;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

pub use self::device::{ConfigFile, Unreadable, Verdict, files_read, prove};
use self::expected::Expected;
use self::platform::Platform;
pub use self::storm::StormDifference;
pub use self::trace::{Config, Followed, Line, Passage, ReadBack, Step, read_back};
pub use self::witness::Witness;
use crate::ir::{DeviceId, InterfaceId, Policy, Topology, ZoneId};
use crate::parallel::both;
use crate::read::{Family, Model};

/// What a config lets pass that its policy does not, or the other way round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The config accepts what the policy does not allow.
    Opened,
    /// The config does not accept what the policy allows, or what connections need that it allows.
    Closed,
}

/// A difference between a config and its policy, between two interfaces or from one to the device itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// What kind of difference it is.
    pub kind: Kind,
    /// The family of the packets.
    pub family: Family,
    /// The interface that they arrive on.
    pub arrives: String,
    /// The interface that they leave by; none if they are for the device itself.
    pub leaves: Option<String>,
    /// The state of connection tracking in which they are seen: `new`, `established`, `related`, `invalid` or `untracked`.
    pub state: &'static str,
    /// How many packets differ, told apart by all that a policy or a config can look at, as nearly as a floating-point
    /// number can say.
    pub packets: f64,
    /// Some of them, at most [`WITNESSES`].
    pub witnesses: Vec<Witness>,
}

/// The largest number of packets that show one difference.
pub const WITNESSES: usize = 10;

/// What came of comparing a config with its policy.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Comparison {
    /// How many sets of packets, and ports, were compared.
    pub compared: usize,
    /// Where the two differ; nothing if they mean the same.
    pub differences: Vec<Difference>,
    /// Where ports differ in what they do in storms.
    pub storms: Vec<StormDifference>,
}

impl Comparison {
    /// True if the config means what the policy says.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.storms.is_empty()
    }

    fn add(&mut self, other: Comparison) {
        self.compared += other.compared;
        self.differences.extend(other.differences);
        self.storms.extend(other.storms);
    }
}

/// An enforcement point in its policy.
struct Place<'p> {
    policy: &'p Policy,
    device: DeviceId,
    /// The pairs of zones between which packets go from one interface to another.
    pairs: BTreeMap<(InterfaceId, InterfaceId), BTreeSet<(ZoneId, ZoneId)>>,
    /// The zones from which packets arrive on each interface, and to which they leave by it.
    arrivals: BTreeMap<InterfaceId, BTreeSet<ZoneId>>,
    departures: BTreeMap<InterfaceId, BTreeSet<ZoneId>>,
}

impl<'p> Place<'p> {
    fn new(policy: &'p Policy, device: DeviceId) -> Self {
        let topology = Topology::new(policy);
        let mut pairs: BTreeMap<_, BTreeSet<(ZoneId, ZoneId)>> = BTreeMap::new();
        for from in policy.zone_ids() {
            for to in policy.zone_ids().filter(|to| *to != from) {
                let crossings = topology.crossings(from, to).into_iter();
                for crossing in crossings.filter(|crossing| crossing.device == device) {
                    pairs.entry((crossing.from, crossing.to)).or_default().insert((from, to));
                }
            }
        }
        let own = |zones: BTreeMap<(DeviceId, InterfaceId), BTreeSet<ZoneId>>| {
            let own = zones.into_iter().filter(|((owner, _), _)| *owner == device);
            own.map(|((_, interface), zones)| (interface, zones)).collect()
        };
        let (arrivals, departures) = (own(topology.arrivals()), own(topology.departures()));
        Place { policy, device, pairs, arrivals, departures }
    }

    /// An interface of the device by its name.
    fn interface(&self, name: &str) -> Option<InterfaceId> {
        let interfaces = &self.policy[self.device].interfaces;
        interfaces.iter().position(|interface| interface.name == name).map(InterfaceId)
    }
}

/// What a policy says of both families.
type BothExpected = (Expected<u32>, Expected<u128>);

/// Works out what an enforcement point is to do.
fn expected(policy: &Policy, device: DeviceId, platform: &Platform) -> BothExpected {
    let device = &policy[device];
    both(
        || Expected::new(policy, device, Family::V4, platform),
        || Expected::new(policy, device, Family::V6, platform),
    )
}

/// Compares what the configs of an enforcement point accept with what it is to do. Each model speaks of families that no
/// other does.
fn compare(
    policy: &Policy,
    device: DeviceId,
    expected: BothExpected,
    models: &[Model],
    platform: &Platform,
) -> Comparison {
    let place = Place::new(policy, device);
    // A family of which no config speaks is not filtered at all.
    let nothing = Model::default();
    let model = |family| models.iter().find(|model| model.families.contains(&family)).unwrap_or(&nothing);
    let (expected4, expected6) = expected;
    let (mut comparison, other) = both(
        || judge::compare(&place, expected4, model(Family::V4), platform),
        || judge::compare(&place, expected6, model(Family::V6), platform),
    );
    comparison.add(other);
    comparison.add(storm::compare(&policy[device], models));
    comparison
}
