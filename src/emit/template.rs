//! Templates: strict, without escaping of their own, and without any way to reach files.
//!
//! A template that comes with cordon can be replaced by one of the user's; then a mistake in it is the user's, and what
//! it may do is bounded.

use std::cell::RefCell;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::capability::TemplateFile;
use super::custom::{self, CustomError, UserTemplate};

/// The templates of one target: those that come with cordon, or those that the user put in their place.
pub(super) struct Templates<'u> {
    files: Vec<TemplateFile>,
    overrides: &'u [UserTemplate],
    mistakes: RefCell<Vec<CustomError>>,
}

impl<'u> Templates<'u> {
    /// The templates that make `files`, with what stands in for them.
    pub(super) fn new(files: Vec<TemplateFile>, overrides: &'u [UserTemplate]) -> Self {
        Templates { files, overrides, mistakes: RefCell::default() }
    }

    /// Makes the file `output` from `view`, by the user's template for it, or else by `source`, which comes with cordon.
    ///
    /// # Errors
    /// If `source` does not fit `view`, which would be a bug. What is wrong with a template of the user's is kept for
    /// [`Templates::into_mistakes`] instead, and the text is empty.
    pub(super) fn render(
        &self,
        output: &str,
        source: &str,
        view: &impl Serialize,
    ) -> Result<String, minijinja::Error> {
        let file = self.files.iter().find(|file| file.output == output);
        let own = file.and_then(|file| self.overrides.iter().find(|own| own.file == file.template));
        let Some(own) = own else { return render(output, source, view) };
        Ok(custom::render(own, view).unwrap_or_else(|mistake| {
            self.mistakes.borrow_mut().push(mistake);
            String::new()
        }))
    }

    /// What is wrong with templates of the user's that were rendered.
    pub(super) fn into_mistakes(self) -> Vec<CustomError> {
        self.mistakes.into_inner()
    }
}

/// Renders `source` with the fields of `view`. A field that the view does not have is an error.
fn render(name: &str, source: &str, view: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template(name, source)?;
    environment.get_template(name)?.render(Serde(view))
}

/// How all templates are read: no functions, no other templates, nothing that is not in the view.
pub(super) fn environment<'s>() -> Result<Environment<'s>, minijinja::Error> {
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(syntax);
    Ok(environment)
}
