//! How large outputs are that could be large: what is short in a policy is short in the output.

use crate::support::{AS_OF, succeed};

/// The bytes of all files that a policy compiles to.
fn size(policy: &str) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let path = directory.path().to_string_lossy().into_owned();
    succeed(&["build", &path, "--as-of", AS_OF], "");
    let files = std::fs::read_dir(directory.path().join("build/core")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

/// Three zones on one firewall, the third of which is everything else: many ranges.
fn policy(target: &str, rules: &str) -> String {
    let [one, two, three] = if target == "pfsense" { ["lan", "opt1", "wan"] } else { ["a0", "b0", "wan0"] };
    format!(
        "policy \"sizes\"\nzone a {{ net 10.1.0.0/16, 2001:db8:1::/64 }}\n\
         zone b {{ net 10.2.0.0/16, 10.77.3.0/24, 2001:db8:2::/64, 2001:db8:77::/64 }}\nzone internet {{ rest }}\n\
         {rules}\nmanage admin {{ from b  via tcp 22 }}\nfirewall core {{\n  target {target}\n  \
         interface {one} zone a\n  interface {two} zone b\n  interface {three} zone internet\n}}\n"
    )
}

#[test]
fn a_rule_for_the_rest_of_the_world_does_not_list_it() {
    let service = |port| format!("allow out{port} {{ from a, b  to internet  via tcp {port} }}\n");
    let rules: Vec<String> = (1..=21).map(|number| service(400 + 2 * number)).collect();
    for (target, first_max, each_max) in
        [("nftables", 20_000, 600), ("iptables", 40_000, 600), ("pfsense", 15_000, 2_500)]
    {
        let (first, all) = (size(&policy(target, &rules[0])), size(&policy(target, &rules.concat())));
        let each = (all - first) / 20;
        let fits = first <= first_max && each <= each_max;
        assert!(fits, "{target}: {first} bytes for one rule, and {each} for each rule more");
    }
}

#[test]
fn many_hosts_and_many_ports_are_not_multiplied() {
    let hosts = |net: &str| (1..=40).map(|host| format!("{net}.{}", 3 * host)).collect::<Vec<_>>().join(", ");
    let ports = (0..40).map(|number| (1_000 + 7 * number).to_string()).collect::<Vec<_>>().join(", ");
    let rules = format!(
        "class many in a {{ hosts {} }}\nclass others in b {{ hosts {} }}\n\
         allow web {{ from many  to others  via tcp {ports} }}",
        hosts("10.1.0"),
        hosts("10.2.0"),
    );
    for target in ["nftables", "iptables", "pfsense"] {
        let size = size(&policy(target, &rules));
        assert!(size < 100_000, "{target}: {size} bytes for 40 hosts, 40 hosts and 40 ports");
    }
    let schedule = "schedule night { mon..sun 22:00-06:00  timezone utc }";
    let at_night = format!("{schedule}\n{}  during night }}", rules.trim_end_matches('}'));
    let size = size(&policy("nftables", &at_night));
    assert!(size < 100_000, "{size} bytes at night");
}

#[test]
fn a_range_of_addresses_is_not_taken_apart_into_prefixes() {
    let rule = |last: &str| {
        let class = format!("class some in a {{ hosts 2001:db8:1::1-2001:db8:1::{last} }}\n");
        size(&policy("nftables", &format!("{class}allow web {{ from some  to b  via tcp 443 }}")))
    };
    let (narrow, wide) = (rule("2"), rule("ffff:ffff:ffff:fffe"));
    assert!(wide < narrow + 200, "{narrow} bytes for a narrow range, {wide} for a wide one");
}
