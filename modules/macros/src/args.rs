//! `#[derive(Args)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Field, Fields, GenericArgument, Ident, Lit, LitStr, Meta, PathArguments, Result, Token,
    Type,
};

/// The `Args` and `ArgValue` of a struct with named fields.
pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "`Args` is for structs"));
    };
    let fields: Vec<&Field> = match &data.fields {
        Fields::Named(named) => named.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => return Err(syn::Error::new_spanned(&input.ident, "options have names")),
    };
    let (mut tables, mut constraints, mut readers, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let written = Written::of(field)?;
        let ident = field.ident.as_ref().expect("the fields are named");
        let ty = &field.ty;
        if written.flatten {
            tables.push(quote! { <#ty as ::driftless_modules::spec::Args>::options() });
            constraints.push(quote! { <#ty as ::driftless_modules::spec::Args>::constraints() });
            readers.push(quote! { #ident: <#ty as ::driftless_modules::spec::Args>::read(args, environment)? });
            continue;
        }
        tables.push(written.option(field)?);
        if written.controller {
            elsewhere.push(ident);
        }
        let name = &written.name;
        readers.push(match optional(ty) {
            Some(_) => quote! { #ident: ::driftless_modules::spec::read_optional(args, #name, environment)? },
            None => quote! { #ident: ::driftless_modules::spec::read_required(args, #name, environment)? },
        });
    }
    constraints.extend(struct_constraints(&input.attrs)?);
    let (table_count, constraint_count) = (tables.len(), constraints.len());
    let ident = &input.ident;
    let construct = if matches!(data.fields, Fields::Unit) {
        quote! { Self }
    } else {
        quote! { Self { #(#readers),* } }
    };
    Ok(quote! {
        // The controller's half reads these.
        const _: () = {
            #(let _ = |args: &#ident| { let _ = &args.#elsewhere; };)*
        };

        impl ::driftless_modules::spec::Args for #ident {
            fn options() -> ::std::vec::Vec<::driftless_modules::spec::Opt> {
                let tables: [::std::vec::Vec<::driftless_modules::spec::Opt>; #table_count] = [#(#tables),*];
                tables.into_iter().flatten().collect()
            }

            fn constraints() -> ::std::vec::Vec<::driftless_modules::spec::Constraint> {
                let constraints: [::std::vec::Vec<::driftless_modules::spec::Constraint>; #constraint_count] = [#(#constraints),*];
                constraints.into_iter().flatten().collect()
            }

            fn read(
                args: &mut ::driftless_modules::JsonMap,
                environment: &::driftless_modules::host::Environment,
            ) -> ::std::result::Result<Self, ::std::string::String> {
                // A struct without options reads neither.
                let _ = (&args, environment);
                ::std::result::Result::Ok(#construct)
            }
        }

        impl ::driftless_modules::spec::ArgValue for #ident {
            const KIND: ::driftless_modules::spec::Kind = ::driftless_modules::spec::Kind::Dict;

            fn suboptions() -> ::std::option::Option<::driftless_modules::spec::Table> {
                ::std::option::Option::Some(::driftless_modules::spec::Table::of::<Self>())
            }

            fn from_json(
                json: ::driftless_modules::Json,
                environment: &::driftless_modules::host::Environment,
            ) -> ::std::result::Result<Self, ::std::string::String> {
                match json {
                    ::driftless_modules::Json::Object(mut args) => <Self as ::driftless_modules::spec::Args>::read(&mut args, environment),
                    other => ::std::result::Result::Err(::std::format!("expected a dict, found {other}")),
                }
            }
        }
    })
}

/// What `#[arg(…)]` on a field says.
struct Written {
    name: String,
    aliases: Vec<LitStr>,
    default: Option<Expr>,
    required: bool,
    secret: bool,
    flatten: bool,
    controller: bool,
    kind: Option<LitStr>,
}

impl Written {
    fn of(field: &Field) -> Result<Self> {
        let ident = field.ident.as_ref().expect("the fields are named");
        let mut written = Self {
            name: ident.unraw().to_string(),
            aliases: Vec::new(),
            default: None,
            required: false,
            secret: false,
            flatten: false,
            controller: false,
            kind: None,
        };
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("arg")) {
            for item in attr.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated)? {
                written.take(item)?;
            }
        }
        Ok(written)
    }

    fn take(&mut self, item: Item) -> Result<()> {
        let Item { key, value } = item;
        match (key.to_string().as_str(), value) {
            ("name", Some(value)) => self.name = text(&value)?.value(),
            ("alias", Some(value)) => self.aliases.push(text(&value)?),
            ("default", Some(value)) => self.default = Some(value),
            ("kind", Some(value)) => self.kind = Some(text(&value)?),
            ("required", None) => self.required = true,
            ("secret", None) => self.secret = true,
            ("flatten", None) => self.flatten = true,
            ("controller", None) => self.controller = true,
            _ => {
                return Err(syn::Error::new(
                    key.span(),
                    "expected `name = \"…\"`, `alias = \"…\"`, `default = …`, `kind = \"…\"`, `required`, `secret`, `controller` or `flatten`",
                ));
            }
        }
        Ok(())
    }

    fn option(&self, field: &Field) -> Result<TokenStream> {
        let inner = optional(&field.ty);
        let ty = inner.unwrap_or(&field.ty);
        if inner.is_some() && (self.default.is_some() || self.required) {
            return Err(syn::Error::new_spanned(&field.ty, "an `Option` is for an option that has no default and is not required"));
        }
        if self.required && self.default.is_some() {
            return Err(syn::Error::new_spanned(&field.ty, "a required option has no default"));
        }
        let required = inner.is_none() && self.default.is_none();
        let (name, aliases, secret) = (&self.name, &self.aliases, self.secret);
        let doc = doc(&field.attrs);
        let default = match &self.default {
            Some(expr) => {
                let json = json(expr)?;
                quote! { ::std::option::Option::Some(#json) }
            }
            None => quote! { ::std::option::Option::None },
        };
        let kind = match &self.kind {
            Some(kind) => {
                let variant = Ident::new(&pascal_case(&kind.value()), kind.span());
                quote! { ::driftless_modules::spec::Kind::#variant }
            }
            None => quote! { <#ty as ::driftless_modules::spec::ArgValue>::KIND },
        };
        Ok(quote! {
            ::std::vec![::driftless_modules::spec::Opt {
                name: #name,
                aliases: &[#(#aliases),*],
                kind: #kind,
                elements: <#ty as ::driftless_modules::spec::ArgValue>::ELEMENTS,
                required: #required,
                default: #default,
                choices: <#ty as ::driftless_modules::spec::ArgValue>::choices(),
                secret: #secret,
                suboptions: <#ty as ::driftless_modules::spec::ArgValue>::suboptions(),
                doc: #doc,
            }]
        })
    }
}

/// `key` or `key = value` inside `#[arg(…)]`.
struct Item {
    key: Ident,
    value: Option<Expr>,
}

impl Parse for Item {
    fn parse(input: ParseStream) -> Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { key, value })
    }
}

fn struct_constraints(attrs: &[Attribute]) -> Result<Vec<TokenStream>> {
    let mut constraints = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("args")) {
        for rule in attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            let list = rule.require_list()?;
            let name = list.path.require_ident()?.to_string();
            let items = list.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
            let rule = constraint(&name, list.path.require_ident()?, items.iter().collect())?;
            constraints.push(quote! { ::std::vec![#rule] });
        }
    }
    Ok(constraints)
}

fn constraint(name: &str, at: &Ident, items: Vec<&Expr>) -> Result<TokenStream> {
    let texts = |items: &[&Expr]| items.iter().map(|item| text(item)).collect::<Result<Vec<LitStr>>>();
    let variant = match name {
        "mutually_exclusive" => quote! { MutuallyExclusive },
        "required_one_of" => quote! { RequiredOneOf },
        "required_together" => quote! { RequiredTogether },
        "required_by" => {
            let (option, needs) = items.split_first().ok_or_else(|| syn::Error::new(at.span(), "expected an option"))?;
            let (option, needs) = (text(option)?, texts(needs)?);
            return Ok(quote! { ::driftless_modules::spec::Constraint::RequiredBy { option: #option, needs: &[#(#needs),*] } });
        }
        "required_if" | "required_if_any" => {
            let (condition, needs) = items.split_first().ok_or_else(|| syn::Error::new(at.span(), "expected `option = value`"))?;
            let Expr::Assign(condition) = condition else {
                return Err(syn::Error::new_spanned(condition, "expected `option = value`"));
            };
            let Expr::Path(option) = &*condition.left else {
                return Err(syn::Error::new_spanned(&condition.left, "expected an option"));
            };
            let option = option.path.require_ident()?.unraw().to_string();
            let (value, needs, any) = (json(&condition.right)?, texts(needs)?, name == "required_if_any");
            return Ok(quote! {
                ::driftless_modules::spec::Constraint::RequiredIf { option: #option, value: #value, needs: &[#(#needs),*], any: #any }
            });
        }
        _ => return Err(syn::Error::new(at.span(), "unknown constraint")),
    };
    let options = texts(&items)?;
    Ok(quote! { ::driftless_modules::spec::Constraint::#variant(&[#(#options),*]) })
}

/// The `T` of an `Option<T>`.
fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// A literal, or a list of them, as JSON.
fn json(expr: &Expr) -> Result<TokenStream> {
    match expr {
        Expr::Array(array) => {
            let items = array.elems.iter().map(json).collect::<Result<Vec<_>>>()?;
            Ok(quote! { ::driftless_modules::Json::Array(::std::vec![#(#items),*]) })
        }
        Expr::Lit(_) | Expr::Unary(_) => Ok(quote! { ::driftless_modules::Json::from(#expr) }),
        other => Err(syn::Error::new_spanned(other, "expected a literal or a list of literals")),
    }
}

fn text(expr: &Expr) -> Result<LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(syn::Error::new_spanned(other, "expected a text")),
    }
}

/// The doc comment: lines joined, paragraphs kept.
fn doc(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value
        {
            lines.push(line.value().trim().to_owned());
        }
    }
    lines.join("\n").split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n")
}

fn pascal_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
