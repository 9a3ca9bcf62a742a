//! What the code of `src` must not call: what panics, what prints, what touches the world, what has no order.

use super::files::File;
use super::paths::{leads_through, paths};
use super::rust::{Rust, line_of, words};
use super::{Finding, assert_lines, files, report};

/// Methods that end the program.
const PANICKING_METHODS: [&str; 4] = ["unwrap", "unwrap_err", "expect", "expect_err"];

/// Macros that end the program.
const PANICKING_MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];

/// Macros that print past the renderer of messages.
const PRINTING_MACROS: [&str; 5] = ["dbg", "print", "println", "eprint", "eprintln"];

/// Where files, the clock, the environment and the terminal may be touched.
const OUTERMOST: [&str; 2] = ["src/cli", "src/main.rs"];

/// What touches them. A path that ends in `now` does as well.
const WORLD: [&str; 15] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "std::io::IsTerminal",
];

/// Collections whose order differs from run to run.
const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];

fn panics_and_prints(file: &File) -> Vec<Finding> {
    let rust = Rust::new(file);
    let mut findings = Vec::new();
    for (line, text) in rust.shipped_lines() {
        let found = words(text).filter_map(|(place, word)| {
            let (before, after) = (text.get(..place)?, text.get(place + word.len()..)?);
            what_is_wrong(before, word, after)
        });
        findings.extend(found.map(|what| Finding::new(file, line, what)));
    }
    findings
}

fn what_is_wrong(before: &str, word: &str, after: &str) -> Option<String> {
    let is_macro = after.starts_with('!') && !after.starts_with("!=");
    if is_macro && PANICKING_MACROS.contains(&word) {
        return Some(format!(
            "`{word}!` ends the program; make it an error, or a bug that asks for a report"
        ));
    }
    if is_macro && PRINTING_MACROS.contains(&word) {
        return Some(format!("`{word}!` prints past the renderer; return a value or a diagnostic"));
    }
    let is_method = before.ends_with('.') || before.ends_with("::");
    (is_method && PANICKING_METHODS.contains(&word))
        .then(|| format!("`{word}` ends the program; use `?`, `let ... else` or a default"))
}

fn unsafe_code(file: &File) -> Vec<Finding> {
    let rust = Rust::new(file);
    let lines = files::numbered(&rust.code).filter(|(_, text)| words(text).any(|(_, word)| word == "unsafe"));
    lines.map(|(line, _)| Finding::new(file, line, "`unsafe`; find a crate that wraps the call")).collect()
}

/// A waiver without a reason.
fn waivers(file: &File) -> Vec<Finding> {
    let rust = Rust::new(file);
    let mut findings = Vec::new();
    for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (place, _) in rust.code.match_indices(opening) {
            let attribute =
                rust.code.get(place..).and_then(|rest| rest.split(']').next()).unwrap_or_default();
            if !words(attribute).any(|(_, word)| word == "reason") {
                let what = "a waiver without a reason; write `#[expect(..., reason = \"...\")]`";
                findings.push(Finding::new(file, line_of(&rust.code, place), what));
            }
        }
    }
    findings
}

fn world(file: &File) -> Vec<Finding> {
    if OUTERMOST.iter().any(|place| file.path == *place || file.is_below(place)) {
        return Vec::new();
    }
    let rust = Rust::new(file);
    let touches =
        |path: &str| path.ends_with("::now") || WORLD.iter().any(|start| leads_through(path, start));
    let found = paths(&rust.code).into_iter().filter(|(line, path)| rust.is_shipped(*line) && touches(path));
    let what = |path| format!("`{path}` outside of src/cli; hand in what it gives as an argument");
    found.map(|(line, path)| Finding::new(file, line, what(path))).collect()
}

fn unordered(file: &File) -> Vec<Finding> {
    let rust = Rust::new(file);
    let lines: Vec<&str> = file.text.lines().collect();
    let is_explained = |line: usize| {
        let above = lines.iter().take(line - 1).rev().take_while(|text| text.trim().starts_with("//"));
        lines.get(line - 1).into_iter().chain(above).any(|text| text.contains("INVARIANT:"))
    };
    let found =
        rust.shipped_lines().filter(|(_, text)| words(text).any(|(_, word)| UNORDERED.contains(&word)));
    let found = found.filter(|(line, _)| !is_explained(*line));
    let what = "an order that differs from run to run; use a BTreeMap or BTreeSet, or say behind `INVARIANT:` why \
                the order never reaches output";
    found.map(|(line, _)| Finding::new(file, line, what)).collect()
}

#[test]
fn the_stages_neither_panic_nor_print_nor_touch_the_world() {
    let rust = files::with_extension("rs").unwrap();
    let checks = [panics_and_prints, world, unordered];
    let stages = rust.iter().filter(|file| file.is_below("src"));
    let stages = stages.flat_map(|file| checks.iter().flat_map(move |check| check(file)));
    let everywhere = rust.iter().flat_map(|file| unsafe_code(file).into_iter().chain(waivers(file)));
    report(stages.chain(everywhere));
}

#[test]
fn a_panic_is_found_where_users_meet_it() {
    let check = |text: &str| panics_and_prints(&File::new("src/a.rs", text));
    assert_lines(
        &check("fn f() {\n    x.unwrap();\n    y.expect(\"b\");\n    z.map(Option::unwrap);\n}\n"),
        &[2, 3, 4],
    );
    assert_lines(&check("panic!();\ntodo!();\nunimplemented!();\nunreachable!()\n"), &[1, 2, 3, 4]);
    assert_lines(&check("x\n    .unwrap()\n"), &[2]);
    assert_lines(
        &check("x.unwrap_or(0);\nx.unwrap_or_default();\n#[expect(clippy::all)]\n\"panic!\"; // panic!\n"),
        &[],
    );
    assert_lines(
        &check("#[cfg(test)]\nmod tests {\n    fn f() {\n        x.unwrap();\n    }\n}\nx.unwrap();\n"),
        &[7],
    );
}

#[test]
fn a_print_is_found() {
    let check = |text: &str| panics_and_prints(&File::new("src/a.rs", text));
    assert_lines(
        &check("dbg!(x);\nprintln!();\neprintln!();\nprint!(\"\");\nwriteln!(f)?;\n"),
        &[1, 2, 3, 4],
    );
}

#[test]
fn unsafe_code_is_found_in_tests_too() {
    assert_lines(
        &unsafe_code(&File::new("tests/a.rs", "// unsafe\nunsafe { f() }\n\"unsafe\"\nunsafe_code\n")),
        &[2],
    );
}

#[test]
fn a_waiver_without_a_reason_is_found() {
    let check = |text: &str| waivers(&File::new("src/a.rs", text));
    assert_lines(&check("#[allow(dead_code)]\n#[expect(\n    a,\n    b\n)]\n"), &[1, 2]);
    assert_lines(&check("#![allow(\n    a,\n    reason = \"they [must]\"\n)]\n"), &[]);
}

#[test]
fn what_touches_the_world_is_found_outside_of_the_command_line() {
    let check = |path, text: &str| world(&File::new(path, text));
    let text =
        "use std::{fmt, fs::File};\nio::stdin();\nstd::env::var(\"A\");\njiff::Zoned::now();\nenv!(\"A\");\n";
    assert_lines(&check("src/set/a.rs", text), &[1, 2, 3, 4]);
    assert_lines(&check("src/cli/a.rs", text), &[]);
    assert_lines(&check("src/set/tests/a.rs", text), &[]);
}

#[test]
fn a_collection_without_order_is_found_unless_it_is_explained() {
    let check = |text: &str| unordered(&File::new("src/a.rs", text));
    assert_lines(&check("use std::collections::HashMap;\n"), &[1]);
    assert_lines(&check("// INVARIANT: only looked up,\n// never walked.\nlet x: HashSet<u8> = y;\n"), &[]);
}
