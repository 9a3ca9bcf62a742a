//! `hits` and `logs`: what devices count and log, in the words of the policy. What the kernel counts is tested in `kernel`.

mod hits;
mod logs;

use crate::support::{AS_OF, cordon, root, succeed};

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
    let output = cordon(&[&[command, &policy, "--as-of", AS_OF], arguments].concat(), &input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The answer of a command in JSON.
fn answer(command: &str, arguments: &[&str]) -> serde_json::Value {
    let (code, out, err) = run(command, &[arguments, &["--format", "json"]].concat(), b"");
    assert_eq!(code, 0, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&document["version"], &document["command"]), (&1.into(), &command.into()));
    document["result"].clone()
}

/// A directory with files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

#[test]
fn the_page_shows_what_the_commands_say() {
    let page = std::fs::read_to_string(root().join("docs/observe.md")).unwrap();
    let mut shown = 0;
    for example in page.split("    $ cordon ").skip(1) {
        let (command, rest) = example.split_once('\n').unwrap();
        let block = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        let block: Vec<&str> = block.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        let arguments: Vec<&str> = command.split(' ').chain(["--as-of", AS_OF]).collect();
        assert_eq!(block.join("\n").trim(), succeed(&arguments, "").trim(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}
