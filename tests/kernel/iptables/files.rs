//! The files themselves: what of a policy reaches them, and where.

use super::super::require::ready;
use super::super::shapes;
use super::super::site::{IPTABLES, Site};
use super::{FILES, changed, listing, outputs};
use crate::support::{AS_OF, cordon, root};

#[test]
fn free_text_reaches_the_files_in_comments_only_and_the_kernel_not_at_all() {
    let test = "free_text_reaches_the_files_in_comments_only_and_the_kernel_not_at_all";
    let loader = IPTABLES[1];
    let plain = changed(loader, &[]);
    let is_text = |line: &&str| !line.starts_with('#') || line.starts_with("#!");
    for text in [
        r#"x\" -j ACCEPT\n-A FORWARD -j ACCEPT"#,
        r"$(touch x) `id` ${HOME} ' \\",
        r"\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*filter",
        r"\nadd cordon0.4/at-src/ward0 0.0.0.0/1\n",
        r"{{ title }} {% for x in y %} {# note #}",
        &"long ".repeat(4_000),
    ] {
        let hostile = changed(
            loader,
            &[
                ("policy \"shapes\"", &format!("policy \"{text}\"")),
                ("via tcp/udp 53 }", &format!("via tcp/udp 53  reason \"{text}\" }}")),
            ],
        );
        for file in FILES {
            let (one, other) = (plain.file(file), hostile.file(file));
            let lines = |text: &str| text.lines().filter(is_text).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(lines(&one), lines(&other), "{file} with {text}");
            assert!(
                other.lines().all(|line| line.len() < 512),
                "{file}: old versions read 10,239 bytes of a line"
            );
        }
        if ready(test, loader.tools()) {
            let listed = |site: &Site| outputs(&site.lab(vec![listing(site)]));
            assert_eq!(listed(&plain), listed(&hostile), "{text}");
        }
    }
}

#[test]
fn a_change_of_one_rule_moves_only_the_lines_that_name_it() {
    let one = changed(IPTABLES[0], &[]);
    let other = changed(IPTABLES[0], &[("udp 5000-5016", "udp 5001-5003, 5100-5900")]);
    for file in FILES {
        let (before, after) = (one.file(file), other.file(file));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        let (before, after) = (lines(&before), lines(&after));
        for line in before.symmetric_difference(&after) {
            // A list of addresses that a rule has to itself is named after its content.
            assert!(line.contains("\"data\"") || line.contains("n/"), "{file}: {line}");
        }
    }
}

#[test]
fn an_extension_header_of_ipv6_is_an_error_unless_the_rule_lets_it_be_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let policy = std::fs::read_to_string(root().join("tests/policies/shapes/shapes.cordon")).unwrap();
    let policy = policy.replace("target nftables", "target iptables");
    let policy = policy.replace("via gre, protocol 97 }", "via gre, protocol 51 }");
    std::fs::write(directory.path().join("shapes.cordon"), &policy).unwrap();
    let (source, build) = (directory.path().to_string_lossy(), directory.path().join("build"));
    let output = cordon(&["build", &source, "--as-of", AS_OF, "--out", &build.to_string_lossy()], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && !build.exists());
    assert!(
        said.contains("C0703") && said.contains("`tunnel` cannot be expressed on `core`: protocol 51"),
        "{said}"
    );
    let left_out = [("via gre, protocol 97 }", "via gre, protocol 51  unsupported leave-out }")];
    let site = changed(IPTABLES[0], &left_out);
    assert!(site.file("rules.v4").contains("-p 51 "));
    assert!(!site.file("rules.v6").contains("-p 51 "));
}

#[test]
fn the_files_of_the_shapes_are_what_they_were() {
    let site = shapes::shapes_for(IPTABLES[0]);
    insta::with_settings!({
        snapshot_path => "../../policies/shapes/iptables",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for file in FILES {
            insta::assert_snapshot!(file, site.file(file));
        }
    });
}
