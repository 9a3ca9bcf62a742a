//! The direction of imports: a stage imports only what `src/lib.rs` declares before it.

use super::files::File;
use super::paths::{leads_through, paths};
use super::rust::blank_out;
use super::{Finding, assert_lines, files, report};

/// The module that ties all others together.
const MAY_IMPORT_ALL: &str = "cli";

/// Modules that must not know each other, whatever their order, and why.
const STRANGERS: [(&str, &str, &str); 1] =
    [("read", "emit", "a reader that shares code with its emitter proves nothing")];

/// The modules that `src/lib.rs` declares, in its order.
fn declared(lib: &str) -> Vec<String> {
    let lines = lib.lines().map(|line| line.trim_start_matches("pub "));
    let names = lines.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The module that a file of `src` belongs to; `main.rs` and `lib.rs` belong to none.
fn module_of(path: &str) -> Option<&str> {
    let below = path.strip_prefix("src/")?;
    let module = below.split('/').next()?.trim_end_matches(".rs");
    (!matches!(module, "main" | "lib")).then_some(module)
}

fn direction(file: &File, order: &[String]) -> Vec<Finding> {
    let Some(module) = module_of(&file.path) else { return Vec::new() };
    let place = |name: &str| order.iter().position(|declared| declared == name);
    let Some(own) = place(module) else {
        return vec![Finding::new(file, 1, format!("src/lib.rs does not declare `{module}`; declare it"))];
    };
    let mut findings = Vec::new();
    for (line, path) in paths(&blank_out(&file.text)) {
        let Some(imported) = imported_module(&path, &file.path) else { continue };
        let Some(other) = place(imported) else { continue };
        if let Some(why) = strangers(module, imported) {
            let what = format!("`{module}` imports `{imported}`: {why}; move what both need before them");
            findings.push(Finding::new(file, line, what));
        } else if other > own && module != MAY_IMPORT_ALL {
            let what = format!(
                "`{module}` imports `{imported}`, a later stage; move what it needs to a stage before both, or \
                 declare the modules of src/lib.rs in the order that data flows"
            );
            findings.push(Finding::new(file, line, what));
        }
    }
    findings.dedup_by(|one, other| (one.line, &one.what) == (other.line, &other.what));
    findings
}

fn strangers(module: &str, imported: &str) -> Option<&'static str> {
    let pair = |(one, other, _): &&(&str, &str, _)| {
        (*one, *other) == (module, imported) || (*other, *one) == (module, imported)
    };
    STRANGERS.iter().find(pair).map(|(_, _, why)| *why)
}

/// The module of the crate that a path leads to: through `crate`, or through `super` where that is the crate's root.
fn imported_module<'p>(path: &'p str, file: &str) -> Option<&'p str> {
    let mut parts = path.split("::").skip_while(|part| matches!(*part, "super"));
    if leads_through(path, "crate") {
        return parts.nth(1);
    }
    let supers = path.split("::").take_while(|part| *part == "super").count();
    let depth = file.matches('/').count() - usize::from(file.ends_with("/mod.rs"));
    (supers > 0 && supers == depth).then(|| parts.next())?
}

#[test]
fn stages_import_only_what_comes_before_them() {
    let order = declared(&files::read("src/lib.rs").unwrap().text);
    assert!(order.len() > 1, "src/lib.rs declares its modules one a line");
    let rust = files::with_extension("rs").unwrap();
    report(rust.iter().flat_map(|file| direction(file, &order)));
}

#[test]
fn an_import_against_the_stream_is_found() {
    let order = declared("//! L.\npub mod source;\nmod set;\npub mod read;\npub mod emit;\npub mod cli;\n");
    assert_eq!(order, ["source", "set", "read", "emit", "cli"]);
    let check = |path, text: &str| direction(&File::new(path, text), &order);
    assert_lines(&check("src/set/a.rs", "use crate::{source::Span, emit::OutputFile};\n"), &[1]);
    assert_lines(&check("src/source.rs", "use std::fmt;\n\nfn f() -> crate::set::Set {}\n"), &[3]);
    assert_lines(&check("src/set/a.rs", "use super::super::cli::main;\n"), &[1]);
    assert_lines(&check("src/set/mod.rs", "use super::cli::main;\n"), &[1]);
    assert_lines(
        &check("src/set/a.rs", "use crate::set::b;\nuse super::b;\n// crate::cli is not used.\n"),
        &[],
    );
    assert_lines(&check("src/cli/a.rs", "use crate::emit::emit;\n"), &[]);
    assert_lines(&check("src/new.rs", "//! N.\n"), &[1]);
}

#[test]
fn reader_and_emitter_do_not_know_each_other_in_either_order() {
    for order in [["read", "emit"], ["emit", "read"]] {
        let order = order.map(str::to_owned);
        assert_lines(&direction(&File::new("src/read/a.rs", "use crate::emit::text;\n"), &order), &[1]);
        assert_lines(&direction(&File::new("src/emit/a.rs", "use crate::read::text;\n"), &order), &[1]);
    }
}
