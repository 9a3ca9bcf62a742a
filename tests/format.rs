//! `cordon fmt`: what it makes of text keeps every token and all meaning, it is done after one run, and the command does
//! what it says with files.

mod command;
mod meaning;

use cordon::diag::Diagnostics;
use cordon::format::format;
use cordon::source::Sources;
use cordon::syntax::{ast, parse};

use crate::support::root;

/// The text in the one style, and the tree of what it was made of.
fn formatted(text: &str) -> (String, ast::File) {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("test.cordon".to_owned(), text.to_owned()).unwrap();
    let tree = parse(source, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}\n{text}");
    (format(source).unwrap(), tree)
}

/// The text in the one style.
fn styled(text: &str) -> String {
    formatted(text).0
}

#[test]
fn an_ugly_file_becomes_readable() {
    let ugly = std::fs::read_to_string(root().join("tests/format/ugly.cordon.txt")).unwrap();
    let text = styled(&(ugly + "# no line end behind, \t "));
    assert_eq!(styled(&text), text);
    insta::with_settings!({snapshot_path => root().join("tests/format")}, {
        insta::assert_snapshot!("ugly", text);
    });
}

#[test]
fn the_examples_are_in_the_one_style() {
    let folders = [
        "examples/general-hospital",
        "examples/custom-target",
        "tests/policies/one-firewall",
        "tests/policies/shapes",
        "tests/policies/switch",
    ];
    let mut files = 0;
    for folder in folders {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "cordon") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(styled(&text), text, "{}: run `cordon fmt {folder}`", path.display());
                files += 1;
            }
        }
    }
    assert!(files >= 17, "only {files} files were found");
}

#[test]
fn what_fits_is_a_row_and_what_does_not_is_a_block() {
    // The head of 14 characters, and ` }` behind, leave 114 of 130 for what stands between.
    let rule = |length: usize| {
        format!("forbid ab12 {{ from a  to b  via any   reason \"{}\" }}", "r".repeat(length))
    };
    let fits = rule(130 - rule(0).len());
    assert_eq!(styled(&fits), fits.clone() + "\n");
    let longer = rule(131 - rule(0).len());
    let lines: Vec<String> = styled(&longer).lines().map(str::to_owned).collect();
    assert_eq!((lines.len(), lines[0].as_str(), lines[2].as_str()), (3, "forbid ab12 {", "}"));
}

#[test]
fn a_block_that_the_author_chose_stays_one() {
    let block = "zone a {\n  net 10.0.0.0/8   phi store\n  owner x\n}\n";
    assert_eq!(styled(block), block);
    assert_eq!(styled("zone a { net 10.0.0.0/8\nphi store }"), "zone a { net 10.0.0.0/8   phi store }\n");
}

#[test]
fn a_table_ends_at_a_blank_line_but_not_at_a_comment() {
    let text = "group a { b }\n# why\ngroup long { b }\n\n\n\ngroup c { b }\nzone longest { rest }";
    let expected = "group a    { b }\n# why\ngroup long { b }\n\ngroup c { b }\nzone longest { rest }\n";
    assert_eq!(styled(text), expected);
}

#[test]
fn interfaces_stand_in_columns() {
    let text = "firewall f { target x interface a zone b interface long to g cost 5 note \"n\" }\n".repeat(2);
    let one = "firewall f { target x   interface a zone b   interface long to g   cost 5   note \"n\" }\n";
    assert_eq!(styled(&text), one.repeat(2));
    let block = styled(&text.replace('{', "{\n"));
    assert!(
        block.contains("\n  interface a    zone b\n  interface long to g   cost 5   note \"n\"\n"),
        "{block}"
    );
}

#[test]
fn files_with_odd_ends_are_formatted() {
    assert_eq!(styled(""), "");
    assert_eq!(styled("\r\n \t\r\n"), "");
    assert_eq!(styled("\n\n# only"), "# only\n");
    assert_eq!(styled("# one \r\n\r\n\r\n# two\t"), "# one\n\n# two\n");
    assert_eq!(styled("zone a {\r\n\trest\r\n}\r\n"), "zone a {\n  rest\n}\n");
    assert_eq!(styled("zone a { rest } # end"), "zone a { rest }  # end\n");
}

#[test]
fn a_list_of_a_megabyte_is_broken_behind_commas() {
    let names: Vec<String> = (0..100_000).map(|number| format!("name{number}")).collect();
    let text = format!("group everyone {{ {} }}", names.join(","));
    let (start, lines) = (std::time::Instant::now(), styled(&text));
    assert!(lines.lines().all(|line| line.len() <= 130) && lines.lines().count() > 5_000);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
