//! What `nfdump -o csv` prints of NetFlow and IPFIX.
//!
//! Up to version 1.7.4 the header is `ts,te,td,sa,da,sp,dp,pr,flg,...` with a summary behind the rows, as the manual page of
//! nfdump describes; from 1.7.5 on it is `firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows`, or
//! whatever `-o csv:%ts,%te,...` asks for (the table of tokens in its `src/output/output_csv.c`,
//! <https://github.com/phaag/nfdump>). Times are those of the machine that nfdump runs on, without a zone. A message of ICMP
//! stands in the destination port as TYPE.CODE, or as the number that NetFlow has for it, TYPE * 256 + CODE.
//!
//! A row is one direction of a connection, so nothing in it says who opened it.

use super::error::Problem;
use super::fields::{message, number, packet, time};
use super::table::{Column, Row};
use super::{Flow, Opener};

pub(super) const COLUMNS: &[Column] = &[
    (&["pr", "proto"], true),
    (&["sa", "srcaddr"], true),
    (&["da", "dstaddr"], true),
    (&["sp", "srcport"], true),
    (&["dp", "dstport"], true),
    (&["ts", "firstseen"], false),
    (&["te", "lastseen"], false),
    (&["fl", "flows"], false),
    (&["ibyt", "bytes", "inbytes"], false),
    (&["obyt", "outbytes"], false),
];

pub(super) fn flow(row: &Row) -> Result<Flow, Problem> {
    let first = time(row.get(5))?;
    Ok(Flow {
        packet: first_packet(row)?,
        opener: Opener::Unknown,
        flows: number("flows", row.get(7), 0, 1)?.max(1),
        bytes: number("bytes", row.get(8), 0, 0)?.saturating_add(number("obyt", row.get(9), 0, 0)?),
        first,
        last: time(row.get(6))?.or(first),
    })
}

fn first_packet(row: &Row) -> Result<crate::set::Packet, Problem> {
    let (proto, src, dst, sport, dport) = (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
    if ["icmp", "icmp6", "ipv6-icmp", "icmpv6", "1", "58"].iter().any(|name| proto.eq_ignore_ascii_case(name))
    {
        let wrong = || Problem::Message(dport.to_owned());
        let [message_type, code] = match dport.split_once('.') {
            Some((message_type, code)) => {
                let field = |text: &str| text.parse::<u8>().map_err(|_| wrong());
                [field(message_type)?, field(code)?]
            }
            None => dport.parse::<u16>().map_err(|_| wrong())?.to_be_bytes(),
        };
        return message(src, dst, message_type, code);
    }
    packet(proto, src, dst, sport, dport)
}
