//! Closed intervals over the integers that addresses, ports and protocols are.

use std::fmt::Debug;
use std::hash::Hash;

/// An integer coordinate: a protocol (`u8`), a port (`u16`), an IPv4 address (`u32`) or an IPv6 address (`u128`).
pub trait Point: Copy + Ord + Hash + Debug {
    /// The smallest value.
    const MIN: Self;
    /// The largest value.
    const MAX: Self;
    /// The next larger value, or `None` at the maximum.
    fn next(self) -> Option<Self>;
    /// The next smaller value, or `None` at the minimum.
    fn previous(self) -> Option<Self>;
}

macro_rules! impl_point {
    ($($integer:ty),*) => {$(
        impl Point for $integer {
            const MIN: Self = <$integer>::MIN;
            const MAX: Self = <$integer>::MAX;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )*};
}
impl_point!(u8, u16, u32, u128);

/// The values from `first` to `last`, both included.
///
/// INVARIANT: `first <= last`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Interval<T> {
    first: T,
    last: T,
}

impl<T: Point> Interval<T> {
    /// All values of the type.
    pub const FULL: Self = Interval { first: T::MIN, last: T::MAX };

    /// The values from `first` to `last`, or `None` if `first > last`.
    pub fn new(first: T, last: T) -> Option<Self> {
        (first <= last).then_some(Interval { first, last })
    }

    /// The values between the two, in whichever order they come.
    pub fn spanning(one: T, other: T) -> Self {
        Interval { first: one.min(other), last: one.max(other) }
    }

    /// The single value.
    pub fn single(value: T) -> Self {
        Interval { first: value, last: value }
    }

    /// The smallest value.
    pub fn first(self) -> T {
        self.first
    }

    /// The largest value.
    pub fn last(self) -> T {
        self.last
    }

    /// True if it holds `value`.
    pub fn contains(self, value: T) -> bool {
        self.first <= value && value <= self.last
    }

    /// True if it holds one value only.
    pub fn is_single(self) -> bool {
        self.first == self.last
    }

    /// True if it holds every value of the type.
    pub fn is_full(self) -> bool {
        self == Self::FULL
    }

    /// True if the two have a value in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}
