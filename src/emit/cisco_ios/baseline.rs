//! What an access list must let through whatever the policy says: the protocols of the link itself.
//!
//! Nothing of it is forwarded by a router: limited broadcast (RFC 1812, 5.3.5.1), the local network control block
//! 224.0.0.0/24 (RFC 5771, 4), link-local addresses (RFC 4291, 2.5.6), and neighbour discovery, which is dropped by its
//! receiver unless the hop limit shows that it came over one link (RFC 4861, 7.1).

use super::acl::{Action, Block, Direction, Ending, Family, Line};
use super::prefix::{Prefix, cover};
use super::service::{Service, UDP};
use super::wanted::Wanted;
use crate::set::{ICMPV6, Interval};

const IGMP: u8 = 2;
/// Routing protocols that speak from router to router as well as to a group: EIGRP and OSPF.
const UNICAST_ROUTING: [u8; 2] = [88, 89];

/// The addresses of IPv6 that mean something on one link only (RFC 4291, 2.5.6).
pub(super) const LINK_LOCAL: Prefix = Prefix::new(0xfe80 << 112, 118);

/// A zone of more prefixes than this is no link on which routers speak to each other, but the outside.
const MOST_PREFIXES: usize = 8;

/// The blocks at the top of a list.
pub(super) fn blocks(wanted: &Wanted) -> Vec<Block> {
    let lines = match (wanted.direction, wanted.family) {
        (Direction::In, Family::V4) => in_v4(wanted),
        (Direction::In, Family::V6) => in_v6(),
        (Direction::Out, Family::V4) => Vec::new(),
        (Direction::Out, Family::V6) => neighbour_discovery(),
    };
    vec![Block { remark: "the link itself".to_owned(), lines, local: true }]
}

/// DHCP from clients, all that routers say to the link (HSRP, VRRP, GLBP, OSPF, EIGRP, PIM, IGMPv3), reports of IGMP to
/// the groups themselves, and routing protocols between routers of this link.
fn in_v4(wanted: &Wanted) -> Vec<Line> {
    let any = Prefix::all(Family::V4);
    let broadcast = Prefix::new(0xffff_ffff, 0);
    let dhcp = Service {
        source_port: Interval::single(68),
        destination_port: Interval::single(67),
        ..Service::whole(UDP)
    };
    let mut lines = vec![
        permit(dhcp, vec![any], vec![broadcast]),
        permit(Service::EVERY, vec![any], vec![Prefix::new(0xe000_0000, 8)]),
        permit(Service::whole(IGMP), vec![any], vec![Prefix::new(0xe000_0000, 28)]),
    ];
    let near = cover(&wanted.near, None, Family::V4);
    if (1..=MOST_PREFIXES).contains(&near.len()) {
        let services = UNICAST_ROUTING.map(Service::whole).into();
        lines.push(Line { services, ..permit(Service::EVERY, near.clone(), near) });
    }
    lines
}

/// Neighbour discovery, all that stays on the link, and reports of multicast listeners to the groups themselves.
fn in_v6() -> Vec<Line> {
    let link_groups = Prefix::new(0xff02 << 112, 112);
    let groups = Prefix::new(0xff00 << 112, 120);
    let mut lines = neighbour_discovery();
    lines.push(permit(Service::EVERY, vec![LINK_LOCAL], vec![LINK_LOCAL]));
    lines.push(permit(Service::EVERY, vec![LINK_LOCAL], vec![link_groups]));
    lines.push(permit(Service::message(ICMPV6, 131), vec![LINK_LOCAL], vec![groups]));
    lines
}

/// What IOS itself permits before the denial that every list ends in, and no longer does once that is written down.
fn neighbour_discovery() -> Vec<Line> {
    let any = || vec![Prefix::all(Family::V6)];
    [136, 135].map(|number| permit(Service::message(ICMPV6, number), any(), any())).into()
}

fn permit(service: Service, sources: Vec<Prefix>, destinations: Vec<Prefix>) -> Line {
    let ending = Ending::default();
    Line { action: Action::Permit, services: vec![service], sources, destinations, ending }
}
