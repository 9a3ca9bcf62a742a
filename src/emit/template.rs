//! Templates: strict, without escaping of their own, and without any way to reach files.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// Renders `source` with the fields of `view`. A field that the view does not have is an error.
pub(super) fn render(name: &str, source: &str, view: &impl Serialize) -> Result<String, minijinja::Error> {
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(syntax);
    environment.add_template(name, source)?;
    environment.get_template(name)?.render(Serde(view))
}
