//! Whole configs: what cordon itself writes, and what others wrote.

use crate::support::root;
use cordon::read::cisco_ios::read;

/// The configs of the example, each with its filters.
const EXAMPLE: [(&str, usize); 3] = [("dist1", 22), ("dist2", 26), ("dist3", 14)];

/// Configs of others: lines understood and ignored, and lines with a mistake. The share of the first may only rise.
///
/// The first three are IOS. The others were written to try one parser on the systems of all makers: what they hold of
/// IOS is understood, the rest belongs to ASA, NX-OS, IOS XR and others, and must not be.
const OTHERS: [(&str, usize, usize); 18] = [
    ("as2border1.cfg", 134, 0),
    ("as2dept1.cfg", 97, 0),
    ("isp-as2border1.cfg", 139, 0),
    ("ios-acl", 14, 12),
    ("ios-acl-object-group", 8, 2),
    ("ios-acl-portgroup", 5, 12),
    ("ios-object-group-network", 15, 2),
    ("ios-object-group-service", 24, 1),
    ("iosAccessGroupAcl", 10, 2),
    ("cisco_ipv6_access_list", 8, 11),
    ("cisco_acl", 16, 65),
    ("vlan_access_map2", 6, 1),
    ("asa-acl-object", 1, 13),
    ("asa-filters", 11, 20),
    ("asa-nested-service-object-group", 5, 17),
    ("asa_acl", 1, 25),
    ("ios_xr_acl", 1, 50),
    ("nxos_ip_access_list", 1, 260),
];

#[test]
fn the_example_is_understood_as_a_whole() {
    for (device, filters) in EXAMPLE {
        let path = root().join(format!("examples/general-hospital/build/{device}/acl.cfg"));
        let reading = read(&std::fs::read_to_string(path).unwrap());
        assert_eq!(reading.mistakes, [], "{device}");
        assert_eq!(reading.lines.mistaken, 0);
        assert_eq!(reading.model.filters.len(), filters, "{device}");
        assert!(reading.model.filters.iter().all(|filter| !filter.otherwise_accept), "{device}");
    }
}

#[test]
fn configs_of_others_are_understood_as_far_as_they_were() {
    let mut report = String::new();
    for (file, known, mistaken) in OTHERS {
        let path = root().join("../shared/corpus/cisco").join(file);
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines = read(&String::from_utf8_lossy(&text)).lines;
        let found = lines.understood + lines.ignored;
        if found < known || lines.mistaken > mistaken {
            report.push_str(&format!("    (\"{file}\", {found}, {}),\n", lines.mistaken));
        }
    }
    assert_eq!(report, "", "less is understood than was");
}
