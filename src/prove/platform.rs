//! What has to be known of a platform to compare its configs with a policy.

use super::expected::{Seconds, Time};
use super::guard::{
    Tripped, isolation_of_iptables, isolation_of_nftables, of_iptables, of_nftables, of_pfsense,
    quarantine_of_iptables, quarantine_of_nftables, quarantine_of_pfsense,
};
use super::space::{ICMPV6, LINK_LOCAL};
use crate::ir::Guard;
use crate::read::{Family, PacketBox};

/// What a platform does of itself, whatever its config says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platform {
    /// The interface by which the device talks to itself.
    pub(super) loopback: &'static str,
    /// How it tells the time.
    pub(super) time: Time,
    /// True if it tracks connections, so that replies need no rule.
    pub(super) stateful: bool,
    /// True if its rules do not look at the interface that packets leave by, so that their destination says which one
    /// that is.
    pub(super) routed: bool,
    /// True if nothing but ICMP errors about a known connection is ever related to it.
    pub(super) relates_errors_only: bool,
    /// Opaque conditions, by what they begin with, and what is taken for granted of them where something has to pass. For
    /// what may not pass nothing is.
    pub(super) granted: &'static [(&'static str, bool)],
    /// The opaque conditions that say whether a guard that the platform keeps has counted too many.
    pub(super) guard: fn(&Guard, Family) -> Tripped,
    /// What that condition turns out to be then.
    pub(super) tripped: bool,
    /// What the opaque condition begins with that holds for sources that a guard has put away.
    pub(super) quarantine: fn(Family) -> Vec<String>,
    /// What the opaque condition begins with that holds while a guard cuts off what it watches, for so many seconds.
    pub(super) isolation: fn(&Guard, u32, Family) -> Vec<String>,
    /// True if its rules see packets of known connections, so that they have to stop those of such sources. pf ends the
    /// connections themselves.
    pub(super) checks_known: bool,
    /// What it accepts whatever a policy says.
    pub(super) always: fn(Family) -> Vec<PacketBox>,
    /// What it never accepts.
    pub(super) never: fn(Family) -> Vec<PacketBox>,
}

/// nftables, with guards that count in sets.
pub(super) const NFTABLES: Platform = Platform {
    time: linux("nftables"),
    guard: of_nftables,
    quarantine: quarantine_of_nftables,
    isolation: isolation_of_nftables,
    ..LINUX
};

/// iptables, with guards that count by hash limits.
pub(super) const IPTABLES: Platform = Platform {
    time: linux("iptables"),
    guard: of_iptables,
    quarantine: quarantine_of_iptables,
    isolation: isolation_of_iptables,
    ..LINUX
};

/// Linux: connection tracking helpers can relate whole connections to others.
const LINUX: Platform = Platform {
    loopback: "lo",
    time: linux(""),
    stateful: true,
    routed: false,
    relates_errors_only: false,
    granted: &[],
    guard: |_, _| (String::new(), Vec::new()),
    tripped: true,
    quarantine: |_| Vec::new(),
    isolation: |_, _, _| Vec::new(),
    checks_known: true,
    always: |_| Vec::new(),
    never: |_| Vec::new(),
};

const fn linux(target: &'static str) -> Time {
    Time { seconds: Seconds::Utc, target }
}

/// pfSense. Its generator puts rules of its own before those of the config (`filter_rules_generate`,
/// src/etc/inc/filter.inc): it blocks the ports 0 of TCP
/// and UDP, an alias cannot name a port 0 at all, and, in defence, hosts in tables that daemons fill; and it passes what ICMPv6 needs.
/// Rules stand on the interface where packets arrive; they may leave by any.
pub(super) const PFSENSE: Platform = Platform {
    loopback: "lo0",
    time: Time { seconds: Seconds::Own, target: "pfsense" },
    stateful: true,
    routed: true,
    relates_errors_only: true,
    granted: &[
        ("from (self)", false),
        ("from <bogons", false),
        ("from <snort2c>", false),
        ("from <sshguard>", false),
        ("from <virusprot>", false),
        ("to <snort2c>", false),
    ],
    guard: of_pfsense,
    tripped: false,
    quarantine: quarantine_of_pfsense,
    isolation: |_, _, _| Vec::new(),
    checks_known: false,
    always: pfsense_always,
    never: |family| {
        let all = PacketBox::all(family);
        let zero = (0, 0);
        let of = |protocol| {
            let of_protocol = PacketBox { protocol: (protocol, protocol), ..all };
            [
                PacketBox { source_port: zero, ..of_protocol },
                PacketBox { destination_port: zero, ..of_protocol },
            ]
        };
        [of(6), of(17), of(132)].concat()
    },
};

/// Cisco IOS: lists of a switch, which know no connections. They let through what stays on a link, which no router
/// forwards: limited broadcasts of DHCP clients (RFC 1812, 5.3.5.1), the local network control block 224.0.0.0/24
/// (RFC 5771, 4), reports of IGMP and MLD, link-local addresses (RFC 4291, 2.5.6) and neighbour discovery (RFC 4861, 7.1).
pub(super) const CISCO_IOS: Platform = Platform {
    loopback: "",
    time: Time { seconds: Seconds::Own, target: "cisco-ios" },
    stateful: false,
    routed: true,
    relates_errors_only: true,
    // Whether a time range holds in the minute that it ends in is not written down; the policy says so.
    granted: &[("time-range counts the minute ", true)],
    guard: |_, _| (String::new(), Vec::new()),
    tripped: true,
    quarantine: |_| Vec::new(),
    isolation: |_, _, _| Vec::new(),
    checks_known: true,
    always: link_of_switch,
    never: |_| Vec::new(),
};

fn link_of_switch(family: Family) -> Vec<PacketBox> {
    let all = PacketBox::all(family);
    match family {
        Family::V4 => {
            let broadcast = (u128::from(u32::MAX), u128::from(u32::MAX));
            let of = |protocol| PacketBox { protocol: (protocol, protocol), ..all };
            vec![
                PacketBox {
                    destination: broadcast,
                    source_port: (68, 68),
                    destination_port: (67, 67),
                    ..of(17)
                },
                PacketBox { destination: (0xe000_0000, 0xe000_00ff), ..all },
                PacketBox { destination: (0xe000_0000, 0xefff_ffff), ..of(2) },
            ]
        }
        Family::V6 => {
            let icmp = PacketBox { protocol: (ICMPV6, ICMPV6), ..all };
            let discovery = [135, 136].map(|kind| PacketBox { source_port: (kind, kind), ..icmp });
            let link_groups = (0xff02 << 112, (0xff03 << 112) - 1);
            let from_link = PacketBox { source: LINK_LOCAL, ..all };
            let reports = PacketBox {
                source: LINK_LOCAL,
                destination: (0xff << 120, u128::MAX),
                source_port: (131, 131),
                ..icmp
            };
            let local = [LINK_LOCAL, link_groups].map(|destination| PacketBox { destination, ..from_link });
            [&discovery[..], &local[..], &[reports]].concat()
        }
    }
}

/// Errors and neighbour discovery from anybody to anybody, and between addresses of the link what a link needs.
fn pfsense_always(family: Family) -> Vec<PacketBox> {
    if family == Family::V4 {
        return Vec::new();
    }
    let all = PacketBox { protocol: (ICMPV6, ICMPV6), ..PacketBox::all(family) };
    let everywhere = [1, 2, 135, 136].map(|kind| PacketBox { source_port: (kind, kind), ..all });
    let all_on_link = (0xff02 << 112, (0xff03 << 112) - 1);
    let mut boxes = Vec::from(everywhere);
    for source in [(0, 0), LINK_LOCAL, all_on_link] {
        for destination in [LINK_LOCAL, all_on_link] {
            let on_link = [128, 129, 133, 134].map(|kind| PacketBox {
                source,
                destination,
                source_port: (kind, kind),
                ..all
            });
            boxes.extend(on_link);
        }
    }
    boxes
}
