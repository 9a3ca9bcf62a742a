//! Policies with blanks, line ends and comments between any two of their tokens.

use cordon::diag::Diagnostics;
use cordon::emit::emit;
use cordon::plan::plan;
use cordon::syntax::ast;

use super::{formatted, styled};
use crate::random::{Dice, Random, Wanted, cases, read};
use crate::support::{hospital, root};

/// Cuts a text without comments into tokens; the cut is written anew here, so that a mistake in that of the formatter shows.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let (mut in_text, mut in_comment, mut escaped, mut joins) = (false, false, false, false);
    for character in text.chars() {
        let is_word = character.is_ascii_alphanumeric() || "_-.:/+*@%".contains(character);
        if in_text || in_comment {
            tokens.last_mut().unwrap().push(character);
            in_comment = in_comment && character != '\n';
            in_text = in_text && (escaped || character != '"');
            escaped = in_text && character == '\\' && !escaped;
            joins = false;
        } else if character.is_whitespace() {
            joins = false;
        } else if (joins && is_word)
            || (character == '=' && tokens.last().is_some_and(|last| last == "=" || last == "!"))
        {
            tokens.last_mut().unwrap().push(character);
        } else {
            tokens.push(character.to_string());
            (in_text, in_comment, joins) = (character == '"', character == '#', is_word);
        }
    }
    tokens.iter().map(|token| token.trim_end().to_owned()).collect()
}

/// The tokens with other space between them, and comments.
fn scrambled(tokens: &[String], dice: &mut Dice) -> String {
    let mut text = String::new();
    let is_word = |token: &str| !token.starts_with(['"', '{', '}', '(', ')', ',', '=', '!', '~', '#']);
    for (place, token) in tokens.iter().enumerate() {
        text += token;
        let next = tokens.get(place + 1).map_or("", String::as_str);
        // These words are words of the language only by what stands behind them, and a comment is not seen through.
        let is_late = ["accepted", "role", "trust", "ports"].contains(&token.as_str());
        text += match dice.below(14) {
            _ if token.starts_with('#') => "\n",
            0 if !(is_word(token) && is_word(next)) => "",
            1 => "\n",
            2 => "\r\n\t",
            3 => "\n\n\n \n",
            4 if !is_late => " # a \"comment\" { with marks  \n",
            5 if !is_late => "\n# alone\n\n# and another\n",
            _ => " ",
        };
    }
    text
}

/// The tree without places.
fn said(tree: &ast::File) -> String {
    let text = format!("{tree:?}");
    let mut parts = text.split("Span { start: ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |said, part| said + part.split_once('}').unwrap().1)
}

#[track_caller]
fn assert_same(text: &str) -> String {
    let (once, tree) = formatted(text);
    let (twice, again) = formatted(&once);
    assert_eq!(once, twice, "formatted twice, of:\n{text}");
    assert_eq!(said(&tree), said(&again), "{once}");
    assert_eq!(tokens(text), tokens(&once));
    let too_wide = |line: &&str| line.starts_with("\t") || line.ends_with(' ');
    assert_eq!(once.lines().find(too_wide), None);
    assert!(!once.contains("\n\n\n") && !once.contains('\r') && (once.is_empty() || once.ends_with('\n')));
    once
}

const ALL: Wanted = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };

#[test]
fn random_policies_mean_the_same_in_the_one_style() {
    let (mut comments, mut compiled) = (0, 0);
    for seed in cases(24) {
        let text = Random::new(seed, ALL).text("nftables", false);
        let mut dice = Dice::new(seed);
        let scrambled = scrambled(&tokens(&text), &mut dice);
        comments += scrambled.matches('#').count();
        let styled = assert_same(&scrambled);
        let [before, after] = [&text, &styled].map(|text| read(text).unwrap().policy);
        let [before, after] = [&before, &after].map(|policy| {
            let mut diagnostics = Diagnostics::default();
            (emit(&plan(policy), &mut diagnostics), diagnostics.has_errors())
        });
        compiled += usize::from(!after.0.is_empty());
        assert!(before == after, "policy {seed} compiles to something else:\n{styled}");
    }
    assert!(comments > 60 && compiled > 8, "{comments} comments, {compiled} policies compiled");
}

#[test]
fn the_examples_mean_the_same_however_they_are_written() {
    let mut files: Vec<_> =
        std::fs::read_dir(hospital()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(root().join("tests/ui/ok_exotic_spellings.cordon"));
    files.push(root().join("tests/ui/ok_trailing_commas.cordon"));
    files.push(root().join("tests/ui/ok_ports_is_a_name.cordon"));
    files.push(root().join("tests/policies/switch/switch.cordon"));
    let is_policy = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "cordon");
    let mut tried = 0;
    for path in files.into_iter().filter(is_policy) {
        let text = std::fs::read_to_string(&path).unwrap();
        let tokens = tokens(&text);
        assert_same(&text);
        for seed in 0..3 {
            assert_same(&scrambled(&tokens, &mut Dice::new(seed)));
            tried += 1;
        }
    }
    assert!(tried >= 48, "{tried}");
}

#[test]
fn a_comment_between_any_two_tokens_stays_there() {
    let text = "class k in a { members from inventory where not (b == \"x\" or c ~ d) at least 4   reaches e, f via tcp 1-2, any   log }";
    let tokens = tokens(text);
    for place in 0..=tokens.len() {
        for comment in ["# here\n", "\n# here\n\n"] {
            let (before, behind) = tokens.split_at(place);
            let text = format!("{} {comment}{}", before.join(" "), behind.join(" "));
            assert!(assert_same(&text).contains("# here\n"));
        }
    }
    assert_eq!(styled("zone a {rest# here\n}"), "zone a {\n  rest  # here\n}\n");
}
