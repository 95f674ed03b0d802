//! `#[derive(Args)]` reads a module's options out of one struct: the option table, its documentation (the doc comments), defaults,
//! aliases, constraints, and how checked arguments become the struct. `#[derive(Choice)]` makes an enum a closed set of texts.

mod args;
mod choice;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// The options of a module, or of a dict inside a module's options.
///
/// On a field, `#[arg(…)]`: `name = "type"` (else the field's name), `alias = "dest"` (may be repeated), `default = …` (text, number,
/// bool or a list of them), `required` (said for the reader: a field that is neither `Option` nor has a default is required anyway),
/// `secret` (Ansible's `no_log`), `kind = "raw"` (overrides the kind that the field's type implies), `flatten` (the field is itself a
/// struct of options that belong to this table), `controller` (only the action reads it: the module itself has no use for it).
///
/// On the struct, `#[args(…)]`: `mutually_exclusive("a", "b")`, `required_one_of("a", "b")`, `required_together("a", "b")`,
/// `required_if(state = "link", "src")`, `required_if_any(state = "x", "a", "b")`, `required_by("a", "b")`.
#[proc_macro_derive(Args, attributes(arg, args))]
pub fn derive_args(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    args::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A closed set of texts. A variant's text is its name in snake case, or what `#[choice("text")]` says.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
