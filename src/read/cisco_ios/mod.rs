//! The reader of Cisco IOS and IOS-XE: access lists, and where they are bound.
//!
//! In: a file of commands, or what `show running-config` prints. Out: a chain for each access list and a filter for each
//! place that one is bound to, with what IOS adds unseen. What the model says rests on these facts:
//!
//! - **Order.** The first entry that matches decides, by sequence number. What none matches is denied; a list for IPv6
//!   permits `nd-na` and `nd-ns` before that (IPv6 Command Reference, `ipv6 access-list`: "every IPv6 ACL has implicit
//!   permit icmp any any nd-na, permit icmp any any nd-ns, and deny ipv6 any any statements as its last match
//!   conditions"). These rules stand in the line of the list's head.
//! - **A list that is missing or empty passes everything** (IP Application Services Command Reference, `ip access-group`:
//!   "If the specified access list does not exist, all packets are passed"; `ipv6 access-list`: the implicit denial takes
//!   effect only in a list with an entry). That is no mistake of the reader's: the filter has a chain without rules and
//!   accepts what it leaves undecided. A list of nothing but remarks is a mistake, since no document says what it does.
//! - **Interfaces.** `in` concerns packets that arrive, for elsewhere or for the device; `out` those that leave, but not
//!   what the device itself sends. IOS forwards both families, so the model speaks of both, whichever lists there are.
//! - **Fragments** (Cisco document 8014, "Access Control Lists and IP Fragments"). Later fragments show addresses and
//!   protocol only. An entry that asks for more applies to them by these if it permits, and not at all if it denies.
//!   `fragments` matches nothing but them. The document is about IPv4; IPv6 is taken to do the same.
//! - **`established`** is a TCP header with ACK or RST.
//! - **Times.** An entry with a time range that is not defined is active (Cisco 10000 Series Router Software Configuration
//!   Guide, OL-2226, Restrictions for Time-Based ACLs: "An ACE that refers to a non-existent time-range entry is
//!   considered active"). Whether the minute that a period ends in counts is not documented, so rules for that minute
//!   carry a condition that may hold or not.
//! - **Logins.** `access-class` on the lines `vty` concerns TCP to ports 22 and 23 of the device, by whatever interface.
//!   If lines differ, it is unknown which of them a login gets, and that is a condition. Without `vrf-also`, logins by
//!   interfaces of a VRF are refused once a list is bound (Terminal Services Command Reference, `access-class`). The
//!   destination of an entry must be `any`: what else would mean is not documented.
//! - **Storms.** `storm-control` drops frames by their rate and not by what is in them, so it is no filter; the model
//!   says beside the filters which port has which level.
//! - **Headers of IPv6** (`ahp`, `hbh`, `routing`) stand before any protocol, so they are conditions of their own.
//!
//! Commands are obeyed in their order: `no ip access-list` removes a list, and what stands behind `end` is no config.

mod address;
mod binding;
mod entry;
mod group;
mod ignorable;
mod line;
mod lists;
mod lower;
mod names;
mod rules;
mod sections;
mod service;
mod storm;
mod time;
mod words;

use super::model::Reading;
use line::{Item, Items, MAX_LINE_BYTES};
use sections::{Reader, Status};

/// Reads a config.
pub fn read(text: &str) -> Reading {
    let items = Items::new(text);
    let mut reader = Reader::new(items.len());
    for (number, item) in items {
        match item {
            Item::Nothing => {}
            Item::Command(line) => reader.command(&line),
            Item::Banner { last, closed: true } => reader.mark(number, last, Status::Ignored),
            Item::Banner { closed: false, .. } => {
                reader.mistake(number, "the banner does not end with the sign that it begins with");
            }
            Item::CertificateEnd => reader.certificate_end(number),
            Item::Unreadable => {
                reader.mistake(number, format!("the line is longer than {MAX_LINE_BYTES} bytes or no text"));
            }
        }
    }
    let (model, mut mistakes, lines) = reader.finish();
    mistakes.sort();
    mistakes.dedup();
    Reading { model, mistakes, lines }
}
