//! What `nmap -oX` writes (nmap.dtd 1.05), as a table with one row for each host that is up.

use std::ops::Range;

use csv::StringRecord;
use roxmltree::{Document, Node, ParsingOptions};

use super::error::InventoryError;
use super::table::{Row, Rows, shown};
use crate::source::SourceFile;

/// The columns, named after the elements and attributes that they are from.
const COLUMNS: [&str; 9] = [
    "hostname",
    "ipv4",
    "ipv6",
    "mac",
    "mac_vendor",
    "osmatch",
    "osclass_type",
    "osclass_vendor",
    "open_ports",
];

/// The largest number of elements, attributes and texts of a file.
const MAX_NODES: u32 = 50_000_000;

/// Reads the hosts of a scan.
pub(super) fn hosts(file: &SourceFile) -> Result<Rows<'_>, InventoryError> {
    let failed = |what: String, place: Range<usize>| InventoryError::Table {
        path: file.path().to_owned(),
        what,
        span: file.span(place),
    };
    // Newer scans begin with `<!DOCTYPE nmaprun>`.
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(file.text(), options)
        .map_err(|problem| failed(format!("it is no XML: {problem}"), 0..0))?;
    let root = document.root_element();
    if !root.has_tag_name("nmaprun") {
        return Err(failed("it is no scan of Nmap: its first element is not `nmaprun`".to_owned(), 0..0));
    }
    let hosts = root.children().filter(|node| node.has_tag_name("host") && is_up(*node));
    let rows: Vec<_> = hosts
        .map(|host| {
            let start = u64::try_from(host.range().start).unwrap_or(0);
            Ok(Row { cells: cells(host), place: shown(file.text(), start) })
        })
        .collect();
    Ok(Rows { header: COLUMNS.map(str::to_owned).to_vec(), rows: Box::new(rows.into_iter()) })
}

fn is_up(host: Node) -> bool {
    let status = host.children().find(|node| node.has_tag_name("status"));
    status.is_none_or(|status| status.attribute("state") != Some("down"))
}

fn cells(host: Node) -> StringRecord {
    let addresses = |kind: &str| {
        let of_kind = host
            .children()
            .filter(|node| node.has_tag_name("address") && node.attribute("addrtype") == Some(kind));
        of_kind.filter_map(|node| node.attribute("addr")).collect::<Vec<_>>().join(",")
    };
    let first = |tag: &str, attribute: &str| {
        let found =
            host.descendants().find(|node| node.has_tag_name(tag) && node.attribute(attribute).is_some());
        found.and_then(|node| node.attribute(attribute)).unwrap_or_default().to_owned()
    };
    let open = host.descendants().filter(|node| node.has_tag_name("port")).filter_map(|port| {
        let state = port.children().find(|node| node.has_tag_name("state"))?;
        let number = port.attribute("portid").filter(|_| state.attribute("state") == Some("open"))?;
        Some(format!("{}/{number}", port.attribute("protocol")?))
    });
    let record = [
        first("hostname", "name"),
        addresses("ipv4"),
        addresses("ipv6"),
        addresses("mac"),
        first("address", "vendor"),
        first("osmatch", "name"),
        first("osclass", "type"),
        first("osclass", "vendor"),
        open.collect::<Vec<_>>().join(" "),
    ];
    StringRecord::from(record.to_vec())
}
