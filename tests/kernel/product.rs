//! Rules that are large products, which stand in sets of their own, in the kernel.

use super::require::ready;
use super::site::{Loader, Site};

/// So many hosts of a net of each family, none beside another.
fn hosts(v4: &str, v6: &str, count: u32) -> String {
    let each = (1..=count).map(|number| format!("{v4}.{}, {v6}{:x}", 3 * number, 3 * number));
    each.collect::<Vec<_>>().join(", ")
}

/// Products over ports, source ports and messages, of which one logs, and one is cut by a denial that logs.
fn site() -> Site {
    let directory = tempfile::tempdir().unwrap();
    let ports = |first: u16| (0..8).map(|step| (first + 7 * step).to_string()).collect::<Vec<_>>().join(", ");
    let text = format!(
        "zone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }}
zone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}
class many   in a {{ hosts {} }}
class others in b {{ hosts {} }}
class few    in b {{ hosts 10.2.0.6, 2001:db8:2::6 }}
allow data     {{ from many  to others  via tcp {}, udp {} source-port 5000-5001 }}
allow logged   {{ from others  to many  via tcp {}, icmp echo-request, icmpv6 echo-request  log }}
forbid cut     {{ from many  to few  via tcp 1007-1014  log }}
firewall core {{
  target nftables
  interface a0 zone a
  interface b0 zone b
}}
manage entry {{ from a  to core  via tcp 22 }}
",
        hosts("10.1.0", "2001:db8:1::", 12),
        hosts("10.2.0", "2001:db8:2::", 12),
        ports(1000),
        ports(3000),
        ports(2000),
    );
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    Site::compile_for(directory.path(), Loader::Nftables)
}

#[test]
fn hazard_11_a_product_in_sets_of_its_own_has_the_edges_of_the_policy() {
    if !ready("hazard_11_a_product_in_sets_of_its_own_has_the_edges_of_the_policy", &["nft"]) {
        return;
    }
    let site = site();
    let ruleset = site.ruleset();
    for set in ["a0/b0/v4/data/1/from", "a0/b0/v6/data/1/source-ports", "b0/a0/v4/logged/1/ports"] {
        assert!(ruleset.contains(&format!("    set pair/{set} {{\n")), "no set {set}");
    }
    let tried = site.try_edges();
    assert!(tried.allowed > 300 && tried.denied > 500, "{tried:?}");
}
