//! `#[derive(Choice)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr, Result};

/// The `Choice` and `ArgValue` of an enum without fields.
pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "`Choice` is for enums"));
    };
    let mut names = Vec::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "a choice has no fields"));
        }
        let said = variant.attrs.iter().find(|attr| attr.path().is_ident("choice")).map(|attr| attr.parse_args::<LitStr>()).transpose()?;
        names.push(said.map_or_else(|| snake_case(&variant.ident.to_string()), |text| text.value()));
        variants.push(&variant.ident);
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::driftless_modules::spec::Choice for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn name(&self) -> &'static str {
                match self { #(Self::#variants => #names),* }
            }

            fn from_name(name: &str) -> ::std::option::Option<Self> {
                match name { #(#names => ::std::option::Option::Some(Self::#variants),)* _ => ::std::option::Option::None }
            }
        }

        impl ::driftless_modules::spec::ArgValue for #ident {
            const KIND: ::driftless_modules::spec::Kind = ::driftless_modules::spec::Kind::Str;

            fn choices() -> &'static [&'static str] {
                <Self as ::driftless_modules::spec::Choice>::NAMES
            }

            fn from_json(
                json: ::driftless_modules::Json,
                _: &::driftless_modules::host::Environment,
            ) -> ::std::result::Result<Self, ::std::string::String> {
                json.as_str().and_then(<Self as ::driftless_modules::spec::Choice>::from_name).ok_or_else(|| {
                    ::std::format!("expected one of {}, found {json}", <Self as ::driftless_modules::spec::Choice>::NAMES.join(", "))
                })
            }
        }
    })
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
