//! `hits` and `logs`: what devices count and log, in the words of the policy. What the kernel counts is tested in `kernel`.

mod hits;
mod logs;

use crate::support::{AS_OF, cordon, directory, examples, root, said, succeed};

/// A policy with an enforcement point of each kind, of which the folder `tests/observe` has counters and logs.
const POLICY: &str = "tests/policies/observed";

/// The files with counters, each named after its enforcement point.
const FILES: [&str; 4] = ["core", "dist", "edge", "gate"];

/// A file of the folder.
fn sample(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/observe").join(name)).unwrap()
}

/// Exit code, standard output and standard error of a command on the policy.
fn run(command: &str, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let policy = root().join(POLICY).to_string_lossy().into_owned();
    let input = String::from_utf8_lossy(input);
    said(cordon(&[&[command, &policy, "--as-of", AS_OF], arguments].concat(), &input))
}

/// The answer of a command in JSON.
fn answer(command: &str, arguments: &[&str]) -> serde_json::Value {
    let (code, out, err) = run(command, &[arguments, &["--format", "json"]].concat(), b"");
    assert_eq!(code, 0, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&document["version"], &document["command"]), (&1.into(), &command.into()));
    document["result"].clone()
}

#[test]
fn the_page_shows_what_the_commands_say() {
    let page = std::fs::read_to_string(root().join("docs/observe.md")).unwrap();
    let mut shown = 0;
    for (command, said) in examples(&page) {
        let arguments: Vec<&str> = command.split(' ').skip(1).chain(["--as-of", AS_OF]).collect();
        assert_eq!(said, succeed(&arguments, "").trim(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}
