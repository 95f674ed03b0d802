//! Filters of vaults: texts sealed and opened with a secret that the template names. The run's own secrets have no part in it.

use super::{filter, refuse};
use crate::template::{Bound, Evaluator, Filter, Markers, Param, Result, Val};
use crate::value::Text;
use crate::vault::{Salt, Vault, VaultSecret, is_vault};

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] = &[
    // A text that the run's secrets do not open may be opened by this one.
    Filter { name: "unvault", params: &[Required("secret"), Optional("vault_id")], markers: Markers::Accept, run: unvault },
    filter("vault", &[Required("secret"), Optional("salt"), Optional("vault_id"), Optional("wrap_object")], vault),
];

const ID: &str = "filter_default";

fn vault(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let secret = secret_of(arguments.required(0), "required to be a string")?;
    let Some(plain) = value.as_text() else {
        return refuse(format!("Can only vault strings, instead we got <class '{}'>.", value.type_name()));
    };
    let salt = match arguments.get(1).filter(|salt| !salt.is_none()) {
        None => Salt::random().map_err(|error| super::TemplateError::plugin(error.to_string()))?,
        Some(salt) => {
            let salt = evaluator.text(salt)?;
            if salt.as_str().is_empty() {
                return refuse("Unable to encrypt: Empty or invalid salt passed to encrypt()");
            }
            Salt::fixed(salt.as_str().as_bytes())
        }
    };
    let id = arguments.get(2).map(|id| evaluator.text(id)).transpose()?;
    let sealed = secret.seal(plain.as_str().as_bytes(), id.as_ref().map_or(ID, Text::as_str), salt);
    if arguments.flag_or(evaluator, 3, false)? {
        // The plain text that knows its vault, as a `!vault` of a file that was opened.
        return Ok(Val::from(Text::sealed(sealed, None).opened(plain.as_str())));
    }
    Ok(Val::from(sealed))
}

fn unvault(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let secret = arguments.required(0);
    if secret.is_undefined() {
        return Ok(secret.clone());
    }
    let text = match value {
        Val::Undefined(undefined) => match undefined.as_sealed() {
            Some(sealed) => sealed,
            None => return Ok(value.clone()),
        },
        other => match other.as_text() {
            Some(text) => text,
            None => return refuse(format!("Vault should be in the form of a string, instead we got <class '{}'>.", other.type_name())),
        },
    };
    let secret = secret_of(secret, "required to be as string")?;
    if !is_vault(text.as_str().as_bytes()) {
        return Ok(Val::from(text.clone()));
    }
    let sealed = Text::sealed(text.as_str(), text.origin().cloned());
    match Vault::of(secret).open_text(&sealed) {
        Ok(plain) => Ok(Val::from(Text::new(plain.as_str()))),
        Err(error) => refuse(format!("Unable to decrypt: {error}")),
    }
}

fn secret_of(val: &Val, wanted: &str) -> Result<VaultSecret> {
    match val.as_str() {
        Some(secret) => Ok(VaultSecret::new(secret.as_bytes())),
        None => refuse(format!("Secret passed is {wanted}, instead we got <class '{}'>.", val.type_name())),
    }
}
