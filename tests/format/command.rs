//! The command: exit codes, what goes to which stream, and what happens to files.

use std::fs;
use std::path::Path;

use crate::support::{cordon, cordon_on_full_disk, directory, said};

const UGLY: &str = "zone a{rest}";
const GOOD: &str = "zone a { rest }\n";

fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    said(cordon(&[&["fmt"], arguments].concat(), input))
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn read(directory: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).unwrap()
}

#[test]
fn a_policy_is_written_with_all_that_it_includes_and_nothing_else() {
    let files = [
        ("a.cordon", "include   \"more\""),
        ("b.cordon", GOOD),
        ("more/c.cordon", UGLY),
        ("other/d.cordon", UGLY),
        ("a.txt", UGLY),
    ];
    let policy = directory(&files);
    let path = name(policy.path());
    let (code, out, err) = run(&["--check", &path], "");
    assert_eq!((code, out.as_str()), (1, format!("{path}/a.cordon\n{path}/more/c.cordon\n").as_str()));
    assert_eq!(err, "would format 2 of 3 files\n");
    assert_eq!(read(&policy, "more/c.cordon"), UGLY);

    let (code, out, err) = run(&[&path, &format!("{path}/b.cordon")], "");
    assert_eq!((code, out.lines().count(), err.as_str()), (0, 2, "formatted 2 of 3 files\n"));
    assert_eq!(read(&policy, "a.cordon"), "include \"more\"\n");
    assert_eq!(read(&policy, "more/c.cordon"), GOOD);
    assert_eq!((read(&policy, "other/d.cordon"), read(&policy, "a.txt")), (UGLY.to_owned(), UGLY.to_owned()));
    assert_eq!(run(&["--check", &path], "").0, 0);
}

#[test]
fn a_difference_is_shown_and_nothing_is_written() {
    let policy = directory(&[("a.cordon", UGLY)]);
    let path = name(&policy.path().join("a.cordon"));
    let (code, out, _) = run(&["--diff", &path], "");
    assert_eq!(code, 1);
    assert!(out.contains(&format!("--- a/{path}\n")) && out.contains("-zone a{rest}\n"), "{out}");
    assert!(out.contains("+zone a { rest }\n"), "{out}");
    assert_eq!(read(&policy, "a.cordon"), UGLY);
    fs::write(policy.path().join("a.cordon"), GOOD).unwrap();
    assert_eq!(run(&["--diff", &path], "").0, 0);
}

#[test]
fn a_file_with_mistakes_is_left_alone_and_others_are_written() {
    let broken = "zone b {net}\nzone c{ rest";
    let hidden = "zone a{rest} # \u{202e}";
    let policy = directory(&[("a.cordon", UGLY), ("b.cordon", broken), ("c.cordon", hidden)]);
    let (code, out, err) = run(&[&name(policy.path())], "");
    assert_eq!((code, out.lines().count()), (2, 1));
    assert!(err.contains("C0002") && err.contains("b.cordon:2:7") && err.contains("C0006"), "{err}");
    assert!(
        err.ends_with("cordon: 2 files have mistakes in their form, and are left as they are\n"),
        "{err}"
    );
    let found = ["a.cordon", "b.cordon", "c.cordon"].map(|name| read(&policy, name));
    assert_eq!(found, [GOOD, broken, hidden]);
    assert_eq!(run(&["--check", &name(policy.path())], "").0, 2);
}

#[test]
fn an_include_that_leads_nowhere_is_said() {
    let policy = directory(&[("a.cordon", "include \"gone.cordon\"\nzone a{rest}")]);
    let (code, _, err) = run(&[&name(policy.path())], "");
    assert!(code == 2 && err.contains("C0802"), "{err}");
    assert_eq!(read(&policy, "a.cordon"), format!("include \"gone.cordon\"\n{GOOD}"));
    // By itself, a file does not need what it includes.
    assert_eq!(run(&["--check", &name(&policy.path().join("a.cordon"))], "").0, 0);
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let policy = directory(&[("a.cordon", UGLY)]);
    let good = name(policy.path());
    fs::create_dir(policy.path().join("empty")).unwrap();
    fs::write(policy.path().join("odd.txt"), b"zone \xff").unwrap();
    for (other, said) in
        [("gone.cordon", "No such file"), ("empty", "there is no policy"), ("odd.txt", "not UTF-8")]
    {
        let other = name(&policy.path().join(other));
        let (code, out, err) = run(&[&good, &other], "");
        assert!(code == 2 && out.is_empty() && err.contains(said), "{err}");
        assert_eq!(read(&policy, "a.cordon"), UGLY);
    }
    assert_eq!(run(&["--check", "--diff", &good], "").0, 2);
    assert_eq!(run(&["-", &good], "").0, 2);
}

#[test]
fn a_disk_that_is_full_changes_nothing() {
    let long = "zone a{rest}\n".repeat(1_000);
    let policy = directory(&[("a.cordon", UGLY), ("b.cordon", &long)]);
    let output = cordon_on_full_disk(4, &["fmt", &name(policy.path())]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((read(&policy, "a.cordon"), read(&policy, "b.cordon")), (UGLY.to_owned(), long));
}

#[test]
fn standard_input_goes_to_standard_output() {
    assert_eq!(run(&["-"], UGLY), (0, GOOD.to_owned(), String::new()));
    assert_eq!(run(&["-", "--check"], GOOD), (0, String::new(), String::new()));
    assert_eq!(run(&["-", "--check", "--stdin-filename", "x.cordon"], UGLY).1, "x.cordon\n");
    assert_eq!(run(&["-", "--check"], UGLY).0, 1);
    let (code, out, err) = run(&["-", "--stdin-filename", "x.cordon"], "zone {");
    assert!(code == 2 && out.is_empty() && err.contains("x.cordon:1:"), "{err}");
}

#[test]
fn marks_of_editors_and_their_line_ends_go() {
    let marked = format!("\u{feff}{GOOD}");
    let policy = directory(&[("a.cordon", &marked), ("b.cordon", "zone b {\r\n  rest\r\n}\r\n")]);
    assert_eq!(run(&[&name(policy.path())], "").0, 0);
    assert_eq!(read(&policy, "a.cordon"), GOOD);
    assert_eq!(read(&policy, "b.cordon"), "zone b {\n  rest\n}\n");
    assert_eq!(run(&["-"], &marked).1, GOOD);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_rights_stay() {
    use std::os::unix::fs::PermissionsExt;
    let policy = directory(&[("real.cordon", UGLY)]);
    let (link, real) = (policy.path().join("link.cordon"), policy.path().join("real.cordon"));
    std::os::unix::fs::symlink("real.cordon", &link).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(run(&[&name(policy.path())], "").2, "formatted 1 of 1 file\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(read(&policy, "real.cordon"), GOOD);
}
