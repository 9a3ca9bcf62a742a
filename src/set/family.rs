//! A set in each address family, kept apart so that nothing said of one leaks into the other.

use super::Set;

/// A set over IPv4 and a set over IPv6. The operations work on each family by itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PerFamily<V4, V6> {
    /// The IPv4 members.
    pub v4: V4,
    /// The IPv6 members.
    pub v6: V6,
}

impl<V4: Set, V6: Set> Default for PerFamily<V4, V6> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<V4: Set, V6: Set> Set for PerFamily<V4, V6> {
    fn empty() -> Self {
        PerFamily { v4: V4::empty(), v6: V6::empty() }
    }

    fn full() -> Self {
        PerFamily { v4: V4::full(), v6: V6::full() }
    }

    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    fn union(&self, other: &Self) -> Self {
        PerFamily { v4: self.v4.union(&other.v4), v6: self.v6.union(&other.v6) }
    }

    fn intersection(&self, other: &Self) -> Self {
        PerFamily { v4: self.v4.intersection(&other.v4), v6: self.v6.intersection(&other.v6) }
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.v4.is_disjoint(&other.v4) && self.v6.is_disjoint(&other.v6)
    }

    fn difference(&self, other: &Self) -> Self {
        PerFamily { v4: self.v4.difference(&other.v4), v6: self.v6.difference(&other.v6) }
    }
}
