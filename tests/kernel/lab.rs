//! The frame lab: in go a router's interfaces, the calls that load its firewall, and packets; out comes, for each
//! packet, the interface on which it left the router, or that it did not.
//!
//! A packet counts as dropped only after the kernel was seen to take it in and to finish all work on it; whatever the
//! lab itself loses is an error, never a verdict.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::worker::{self, Job};

/// A router, the configuration it loads, and what happens to it, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lab {
    /// The router's interfaces; at most one has the default route.
    pub(crate) interfaces: Vec<Interface>,
    /// Tool calls, run in order in the router's namespace once its interfaces are up; the first failure ends the run.
    pub(crate) load: Vec<Invocation>,
    /// What to do once the configuration is loaded.
    pub(crate) steps: Vec<Step>,
}

/// An interface of the router. The network behind it is the lab itself, which answers nothing of its own accord.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Interface {
    /// The name that the policy uses, at most 15 characters, not beginning with `lab-`.
    pub(crate) name: String,
    /// IPv4 and IPv6 prefixes routed to it, host bits zero.
    pub(crate) prefixes: Vec<String>,
    /// The router's own addresses there, with prefix length. Packets to them, and to the IPv4 broadcast addresses and
    /// the IPv6 subnet-router anycast addresses that they create, are never forwarded; forwarding needs none of them.
    pub(crate) addresses: Vec<String>,
    /// Whether the default routes of both families point to it.
    pub(crate) default_route: bool,
}

/// One call of a tool, without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invocation {
    /// The program; the `sbin` directories are searched too.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its standard input.
    pub(crate) input: String,
}

impl Invocation {
    /// A call with empty standard input.
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            input: String::new(),
        }
    }

    /// The same call with `text` as its standard input.
    pub(crate) fn input(self, text: &str) -> Self {
        Self { input: text.to_owned(), ..self }
    }
}

/// One thing done to the running router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Sends packets in order; their ids are distinct. Connections that a step opens stay known to the next steps.
    Send(Vec<Packet>),
    /// Forgets all connections.
    Flush,
    /// Calls a tool in the router's namespace.
    Run(Invocation),
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StepOutcome {
    /// One outcome for each packet, in the order of the packets.
    Sent(Vec<Outcome>),
    /// Connections are forgotten.
    Flushed,
    /// The standard output of a tool that succeeded.
    Output(String),
}

/// What came of one packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// It left the router, whole, on this interface, which is its ingress interface where it was routed back.
    Delivered(String),
    /// Some of its fragments, not all, left the router on this interface.
    Partial(String),
    /// Nothing of it left the router.
    Dropped,
}

/// One packet, as it is offered to the router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Packet {
    /// Carried in the payload; distinct within a step. Also the IP identification, cut to its width.
    pub(crate) id: u32,
    /// The router's interface that it arrives on.
    pub(crate) ingress: String,
    /// Source address, of the same family as the destination; nothing says it must belong behind `ingress`.
    pub(crate) source: IpAddr,
    /// Destination address.
    pub(crate) destination: IpAddr,
    /// What it carries.
    pub(crate) transport: Transport,
}

/// The transport header of a packet. All checksums are right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Transport {
    /// A TCP segment whose sequence numbers fit a connection that both sides open with the same initial number.
    Tcp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// Flags byte, from [`flags`].
        flags: u8,
    },
    /// A UDP datagram.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// A UDP datagram in two IP fragments, the second of which holds no ports.
    FragmentedUdp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// An SCTP INIT chunk, or the INIT ACK that answers it.
    Sctp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// Whether it is the answer.
        acknowledge: bool,
    },
    /// An ICMP or ICMPv6 message, by the family of the addresses, that quotes no packet.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier, which ties an echo reply to its request.
        identifier: u16,
    },
    /// An ICMP or ICMPv6 error message.
    IcmpError {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// The packet that it complains of; its id and ingress play no part. Not an `IcmpError` or a fragmented one.
        quoted: Box<Packet>,
    },
    /// Any other protocol. GRE, ESP and AH get a plain valid header of their own, all others none.
    Other {
        /// IP protocol number, of none of the above and, over IPv6, of no extension header but AH.
        protocol: u8,
    },
}

/// TCP flag bits.
pub(crate) mod flags {
    /// The sender is done.
    pub(crate) const FIN: u8 = 0x01;
    /// Opens a connection.
    pub(crate) const SYN: u8 = 0x02;
    /// Aborts a connection.
    pub(crate) const RST: u8 = 0x04;
    /// Everything but the first segment.
    pub(crate) const ACK: u8 = 0x10;
}

/// Runs `lab` in a network namespace of its own, which is gone afterwards: one outcome for each step.
///
/// # Errors
/// A text for people: a tool's own message where a tool failed (beginning with `load: ` where it could not load the
/// configuration), or what the lab could not do.
pub(crate) fn run(lab: &Lab) -> Result<Vec<StepOutcome>, String> {
    worker::in_namespace(&Job::Frames(lab.clone()))
}
