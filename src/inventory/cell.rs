//! Cells: what the text of one says.

use std::net::IpAddr;

use jiff::civil::Date;

use crate::ir::Mac;

/// What exports write where they know nothing.
const NOTHING: [&str; 10] = ["", "-", "--", "n/a", "na", "null", "nil", "none", "unknown", "[]"];

/// A cell without what surrounds its text; empty if the export knows nothing.
pub(super) fn text(cell: &str) -> &str {
    let text = bare(cell);
    if NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text)) { "" } else { text }
}

/// A text without blanks, brackets and quotes around it, which lists in cells leave behind.
pub(super) fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\''))
}

/// The parts of a cell that holds a list.
fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', '|', '\n']).map(text).filter(|part| !part.is_empty())
}

/// Adds the addresses of a cell.
///
/// A length behind an address is that of its network (`10.1.2.3/24`). Any other remark behind a slash says that it is not,
/// or no longer, the address of this device: xDome writes `10.1.2.3 / (Last Known IP)`, or the id of a device behind it.
/// Such addresses are left out, as are those that no router forwards.
pub(super) fn addresses(cell: &str, found: &mut Vec<IpAddr>, unreadable: &mut impl FnMut(&str)) {
    for part in parts(cell) {
        let address = match part.split_once('/') {
            Some((address, length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => address,
            Some(_) => continue,
            None => part,
        };
        let address = address.split('%').next().unwrap_or_default().trim();
        match address.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => unreadable(part),
            Ok(address) if is_routed(address) => found.push(address),
            Ok(_) => {}
            Err(_) => unreadable(part),
        }
    }
}

/// False for addresses of which no packet passes a router: unspecified, of the machine itself, of the link, of groups.
fn is_routed(address: IpAddr) -> bool {
    let of_link = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || of_link)
}

/// Adds the MAC addresses of a cell: twelve hexadecimal digits, with or without `:`, `-` or `.` between them.
pub(super) fn macs(cell: &str, found: &mut Vec<Mac>, unreadable: &mut impl FnMut(&str)) {
    for part in parts(cell) {
        match mac(part) {
            Some(mac) => found.push(mac),
            None => unreadable(part),
        }
    }
}

fn mac(text: &str) -> Option<Mac> {
    let mut bytes = [0_u8; 6];
    let mut digits = text.chars().filter(|c| !matches!(c, ':' | '-' | '.'));
    for byte in &mut bytes {
        let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    digits.next().is_none().then_some(Mac(bytes))
}

/// The day that a cell names as YYYY-MM-DD, with or without a time behind it. Other orders of day and month are not
/// guessed.
pub(super) fn date(cell: &str) -> Option<Date> {
    let (day, rest) = cell.split_at_checked(10)?;
    let day_alone = rest.is_empty() || rest.starts_with(['T', ' ']);
    let digits = day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if day_alone && digits { day.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_addresses(cell: &str) -> (String, Vec<String>) {
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        addresses(cell, &mut found, &mut |part| unreadable.push(part.to_owned()));
        (found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), unreadable)
    }

    #[test]
    fn addresses_are_read_as_tools_write_them() {
        let found = |cell| {
            let (found, unreadable) = check_addresses(cell);
            assert!(unreadable.is_empty(), "{unreadable:?}");
            found
        };
        assert_eq!(found("10.1.2.3"), "10.1.2.3");
        assert_eq!(found("10.1.2.3/24, 2001:db8::1/64"), "10.1.2.3 2001:db8::1");
        assert_eq!(found("[\"10.1.2.3\", \"10.1.2.4\"]"), "10.1.2.3 10.1.2.4");
        assert_eq!(found("10.1.2.3;10.1.2.4|10.1.2.5\n10.1.2.6"), "10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6");
        assert_eq!(found("N/A"), "");
        assert_eq!(found("169.254.1.1, fe80::1%eth0, 127.0.0.1, 0.0.0.0, 224.0.0.1"), "");
    }

    #[test]
    fn an_address_that_is_no_longer_the_devices_own_is_left_out() {
        assert_eq!(check_addresses("10.1.2.3 / (Last Known IP), 10.1.2.4"), ("10.1.2.4".to_owned(), vec![]));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for cell in ["10.1.2", "DHCP", "010.1.2.3", "::ffff:10.1.2.3", "10.1.2.3-10.1.2.9"] {
            assert_eq!(check_addresses(cell), (String::new(), vec![cell.to_owned()]), "{cell}");
        }
    }

    #[test]
    fn mac_addresses_come_in_four_forms() {
        let mut found = Vec::new();
        macs("00:07:4D:C1:06:20, 00-07-4d-c1-06-20; 0007.4dc1.0620|00074dc10620", &mut found, &mut |part| {
            panic!("{part}")
        });
        assert!(found.len() == 4 && found.iter().all(|mac| mac.to_string() == "00:07:4d:c1:06:20"));
        let mut bad = Vec::new();
        macs("00:07:4d:c1:06, 00:07:4d:c1:06:20:11, zz:07:4d:c1:06:20", &mut found, &mut |part| {
            bad.push(part.to_owned())
        });
        assert_eq!(bad.len(), 3);
    }

    #[test]
    fn only_one_order_of_year_month_and_day_is_read() {
        assert_eq!(date("2025-09-01"), "2025-09-01".parse().ok());
        assert_eq!(date("2025-09-01T00:00:00.000Z"), "2025-09-01".parse().ok());
        assert_eq!(date("2025-09-01 00:00:00"), "2025-09-01".parse().ok());
        for cell in ["09/01/2025", "01.09.2025", "2025-9-1", "2025-02-30", "2025", "2025-09-011", "2025-09-ü"]
        {
            assert_eq!(date(cell), None, "{cell}");
        }
    }
}
