//! `cordon init`: what it writes holds, and what is there already stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{AS_OF, cordon, root, succeed};

fn init(directory: &Path, more: &[&str]) -> (i32, String) {
    let place = directory.to_string_lossy();
    let output = cordon(&[&["init", &place], more].concat(), "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The files below a directory, by their paths in it.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(directory).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_init_writes_is_sound_and_is_the_example() {
    let place = tempfile::tempdir().unwrap();
    let clinic = place.path().join("a/clinic");
    let said = succeed(&["init", &clinic.to_string_lossy(), "--as-of", AS_OF], "");
    assert!(said.starts_with("wrote 11 files to ") && said.contains("cordon check "), "{said}");
    let policy = clinic.to_string_lossy();
    succeed(&["check", &policy, "--deny-warnings", "--as-of", AS_OF], "");
    succeed(&["build", &policy, "--as-of", AS_OF], "");
    assert!(clinic.join("build/core/ruleset.nft").is_file());
    fs::remove_dir_all(clinic.join("build")).unwrap();
    let example = root().join("examples/small-hospital");
    for file in files(&clinic) {
        assert_eq!(fs::read(clinic.join(&file)).unwrap(), fs::read(example.join(&file)).unwrap(), "{file}");
    }
    let mut known = files(&example);
    known.retain(|file| file != ".gitlab-ci.yml" && !file.starts_with("build/"));
    assert_eq!(files(&clinic), known, "init writes all of the example");
}

#[test]
fn each_ci_has_its_own_file_and_none_has_none() {
    for (ci, own) in
        [("github", Some(".github/workflows/policy.yml")), ("gitlab", Some(".gitlab-ci.yml")), ("none", None)]
    {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(init(place.path(), &["--ci", ci]).0, 0);
        let written = files(place.path());
        let of_ci: Vec<&str> = [".github/workflows/policy.yml", ".gitlab-ci.yml"]
            .into_iter()
            .filter(|file| written.iter().any(|written| written == file))
            .collect();
        assert_eq!(of_ci, own.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_name_with_quotes_is_that_name() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(init(place.path(), &["--name", r#"St. "Ann" \ North"#]).0, 0);
    let said = fs::read_to_string(place.path().join("zones.cordon")).unwrap();
    assert!(said.starts_with("policy \"St. \\\"Ann\\\" \\\\ North\"\n"), "{said}");
    succeed(&["check", &place.path().to_string_lossy(), "--as-of", AS_OF], "");
}

#[test]
fn a_name_that_looks_like_a_part_of_the_example_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let name = "Clinic until 2027-12-31";
    assert_eq!(init(place.path(), &["--as-of", "2030-01-01", "--name", name]).0, 0);
    let said = fs::read_to_string(place.path().join("zones.cordon")).unwrap();
    assert!(said.starts_with(&format!("policy \"{name}\"\n")), "{said}");
}

#[test]
fn a_name_that_no_line_can_hold_is_refused() {
    for name in ["", " ", "a\nb", "a\u{202e}b", "a\u{7}"] {
        let place = tempfile::tempdir().unwrap();
        let (code, said) = init(place.path(), &["--name", name]);
        assert_eq!((code, said.contains("one line of text")), (2, true), "{said}");
        assert!(files(place.path()).is_empty());
    }
}

#[test]
fn a_policy_that_is_there_stays_and_so_does_every_other_file() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("README.md"), "mine").unwrap();
    assert_eq!(init(place.path(), &[]).0, 0);
    assert_eq!(fs::read_to_string(place.path().join("README.md")).unwrap(), "mine");
    let before = files(place.path());
    let (code, said) = init(place.path(), &["--ci", "gitlab"]);
    assert_eq!(code, 2);
    assert!(said.contains("holds a policy already (`access.cordon`)"), "{said}");
    assert_eq!(files(place.path()), before);
}

#[test]
fn where_a_file_cannot_be_written_none_is() {
    let place = tempfile::tempdir().unwrap();
    // The tests are in a folder; a file of that name is in the way.
    fs::write(place.path().join("tests"), "").unwrap();
    let (code, said) = init(place.path(), &[]);
    assert_eq!(code, 2);
    assert!(said.contains("tests/verdicts.csv") && said.contains("nothing was written"), "{said}");
    assert_eq!(files(place.path()), ["tests"]);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_policy_of_any_day_starts_without_findings() {
    for (start, end, behind) in
        [("2026-01-01", "2027-12-31", "2028-01-01"), ("2031-12-31", "2032-12-31", "2033-01-01")]
    {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(init(place.path(), &["--as-of", start]).0, 0);
        let policy = place.path().to_string_lossy();
        let check =
            |day: &str| cordon(&["check", &policy, "--deny-warnings", "--as-of", day], "").status.code();
        assert_eq!([start, end, behind].map(check), [Some(0), Some(0), Some(1)], "{start}");
    }
}

#[test]
fn what_to_do_next_can_be_typed_as_it_stands() {
    for (name, word) in [
        ("clinic", Some("clinic")),
        ("St. Ann's", Some("'St. Ann'\\''s'")),
        ("-x", Some("./-x")),
        ("a$(b)", Some("'a$(b)'")),
        ("a\u{1b}[31mb", None),
    ] {
        let place = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_cordon"))
            .args(["init", "--", name])
            .current_dir(place.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains('\u{1b}'), "{said:?}");
        let Some(word) = word else {
            assert!(said.contains("in that directory\n  cordon check\n"), "{said}");
            continue;
        };
        let next = said.lines().find(|line| line.starts_with("  cordon check")).unwrap();
        assert_eq!(next, format!("  cordon check {word}"));
        let typed = Command::new("sh")
            .args(["-c", &next.replace("cordon", env!("CARGO_BIN_EXE_cordon"))])
            .current_dir(place.path())
            .status()
            .unwrap();
        assert!(typed.success(), "{next}");
    }
}

#[test]
fn within_a_repository_it_says_where_ci_looks_for_its_file() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join(".git")).unwrap();
    let inside = place.path().join("firewalls/policy");
    let said = succeed(&["init", &inside.to_string_lossy(), "--ci", "gitlab"], "");
    assert!(said.contains("CI looks for .gitlab-ci.yml at the root of that only"), "{said}");
    let said = succeed(&["init", &place.path().join("other").to_string_lossy(), "--ci", "none"], "");
    assert!(!said.contains("CI looks"), "{said}");
    let said = succeed(&["init", &place.path().to_string_lossy()], "");
    assert!(!said.contains("CI looks"), "the root itself: {said}");
}

#[test]
fn the_example_has_an_inventory_without_findings_and_a_report() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(init(place.path(), &["--as-of", AS_OF]).0, 0);
    let policy = place.path().to_string_lossy();
    let said = succeed(&["inventory", &policy, "--as-of", AS_OF], "");
    assert!(said.starts_with("7 devices (7 in known), 0 without an address\n"), "{said}");
    succeed(&["report", &policy, "--as-of", AS_OF], "");
    assert!(place.path().join("report/index.html").is_file());
}
