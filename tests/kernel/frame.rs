//! Frames as bytes: in go packets, out come Ethernet frames with right lengths and checksums; and the way back, from
//! a frame seen anywhere to the id of the packet it belongs to.
//!
//! The way back reads the id only where the packet's own headers end, so an error message that the router writes about
//! a packet is not taken for that packet.

use std::net::IpAddr;

use super::lab::{Packet, Transport, flags};

/// An Ethernet address.
pub(crate) type Mac = [u8; 6];

/// Which part of a packet a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Its first fragment.
    Head,
    /// Its last fragment.
    Tail,
}

const MARK: &[u8; 8] = b"labframe";
const TAIL_MARK: &[u8; 8] = b"labtails";
const QUOTE_MARK: &[u8; 8] = b"labquote";
const ETHERNET: usize = 14;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Data in the first of two fragments: a multiple of 8, and a packet of at least 1,280 bytes in both families.
const HEAD_DATA: usize = 1264;
/// IPv6 extension headers, behind which the kernel looks for the real protocol.
const EXTENSION_HEADERS: [u8; 7] = [0, 43, 44, 60, 135, 139, 140];
/// Protocols with a variant of [`Transport`] to themselves.
const WITH_TRANSPORT: [u8; 5] = [1, 6, 17, 58, 132];
const INITIAL_SEQUENCE: u32 = 1000;
const SCTP_TAG: u32 = 0x1ab5_c791;

/// The frames of `packet`, in order: two for a fragmented datagram, else one.
///
/// # Errors
/// The packet cannot be built: its addresses are of two families, or its protocol number is an extension header's or
/// belongs to another transport.
pub(crate) fn build(packet: &Packet, source: Mac, destination: Mac) -> Result<Vec<Vec<u8>>, String> {
    let ethertype = if packet.source.is_ipv4() { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 };
    let mut frames = ip_packets(packet, MARK)?;
    for frame in &mut frames {
        let ethernet = [&destination[..], &source, &ethertype.to_be_bytes()].concat();
        frame.splice(..0, ethernet);
    }
    Ok(frames)
}

/// The id of the packet that a frame belongs to and the part that it holds; nothing if it is not one of the lab's.
pub(crate) fn identify(frame: &[u8]) -> Option<(u32, Part)> {
    frame.get(ETHERNET..).and_then(|packet| identify_ip(packet, MARK))
}

fn ip_packets(packet: &Packet, mark: &[u8; 8]) -> Result<Vec<Vec<u8>>, String> {
    let (protocol, data) = transport(packet, mark)?;
    match (packet.source, packet.destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {}
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
            return Err(format!("packet {}: addresses of two families", packet.id));
        }
    }
    if packet.source.is_ipv6() && EXTENSION_HEADERS.contains(&protocol) {
        return Err(format!("packet {}: protocol {protocol} is an IPv6 extension header", packet.id));
    }
    Ok(match (&packet.transport, data.split_at_checked(HEAD_DATA)) {
        (Transport::FragmentedUdp { .. }, Some((head, tail))) => vec![
            ip_packet(packet, protocol, head, Some((0, true))),
            ip_packet(packet, protocol, tail, Some((HEAD_DATA, false))),
        ],
        _ => vec![ip_packet(packet, protocol, &data, None)],
    })
}

/// One IP packet; `fragment` is the offset of `data` in the datagram, in bytes, and whether more follows it.
fn ip_packet(packet: &Packet, protocol: u8, data: &[u8], fragment: Option<(usize, bool)>) -> Vec<u8> {
    let addresses = [octets(packet.source), octets(packet.destination)].concat();
    let place = fragment.map(|(offset, more)| (u16_of(offset), u16::from(more)));
    if packet.source.is_ipv4() {
        const DO_NOT_FRAGMENT: u16 = 0x4000;
        let flags_offset = place.map_or(DO_NOT_FRAGMENT, |(offset, more)| (more << 13) | (offset / 8));
        let identification = packet.id.to_be_bytes();
        let mut header = vec![0x45, 0];
        header.extend(u16_of(20 + data.len()).to_be_bytes());
        header.extend(identification.iter().skip(2));
        header.extend(flags_offset.to_be_bytes());
        header.extend([64, protocol, 0, 0]);
        header.extend(addresses);
        let sum = checksum(&header);
        put(&mut header, 10, sum.to_be_bytes());
        return [&header, data].concat();
    }
    let mut extension = Vec::new();
    if let Some((offset, more)) = place {
        extension.extend([protocol, 0]);
        extension.extend((offset | more).to_be_bytes());
        extension.extend(packet.id.to_be_bytes());
    }
    let next_header = if fragment.is_some() { 44 } else { protocol };
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(u16_of(extension.len() + data.len()).to_be_bytes());
    header.extend([next_header, 64]);
    [&header, &addresses, &extension, data].concat()
}

/// The protocol number and everything behind the IP header.
fn transport(packet: &Packet, mark: &[u8; 8]) -> Result<(u8, Vec<u8>), String> {
    let id = packet.id.to_be_bytes();
    let payload = [mark, &id[..]].concat();
    Ok(match &packet.transport {
        &Transport::Tcp { source_port, destination_port, flags } => {
            let data = [tcp_header(source_port, destination_port, flags), payload].concat();
            (6, summed(packet, 6, data, 16))
        }
        &Transport::Udp { source_port, destination_port } => {
            (17, udp(packet, source_port, destination_port, &payload))
        }
        &Transport::FragmentedUdp { source_port, destination_port } => {
            let mut long = payload;
            long.resize(HEAD_DATA - 8, 0);
            long.extend([TAIL_MARK, &id[..]].concat());
            (17, udp(packet, source_port, destination_port, &long))
        }
        &Transport::Sctp { source_port, destination_port, acknowledge } => {
            (132, sctp(source_port, destination_port, acknowledge, &payload))
        }
        &Transport::Icmp { kind, code, identifier } => {
            let [high, low] = identifier.to_be_bytes();
            icmp(packet, [kind, code, 0, 0, high, low, 0, 1], &payload)
        }
        Transport::IcmpError { kind, code, quoted } => {
            let quoted = Packet { id: packet.id, ..(**quoted).clone() };
            let quote = ip_packets(&quoted, QUOTE_MARK)?.concat();
            icmp(packet, error_header(*kind, *code), &quote)
        }
        Transport::Other { protocol } if WITH_TRANSPORT.contains(protocol) => {
            return Err(format!("packet {}: protocol {protocol} has a transport of its own", packet.id));
        }
        &Transport::Other { protocol } => (protocol, [own_header(protocol), &payload].concat()),
    })
}

fn tcp_header(source_port: u16, destination_port: u16, tcp_flags: u8) -> Vec<u8> {
    let sequence = INITIAL_SEQUENCE + u32::from(tcp_flags & flags::SYN == 0);
    let acknowledged = if tcp_flags & flags::ACK == 0 { 0 } else { INITIAL_SEQUENCE + 1 };
    let mut header = [source_port.to_be_bytes(), destination_port.to_be_bytes()].concat();
    header.extend(sequence.to_be_bytes());
    header.extend(acknowledged.to_be_bytes());
    header.extend([0x50, tcp_flags, 0xff, 0xff, 0, 0, 0, 0]);
    header
}

fn udp(packet: &Packet, source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16_of(8 + payload.len());
    let header = [source_port, destination_port, length, 0].map(u16::to_be_bytes).concat();
    summed(packet, 17, [&header, payload].concat(), 6)
}

/// RFC 9260 section 3.3.2: an INIT (ACK) chunk, the payload in a parameter that receivers skip.
fn sctp(source_port: u16, destination_port: u16, acknowledge: bool, payload: &[u8]) -> Vec<u8> {
    let tag = if acknowledge { SCTP_TAG } else { 0 };
    let parameter = u16_of(4 + payload.len());
    let mut data = [source_port.to_be_bytes(), destination_port.to_be_bytes()].concat();
    data.extend(tag.to_be_bytes());
    data.extend([0; 4]);
    data.extend([1 + u8::from(acknowledge), 0]);
    data.extend((20 + parameter).to_be_bytes());
    data.extend([SCTP_TAG, 0x1_0000, 0x0001_0001, 1].map(u32::to_be_bytes).concat());
    data.extend([0x8fff, parameter].map(u16::to_be_bytes).concat());
    data.extend(payload);
    let sum = crc32c(&data);
    put(&mut data, 8, sum.to_le_bytes());
    data
}

fn icmp(packet: &Packet, header: [u8; 8], payload: &[u8]) -> (u8, Vec<u8>) {
    let data = [&header, payload].concat();
    if packet.source.is_ipv6() {
        return (58, summed(packet, 58, data, 2));
    }
    let sum = checksum(&data);
    let mut data = data;
    put(&mut data, 2, sum.to_be_bytes());
    (1, data)
}

/// The header of an error message; its last two bytes are the MTU of those that report one.
fn error_header(kind: u8, code: u8) -> [u8; 8] {
    let [high, low] = 1280_u16.to_be_bytes();
    [kind, code, 0, 0, 0, 0, high, low]
}

/// The header that a protocol without ports needs to be well formed.
fn own_header(protocol: u8) -> &'static [u8] {
    match protocol {
        47 => &[0, 0, 0x65, 0x58],
        50 => &[0, 0, 0x10, 0, 0, 0, 0, 1],
        51 => &[59, 1, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 1],
        _ => &[],
    }
}

fn identify_ip(packet: &[u8], mark: &[u8; 8]) -> Option<(u32, Part)> {
    let version = packet.first()? >> 4;
    let (protocol, offset, more, data) = if version == 4 {
        let header = usize::from(packet.first()? & 15) * 4;
        let place = u16_at(packet, 6)?;
        (*packet.get(9)?, place & 0x1fff, place & 0x2000 != 0, packet.get(header..)?)
    } else if packet.get(6)? == &44 {
        let place = u16_at(packet, 42)?;
        (*packet.get(40)?, place & !7, place & 1 != 0, packet.get(48..)?)
    } else {
        (*packet.get(6)?, 0, false, packet.get(40..)?)
    };
    if offset != 0 {
        return Some((marked_id(data, TAIL_MARK)?, Part::Tail));
    }
    let part = if more { Part::Head } else { Part::Whole };
    let payload = data.get(header_length(protocol, data)?..)?;
    let id = marked_id(payload, mark).or_else(|| {
        let quotes = matches!(protocol, 1 | 58) && mark == MARK;
        quotes.then(|| identify_ip(payload, QUOTE_MARK)).flatten().map(|(id, _)| id)
    });
    Some((id?, part))
}

/// Length of the transport header, up to where the mark begins.
fn header_length(protocol: u8, data: &[u8]) -> Option<usize> {
    Some(match protocol {
        1 | 17 | 58 => 8,
        6 => usize::from(data.get(12)? >> 4) * 4,
        132 => 36,
        _ => own_header(protocol).len(),
    })
}

fn marked_id(payload: &[u8], mark: &[u8; 8]) -> Option<u32> {
    let (id, _) = payload.strip_prefix(mark)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*id))
}

/// `data` with the checksum over it and the pseudo-header of RFC 9293 or RFC 8200 put at `offset`.
fn summed(packet: &Packet, protocol: u8, mut data: Vec<u8>, offset: usize) -> Vec<u8> {
    let length = u16_of(data.len()).to_be_bytes();
    let addresses = [octets(packet.source), octets(packet.destination)].concat();
    let sum = checksum(&[&addresses[..], &[0, protocol], &length, &data].concat());
    put(&mut data, offset, if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() });
    data
}

/// RFC 1071.
fn checksum(data: &[u8]) -> u16 {
    let word =
        |pair: &[u8]| pair.iter().zip([8, 0]).map(|(&byte, shift)| u32::from(byte) << shift).sum::<u32>();
    let mut sum: u32 = data.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16_of(sum as usize)
}

/// RFC 9260 appendix A.
fn crc32c(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn put<const N: usize>(data: &mut [u8], offset: usize, value: [u8; N]) {
    if let Some(field) = data.get_mut(offset..offset + N) {
        field.copy_from_slice(&value);
    }
}

fn u16_at(data: &[u8], offset: usize) -> Option<u16> {
    let (bytes, _) = data.get(offset..)?.split_first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// Lengths in the lab never pass one frame.
fn u16_of(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
