//! What pf does with a first packet under the rules of pfSense, by the evaluator that tests of that target use.

use std::cell::RefCell;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cordon::set::{ICMP, ICMPV6};

use super::packet::Packet;
use crate::pfsense::evaluate::{Arrival, Firewall};

/// A config for packets through a firewall, and for those to it.
pub(super) struct Rules {
    through: Firewall,
    to_device: RefCell<Vec<(IpAddr, Option<Firewall>)>>,
    filter: String,
    aliases: String,
}

impl Rules {
    /// Reads a config; nothing if it has something in it that the evaluator does not know.
    pub(super) fn read(filter: &str, aliases: &str) -> Option<Self> {
        let through = quietly(|| Firewall::read(filter, aliases, &[]))?;
        let (filter, aliases) = (filter.to_owned(), aliases.to_owned());
        Some(Rules { through, to_device: RefCell::default(), filter, aliases })
    }

    /// True if a first packet passes; nothing for others, and for what pfSense decides on before all rules.
    pub(super) fn passes(&self, packet: &Packet) -> Option<bool> {
        let multicast = match packet.destination {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        let port_zero =
            [6, 17].contains(&packet.protocol) && (packet.source_port == 0 || packet.destination_port == 0);
        let own = packet.source.is_ipv6()
            && packet.protocol == ICMPV6
            && packet.message().is_some_and(|kind| kind != 128);
        if packet.state != "new" || !packet.opens() || multicast || port_zero || own {
            return None;
        }
        let message = [ICMP, ICMPV6].contains(&packet.protocol);
        let arrival = Arrival {
            interface: packet.arrives.clone(),
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            source_port: packet.source_port,
            destination_port: if message { packet.destination_port >> 8 } else { packet.destination_port },
        };
        if packet.leaves.is_some() {
            return quietly(|| self.through.decide(&arrival).pass);
        }
        let mut known = self.to_device.borrow_mut();
        if !known.iter().any(|(address, _)| *address == packet.destination) {
            let own = packet.destination.to_string();
            let firewall = quietly(|| Firewall::read(&self.filter, &self.aliases, &[&own]));
            known.push((packet.destination, firewall));
        }
        let (_, firewall) = known.iter().find(|(address, _)| *address == packet.destination)?;
        let firewall = firewall.as_ref()?;
        quietly(|| firewall.decide(&arrival).pass)
    }
}

/// The evaluator fails where it meets what it does not know.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
