//! The wires of the frame lab: frames go in at the far ends of the router's interfaces, and one packet socket sees
//! every frame on every interface of the namespace.
//!
//! INVARIANT: no packet is called dropped while the kernel may still be working on it. A veth pair puts each frame on
//! the backlog of the processor that sends it, a queue served in order, and a forwarded frame passes that queue twice.
//! The worker stays on one processor; when a sentinel that was sent after a batch has been seen, all of the batch has
//! passed the queue once, and when a second one, sent thereafter, has been seen, twice. Captured frames come in the
//! same order, so a capture that overflowed would have lost the sentinel too.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CpuSet, sched_getcpu, sched_setaffinity};
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType};
use nix::sys::socket::{recvfrom, sendto, setsockopt, socket, sockopt};
use nix::unistd::Pid;

use super::frame::{self, Mac, Part};
use super::lab::{Interface, Outcome, Packet};
use super::router;

/// All ends of all wires, and the sockets that reach them.
pub(super) struct Wire {
    capture: OwnedFd,
    inject: OwnedFd,
    ports: Vec<Port>,
    sentinel: (LinkAddr, LinkAddr),
}

struct Port {
    name: String,
    near: LinkAddr,
    far: LinkAddr,
}

/// What was seen of one packet.
#[derive(Default)]
struct Sighting {
    /// Frames that the router took in.
    entered: usize,
    /// Frames that the router put out.
    left: usize,
    /// Port and part of each frame that came out at a far end.
    arrived: Vec<(usize, Part)>,
}

type Sightings = HashMap<u32, Sighting>;

/// Packets between two barriers: few enough for the smallest receive buffer and the shortest backlog in use.
const BATCH: usize = 32;
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// IEEE 802 local experimental ethertype 1.
const SENTINEL_ETHERTYPE: [u8; 2] = [0x88, 0xb5];
const OUTGOING: u8 = 4;

impl Wire {
    /// Opens the sockets; the calling thread stays on its current processor from here on.
    ///
    /// # Errors
    /// A socket, an interface or the processor is not to be had.
    pub(super) fn open(interfaces: &[Interface]) -> Result<Self, String> {
        let failed = |what: &'static str| move |error: Errno| format!("{what}: {error}");
        let mut processor = CpuSet::new();
        sched_getcpu().and_then(|current| processor.set(current)).map_err(failed("current processor"))?;
        sched_setaffinity(Pid::from_raw(0), &processor).map_err(failed("staying on one processor"))?;
        let packet_socket = |flags, protocol| socket(AddressFamily::Packet, SockType::Raw, flags, protocol);
        let inject = packet_socket(SockFlag::empty(), None).map_err(failed("socket to send on"))?;
        let capture = packet_socket(SockFlag::SOCK_NONBLOCK, Some(SockProtocol::EthAll))
            .map_err(failed("socket to listen on"))?;
        setsockopt(&capture, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES).map_err(failed("receive buffer"))?;
        let links: HashMap<String, LinkAddr> = getifaddrs()
            .map_err(failed("interfaces"))?
            .filter_map(|entry| Some((entry.interface_name, *entry.address?.as_link_addr()?)))
            .collect();
        let link = |name: &str| links.get(name).copied().ok_or_else(|| format!("no interface `{name}`"));
        let port = |(index, interface): (usize, &Interface)| {
            let name = interface.name.clone();
            Ok(Port { near: link(&name)?, far: link(&router::far_end(index))?, name })
        };
        let ports = interfaces.iter().enumerate().map(port).collect::<Result<_, String>>()?;
        let sentinel = (link(router::SENTINEL.0)?, link(router::SENTINEL.1)?);
        Ok(Self { capture, inject, ports, sentinel })
    }

    /// Sends `packets` in order and says what came of each.
    ///
    /// # Errors
    /// A packet is impossible or has another's id, or the lab lost a frame.
    pub(super) fn send(&self, packets: &[Packet]) -> Result<Vec<Outcome>, String> {
        let mut outcomes = Vec::with_capacity(packets.len());
        let mut sightings = Sightings::new();
        for batch in packets.chunks(BATCH) {
            let mut sent = Vec::with_capacity(batch.len());
            for packet in batch {
                if sightings.insert(packet.id, Sighting::default()).is_some() {
                    return Err(format!("two packets have the id {}", packet.id));
                }
                sent.push(self.inject(packet)?);
            }
            for round in 0..2 {
                self.barrier(outcomes.len() * 2 + round, &mut sightings)?;
            }
            for (packet, frames) in batch.iter().zip(sent) {
                let sighting = sightings.get(&packet.id).ok_or("a packet without an entry")?;
                outcomes.push(self.judge(packet.id, frames, sighting)?);
            }
        }
        Ok(outcomes)
    }

    fn inject(&self, packet: &Packet) -> Result<usize, String> {
        let port = self.ports.iter().find(|port| port.name == packet.ingress);
        let port = port.ok_or_else(|| format!("packet {}: no interface `{}`", packet.id, packet.ingress))?;
        let frames = frame::build(packet, mac(&port.far), mac(&port.near))?;
        frames.iter().try_for_each(|frame| self.put(frame, &port.far))?;
        Ok(frames.len())
    }

    fn put(&self, frame: &[u8], link: &LinkAddr) -> Result<(), String> {
        match sendto(self.inject.as_raw_fd(), frame, link, MsgFlags::empty()) {
            Ok(length) if length == frame.len() => Ok(()),
            Ok(length) => Err(format!("{length} bytes of {} were sent", frame.len())),
            Err(error) => Err(format!("sending a frame: {error}")),
        }
    }

    /// Sends a sentinel and notes every frame until it is seen.
    fn barrier(&self, number: usize, sightings: &mut Sightings) -> Result<(), String> {
        let (near, far) = &self.sentinel;
        let mut sentinel = [mac(far), mac(near)].concat();
        sentinel.extend(SENTINEL_ETHERTYPE);
        sentinel.extend(number.to_be_bytes());
        sentinel.resize(60, 0);
        self.put(&sentinel, near)?;
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 2048];
        loop {
            match recvfrom::<LinkAddr>(self.capture.as_raw_fd(), &mut buffer) {
                Ok((length, Some(link))) => {
                    let frame = buffer.get(..length).unwrap_or_default();
                    if link.ifindex() == far.ifindex() && frame == sentinel {
                        return Ok(());
                    }
                    self.note(frame, &link, sightings);
                }
                Ok((_, None)) => return Err("a frame came from nowhere".to_owned()),
                Err(Errno::EAGAIN) => self.wait(deadline)?,
                Err(error) => return Err(format!("listening: {error}")),
            }
        }
    }

    fn wait(&self, deadline: Instant) -> Result<(), String> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("the lab lost a frame of its own; no verdict can be told".to_owned());
        }
        let timeout = PollTimeout::try_from(left).map_err(|error| format!("time to wait: {error}"))?;
        let mut sockets = [PollFd::new(self.capture.as_fd(), PollFlags::POLLIN)];
        match poll(&mut sockets, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(format!("waiting for frames: {error}")),
        }
    }

    fn note(&self, frame: &[u8], link: &LinkAddr, sightings: &mut Sightings) {
        let Some((id, part)) = frame::identify(frame) else { return };
        let Some(sighting) = sightings.get_mut(&id) else { return };
        let outgoing = link.pkttype() == OUTGOING;
        for (index, port) in self.ports.iter().enumerate() {
            let (near, far) = (port.near.ifindex() == link.ifindex(), port.far.ifindex() == link.ifindex());
            sighting.entered += usize::from(near && !outgoing);
            sighting.left += usize::from(near && outgoing);
            if far && !outgoing {
                sighting.arrived.push((index, part));
            }
        }
    }

    fn judge(&self, id: u32, frames: usize, sighting: &Sighting) -> Result<Outcome, String> {
        let Sighting { entered, left, arrived } = sighting;
        if *entered != frames || *left != arrived.len() {
            let seen = arrived.len();
            return Err(format!(
                "packet {id}: of {frames} frames {entered} entered, {left} left and {seen} arrived"
            ));
        }
        let Some((index, _)) = arrived.first() else { return Ok(Outcome::Dropped) };
        let name = self.ports.get(*index).map_or_else(String::new, |port| port.name.clone());
        let mut parts: Vec<Part> = arrived.iter().map(|(_, part)| *part).collect();
        parts.sort_unstable();
        match parts.as_slice() {
            _ if arrived.iter().any(|(other, _)| other != index) => {
                Err(format!("packet {id} left on two interfaces"))
            }
            [Part::Whole] | [Part::Head, Part::Tail] => Ok(Outcome::Delivered(name)),
            [Part::Head | Part::Tail] => Ok(Outcome::Partial(name)),
            _ => Err(format!("packet {id} left more than once: {parts:?}")),
        }
    }
}

fn mac(link: &LinkAddr) -> Mac {
    link.addr().unwrap_or_default()
}
