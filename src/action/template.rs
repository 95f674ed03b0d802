//! `template`: renders a file of the control machine and makes it a file of the host.

use std::sync::Arc;

use super::content::{Shipment, Source, checked, copy_request, preserve_mode};
use super::{Action, Args, Call, Failure, OwnOptions, Plan, escape};
use crate::source::escape::decode;
use crate::source::{Label, Source as Text};
use crate::template::python::codec::Codec;
use crate::template::{About, FileOptions};
use crate::value::{Map, Value};
use crate::vault;

/// The action.
pub(super) struct Template;

/// Options of the action that `copy` does not have.
const OWN: &[&str] = &[
    "block_end_string",
    "block_start_string",
    "comment_end_string",
    "comment_start_string",
    "lstrip_blocks",
    "newline_sequence",
    "output_encoding",
    "trim_blocks",
    "variable_end_string",
    "variable_start_string",
];

static OPTIONS: OwnOptions = OwnOptions {
    names: &[
        "attr",
        "attributes",
        "backup",
        "block_end_string",
        "block_start_string",
        "comment_end_string",
        "comment_start_string",
        "dest",
        "follow",
        "force",
        "group",
        "lstrip_blocks",
        "mode",
        "newline_sequence",
        "output_encoding",
        "owner",
        "selevel",
        "serole",
        "setype",
        "seuser",
        "src",
        "trim_blocks",
        "unsafe_writes",
        "validate",
        "variable_end_string",
        "variable_start_string",
    ],
    required: &[(&["src"], "src and dest are required"), (&["dest"], "src and dest are required")],
};

impl Action for Template {
    fn names(&self) -> &'static [&'static str] {
        &["template"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        let (Some(src), Some(dest)) = (call.args.text(&["src"]), call.args.text(&["dest"])) else {
            return Err(Failure::new("src and dest are required"));
        };
        let wrong_encoding = |message: String| Failure::new(&message).at(call.args.error_at("output_encoding", &message));
        let encoding = Codec::named(call.args.text(&["output_encoding"]).as_deref().unwrap_or("utf-8")).map_err(wrong_encoding)?;
        let path = call.find_file("templates", &src, "src")?;
        if path.is_dir() {
            return Err(Failure::new(format!("`{}` is a folder, expected a template file", path.display())));
        }
        let (source, is_escaped) = read(call, &path)?;
        let managed = managed(call, &src, &path, &dest);
        let rendered = call.templar.render_file_at(&path, &source, &options(call)?, managed).map_err(|error| in_file(call, error))?;
        let encoded = if is_escaped { escape::encode(encoding, rendered.as_str()) } else { encoding.encode(rendered.as_str(), "strict") };
        let content = encoded.map_err(wrong_encoding)?;
        let mut args = without(call.args, OWN);
        args.set_own("dest", dest);
        args.take("src");
        let mut checked = checked(call, &args)?;
        preserve_mode(&mut checked, &path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = path.display().to_string();
        let shipment =
            Shipment { source: Source::Text(Arc::from(content)), basename: Some(&name), header: Some(shown.clone()), origin: Some(shown) };
        Ok(Plan::Send(Box::new(copy_request(call, checked, shipment)?)))
    }
}

/// What a template may say of itself.
fn managed(call: &Call<'_>, src: &str, path: &std::path::Path, dest: &str) -> Map {
    let about = About::of(path);
    let mut vars = about.vars(path, src, Some(dest));
    if call.templar.get("ansible_managed").ok().flatten().is_none() {
        vars.insert("ansible_managed", managed_text(call, about.changed, src, &about.host, &about.owner));
    }
    vars
}

/// A mistake in the file, with the task's `src` beside it.
fn in_file(call: &Call<'_>, error: crate::template::TemplateError) -> Failure {
    let mut failure = Failure::from(error);
    if let (Some(diagnostic), Some(src)) = (failure.diagnostics.first_mut(), call.args.error_at("src", "").span()) {
        diagnostic.labels.push(Label { span: src.clone(), text: "rendered here".to_owned() });
    }
    failure
}

/// The template, decrypted if it is in a vault, and whether bytes of it are escaped because they are no UTF-8.
fn read(call: &Call<'_>, path: &std::path::Path) -> Result<(Arc<Text>, bool), Failure> {
    let vault = call.context.lookups.vault();
    let failed = |error: std::io::Error| match vault::error_of(&error) {
        Some(sealed) => Failure::new(sealed.to_string()),
        None => Failure::new(format!("could not read {}: {error}", path.display())),
    };
    match vault.read_source(path) {
        Ok(source) => return Ok((source, false)),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
        Err(error) => return Err(failed(error)),
    }
    let content = vault.read(path).map_err(failed)?;
    let text = decode(&content.bytes).into_bytes();
    let source = if content.was_sealed { Text::decode_hidden(path, text) } else { Text::decode(path, text) };
    call.templar.deprecate(crate::template::lookup::escaped(path));
    source.map(|source| (source, true)).map_err(failed)
}

/// The setting `ansible_managed`: the time of the template's last change, `{file}`, `{host}` and `{uid}` are put in.
fn managed_text(call: &Call<'_>, changed: Option<jiff::Timestamp>, file: &str, host: &str, owner: &str) -> String {
    let setting = call.context.lookups.config("DEFAULT_MANAGED_STR").ok();
    let text = setting.as_ref().and_then(Value::as_str).unwrap_or("Ansible managed");
    let dated = match changed.filter(|_| text.contains('%')) {
        Some(stamp) => jiff::fmt::strtime::format(text, &stamp.to_zoned(jiff::tz::TimeZone::system())).unwrap_or_else(|_| text.to_owned()),
        None => text.to_owned(),
    };
    dated.replace("{file}", file).replace("{host}", host).replace("{uid}", owner)
}

fn options(call: &Call<'_>) -> Result<FileOptions, Failure> {
    let mut options = FileOptions::default();
    let syntax = &mut options.syntax;
    syntax.trim_blocks = call.args.flag(&["trim_blocks"], true)?;
    syntax.lstrip_blocks = call.args.flag(&["lstrip_blocks"], false)?;
    for (delimiter, name) in syntax.marks() {
        if let Some(own) = call.args.text(&[name]) {
            *delimiter = own;
        }
    }
    if let Some(sequence) = call.args.text(&["newline_sequence"]) {
        let real = match sequence.as_str() {
            "\\n" | "\n" => "\n",
            "\\r" | "\r" => "\r",
            "\\r\\n" | "\r\n" => "\r\n",
            other => {
                let message = format!("newline_sequence needs to be one of: \\n, \\r or \\r\\n, got {other:?}");
                return Err(Failure::new(&message).at(call.args.error_at("newline_sequence", &message)));
            }
        };
        syntax.newline_sequence = real.to_owned();
    }
    Ok(options)
}

fn without(args: &Args, names: &[&str]) -> Args {
    let mut args = args.clone();
    for name in names {
        args.take(name);
    }
    args
}
