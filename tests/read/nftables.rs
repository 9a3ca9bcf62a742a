//! The reader of nftables: constructs one by one, mistakes, hostile texts, real configs, and what the real tool prints.

mod evaluate;
mod hostile;
mod mistakes;
mod real;
mod semantics;
mod structure;

use cordon::read::{Model, Reading, nftables};

/// The model of a text without mistakes.
#[track_caller]
fn model(text: &str) -> Model {
    let Reading { model, mistakes, lines } = nftables::read(text);
    assert!(mistakes.is_empty(), "{mistakes:#?}\n{text}");
    assert_eq!(lines.mistaken, 0);
    model
}

/// A table `inet t` with this in it, and a chain `forward` that drops unless these rules accept.
fn forward_with(declarations: &str, rules: &str) -> String {
    format!(
        "table inet t {{\n{declarations}\nchain forward {{\ntype filter hook forward priority filter; policy drop;\n\
         {rules}\n}}\n}}\n"
    )
}

fn forward(rules: &str) -> String {
    forward_with("", rules)
}
