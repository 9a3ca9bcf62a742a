//! The inputs that are kept in `fuzz`: what fuzzers reached the code with, and what they once found. Each target is run over
//! its own, as the fuzzer runs it.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::root;

#[expect(unreachable_pub, reason = "the fuzz targets are a library of their own, of which this is a copy")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use self::targets::{TARGETS, Target};

/// The folders of inputs. What was found need not be there.
const KEPT: [&str; 2] = ["corpus", "regressions"];

/// What one input may take in a build that is not optimised, on a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// What all inputs together may take of the repository.
const MAX_BYTES: u64 = 1 << 20;

/// The files of a folder, sorted; none if it is not there.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn inputs(name: &str) -> Vec<PathBuf> {
    KEPT.iter().flat_map(|kept| files_in(&root().join("fuzz").join(kept).join(name))).collect()
}

/// Runs a target over some inputs; those at which it panics or takes too long.
fn failing(target: Target, paths: &[PathBuf]) -> Vec<&PathBuf> {
    let fails = |path: &&PathBuf| {
        let data = fs::read(path).unwrap();
        let start = Instant::now();
        catch_unwind(|| target(&data)).is_err() || start.elapsed() > BOUND
    };
    paths.iter().filter(fails).collect()
}

#[track_caller]
fn check(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let paths = inputs(name);
    assert!(paths.len() > 10, "{name} has {} inputs, too few for a corpus", paths.len());
    let failing = failing(*target, &paths);
    assert!(failing.is_empty(), "{name} fails at {failing:#?}; see fuzz/README.md for how to run one");
}

#[test]
fn any_text_is_read_as_a_policy() {
    check("policy");
}

#[test]
fn any_text_is_read_as_a_ruleset_of_nftables() {
    check("nftables");
}

#[test]
fn any_text_is_read_as_rules_of_iptables() {
    check("iptables");
}

#[test]
fn any_text_is_read_as_a_config_of_cisco_ios() {
    check("cisco_ios");
}

#[test]
fn any_text_is_read_as_a_config_of_pfsense() {
    check("pfsense");
}

#[test]
fn what_is_emitted_is_read_back_as_the_policy() {
    check("emit_then_read");
}

#[test]
fn most_choices_make_policies_with_rules() {
    let paths = inputs("emit_then_read");
    for platform in targets::PLATFORMS {
        let rules = paths.iter().filter_map(|path| targets::proved(&fs::read(path).unwrap(), platform));
        let with_rules = rules.filter(|rules| *rules > 1).count();
        assert!(with_rules * 2 > paths.len(), "{platform}: {with_rules} of {} have rules", paths.len());
    }
}

#[test]
fn a_target_that_panics_is_found() {
    let panics: Target = |data| assert!(data.is_empty(), "as it has to");
    let paths = inputs("policy");
    assert_eq!(failing(panics, &paths[..1]), [&paths[0]]);
}

#[test]
fn each_target_has_a_program_a_dictionary_and_a_corpus_and_nothing_else_has() {
    let names = |folder: &str| -> Vec<String> {
        let paths = files_in(&root().join("fuzz").join(folder)).into_iter();
        paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let mut targets: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    assert!(names("regressions").iter().all(|name| targets.contains(name)));
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for target in targets.iter().filter(|target| *target != "emit_then_read") {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "fuzz/Cargo.toml lacks {target}");
        assert!(names("dictionaries").contains(target), "{target} has no dictionary");
    }
}

#[test]
fn the_inputs_stay_small() {
    let paths = TARGETS.iter().flat_map(|(name, _)| inputs(name));
    let bytes: u64 = paths.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes < MAX_BYTES, "{bytes} bytes; keep fewer inputs, or smaller ones");
}
