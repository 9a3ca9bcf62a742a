//! Free text of a policy in a ruleset that the real loader reads: it changes comments, and nothing else.

use std::path::Path;

use super::lab::{Invocation, Step, StepOutcome, run};
use super::require::ready;
use super::site::Site;
use crate::support::root;

/// Texts that have broken out of comments elsewhere, as a policy writes them.
const HOSTILE: [&str; 8] = [
    r#"a\"; accept comment \"b"#,
    r"two\nlines\n    accept",
    r"]]> <any/> & &amp;",
    r"$srcaddr ${HOME} $(id) `id`",
    r"{{ policy }} {% for x in y %} {# note #}",
    r"! remark\n permit ip any any",
    r#"back\\slash \\\" and \t tab"#,
    r"}\n}\ntable inet other { chain c { accept\n}\n}",
];

/// The shapes policy with a text as its title and as the reason of a rule.
fn with_text(text: &str, directory: &Path) -> Site {
    let policy = std::fs::read_to_string(root().join("tests/policies/shapes/shapes.cordon")).unwrap();
    let policy = policy.replace("policy \"shapes\"", &format!("policy \"{text}\"")).replace(
        "via tcp 3613, udp 5000-5016 }",
        &format!("via tcp 3613, udp 5000-5016  reason \"{text}\" }}"),
    );
    std::fs::write(directory.join("shapes.cordon"), policy).unwrap();
    Site::compile(directory)
}

/// What the kernel holds after loading, without the comment of the table.
fn loaded(site: &Site) -> Vec<String> {
    let list = Step::Run(Invocation::new("nft", &["-s", "list", "ruleset"]));
    let outcomes = run(&site.lab(vec![list])).unwrap();
    let StepOutcome::Output(listing) = &outcomes[0] else { panic!("{outcomes:?}") };
    let mut lines: Vec<String> =
        listing.lines().filter(|line| !line.starts_with("\tcomment ")).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn hostile_text_changes_nothing_that_the_kernel_enforces() {
    if !ready("hostile_text_changes_nothing_that_the_kernel_enforces", &["nft"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let plain = loaded(&with_text("plain", directory.path()));
    assert!(plain.len() > 100);
    let long = "long ".repeat(2_000);
    for text in HOSTILE.into_iter().chain([long.as_str()]) {
        assert_eq!(plain, loaded(&with_text(text, directory.path())), "{text}");
    }
}
