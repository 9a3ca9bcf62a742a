//! Sets of addresses of both families.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::{Interval, IntervalSet, PerFamily, Set};

/// A range of addresses of one family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressRange {
    /// IPv4 addresses as integers in host order.
    V4(Interval<u32>),
    /// IPv6 addresses as integers in host order.
    V6(Interval<u128>),
}

impl AddressRange {
    /// The range from `first` to `last`, or `None` if they are of different families or in the wrong order.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Interval::new(first.to_bits(), last.to_bits()).map(AddressRange::V4)
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Interval::new(first.to_bits(), last.to_bits()).map(AddressRange::V6)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }

    /// The smallest address.
    pub fn first(self) -> IpAddr {
        match self {
            AddressRange::V4(interval) => Ipv4Addr::from_bits(interval.first()).into(),
            AddressRange::V6(interval) => Ipv6Addr::from_bits(interval.first()).into(),
        }
    }

    /// The largest address.
    pub fn last(self) -> IpAddr {
        match self {
            AddressRange::V4(interval) => Ipv4Addr::from_bits(interval.last()).into(),
            AddressRange::V6(interval) => Ipv6Addr::from_bits(interval.last()).into(),
        }
    }

    /// The prefix that holds exactly these addresses, if there is one.
    pub fn as_prefix(self) -> Option<IpNet> {
        let mut subnets = self.prefixes();
        subnets.next().filter(|_| subnets.next().is_none())
    }

    /// The fewest prefixes that together are these addresses, ascending.
    pub fn prefixes(self) -> Box<dyn Iterator<Item = IpNet>> {
        match (self.first(), self.last()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Box::new(Ipv4Subnets::new(first, last, 0).map(IpNet::V4))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Box::new(Ipv6Subnets::new(first, last, 0).map(IpNet::V6))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Box::new(std::iter::empty()),
        }
    }
}

impl From<IpNet> for AddressRange {
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => {
                AddressRange::V4(Interval::spanning(net.network().to_bits(), net.broadcast().to_bits()))
            }
            IpNet::V6(net) => {
                AddressRange::V6(Interval::spanning(net.network().to_bits(), net.broadcast().to_bits()))
            }
        }
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        AddressRange::from(IpNet::from(address))
    }
}

/// Written as an address, as a prefix where it is one, or else as `first-last`.
impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first() == self.last() {
            return write!(f, "{}", self.first());
        }
        match self.as_prefix() {
            Some(prefix) => write!(f, "{prefix}"),
            None => write!(f, "{}-{}", self.first(), self.last()),
        }
    }
}

/// A set of addresses of both families, each as integers in host order.
pub type AddressSet = PerFamily<IntervalSet<u32>, IntervalSet<u128>>;

/// `::ffff:0:0/96`: IPv4 addresses in IPv6 clothes (RFC 4291, 2.5.5.2). No zone holds them, not even the rest.
const V4_MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

impl AddressSet {
    /// Every address that a zone can hold: all of IPv4, and all of IPv6 but the v4-mapped addresses, which name an
    /// IPv4 host a second time and would slip past what a policy says of it.
    pub fn universe() -> Self {
        Self::full().difference(&Self::v4_mapped())
    }

    /// The v4-mapped IPv6 addresses, `::ffff:0:0/96`.
    pub fn v4_mapped() -> Self {
        let (first, last) = V4_MAPPED;
        AddressSet {
            v4: IntervalSet::empty(),
            v6: IntervalSet::from_interval(Interval::spanning(first, last), true),
        }
    }

    /// True if it holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }

    /// The ranges in ascending order, IPv4 first.
    pub fn ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        let v4 = self.v4.intervals().map(AddressRange::V4);
        v4.chain(self.v6.intervals().map(AddressRange::V6))
    }
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(ranges: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                AddressRange::V4(interval) => v4.push(interval),
                AddressRange::V6(interval) => v6.push(interval),
            }
        }
        AddressSet { v4: v4.into_iter().collect(), v6: v6.into_iter().collect() }
    }
}

impl From<IpNet> for AddressSet {
    fn from(net: IpNet) -> Self {
        std::iter::once(AddressRange::from(net)).collect()
    }
}

/// Written as its ranges, joined by commas; the empty set as `nothing`.
impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "nothing");
        }
        for (index, range) in self.ranges().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{range}")?;
        }
        Ok(())
    }
}
