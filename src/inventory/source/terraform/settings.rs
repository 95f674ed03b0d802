//! The options of a plugin's file: our own, and those of the `cloud.terraform` collection's two plugins as far as they need no Terraform.

use std::path::{Path, PathBuf};

use super::hosts::{Choice, HostName};
use crate::inventory::source::Failure;
use crate::inventory::source::plugin_file::PluginFile;
use crate::yaml::Node;

/// Our own plugin.
pub(in crate::inventory::source) const OWN: &str = "driftless.terraform";
/// Reads the resources of the `ansible` provider.
pub(in crate::inventory::source) const PROVIDER: &str = "cloud.terraform.terraform_provider";
/// Reads the machines of a state.
pub(in crate::inventory::source) const STATE: &str = "cloud.terraform.terraform_state";

/// Groups by type, module and label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    /// They are made.
    Automatic,
    /// Only those that the file asks for.
    Asked,
}

/// What is to be made of a state.
pub(super) struct Settings {
    pub states: Vec<PathBuf>,
    pub choice: Choice,
    pub names: Vec<HostName>,
    pub searches_modules: bool,
    pub groups: Groups,
    pub attributes_are_variables: bool,
}

impl Settings {
    /// For a state that is a source itself.
    pub fn automatic() -> Self {
        Self {
            states: Vec::new(),
            choice: Choice::Automatic,
            names: Vec::new(),
            searches_modules: true,
            groups: Groups::Automatic,
            attributes_are_variables: false,
        }
    }

    /// What a file says; `path` is the file's.
    pub fn read(file: &PluginFile<'_>, path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let known: &[&str] = match file.plugin() {
            STATE => &["backend_config", "backend_type", "hostnames", "provider_mapping", "search_child_modules"],
            PROVIDER => &["project_path", "search_child_modules", "state_file", "workspace"],
            _ => &["hostnames", "path", "project_path", "resource_types", "search_child_modules", "workspace"],
        };
        refuse_unknown(file, known)?;
        let mut settings = Self { searches_modules: file.flag("search_child_modules", true), ..Self::automatic() };
        settings.names = file.list("hostnames")?.iter().map(host_name).collect::<Result<_, _>>()?;
        match file.plugin() {
            STATE => {
                settings.states = vec![folder.join(local_backend(file)?)];
                settings.choice = Choice::Types(
                    ["aws_instance", "azurerm_linux_virtual_machine", "azurerm_virtual_machine", "google_compute_instance"]
                        .map(str::to_owned)
                        .into(),
                );
                settings.groups = Groups::Asked;
                settings.attributes_are_variables = true;
            }
            PROVIDER => {
                settings.states = states(file, folder, "state_file")?;
                settings.choice = Choice::Types(vec!["ansible_host".to_owned()]);
                settings.groups = Groups::Asked;
            }
            _ => {
                settings.states = states(file, folder, "path")?;
                let types = texts(file, "resource_types")?;
                if !types.is_empty() {
                    settings.choice = Choice::Types(types);
                }
            }
        }
        Ok(settings)
    }
}

/// Options of all plugins that make groups.
const COMMON: &[&str] =
    &["compose", "groups", "keyed_groups", "leading_separator", "plugin", "strict", "use_extra_vars", "use_vars_plugins"];

fn refuse_unknown(file: &PluginFile<'_>, known: &[&str]) -> Result<(), Failure> {
    for (key, _) in file.node().as_mapping().unwrap_or_default() {
        let name = key.as_str().unwrap_or_else(|| key.span.text());
        if !known.contains(&name) && !COMMON.contains(&name) {
            let error = key.error(format!("the option `{name}` of `{}` is not supported", file.plugin()));
            return Err(error.hint(format!("expected one of {}", known.join(", "))).into());
        }
    }
    Ok(())
}

/// The state files that the file names itself (by `own`) or by projects; else the one beside it.
fn states(file: &PluginFile<'_>, folder: &Path, own: &str) -> Result<Vec<PathBuf>, Failure> {
    let named = texts(file, own)?;
    let projects = texts(file, "project_path")?;
    if projects.is_empty() {
        let named = if named.is_empty() { vec!["terraform.tfstate".to_owned()] } else { named };
        return Ok(named.iter().map(|name| folder.join(name)).collect());
    }
    let workspace = file.text("workspace")?.filter(|workspace| *workspace != "default");
    let state = |project: &String| {
        let project = folder.join(project);
        match (named.first(), workspace) {
            (Some(name), _) => project.join(name),
            (None, Some(workspace)) => project.join("terraform.tfstate.d").join(workspace).join("terraform.tfstate"),
            (None, None) => project.join("terraform.tfstate"),
        }
    };
    Ok(projects.iter().map(state).collect())
}

/// A text, or a list of texts.
fn texts(file: &PluginFile<'_>, name: &str) -> Result<Vec<String>, Failure> {
    if file.get(name).is_some_and(|node| node.as_text().is_some()) {
        return Ok(file.text(name)?.into_iter().map(str::to_owned).collect());
    }
    let text = |node: &Node| {
        node.as_str().map(str::to_owned).ok_or_else(|| Failure::from(node.error(format!("expected a text, got {}", node.type_name()))))
    };
    file.list(name)?.iter().map(text).collect()
}

/// The path of a local backend; no other is read.
fn local_backend(file: &PluginFile<'_>) -> Result<String, Failure> {
    match file.get("backend_type") {
        Some(node) if node.as_str() != Some("local") => {
            let error = node.error(format!("the backend `{}` is not supported, expected `local`", node.span.text()));
            Err(error.hint("`terraform show -json > FILE`, and use that FILE as the inventory").into())
        }
        Some(_) => match file.get("backend_config").and_then(|config| config.get("path")) {
            None => Ok("terraform.tfstate".to_owned()),
            Some(path) => path.as_str().map(str::to_owned).ok_or_else(|| path.error("`path` is not a text").into()),
        },
        None => Err(file.node().error("required option `backend_type` is missing").into()),
    }
}

/// `public_ip`, `tag:Name`, or `{name: …, prefix: …, separator: …}`.
fn host_name(node: &Node) -> Result<HostName, Failure> {
    if let Some(path) = node.as_str() {
        return Ok(HostName { path: path.to_owned(), prefix: None });
    }
    let text = |name: &str| node.get(name).and_then(Node::as_str).map(str::to_owned);
    let Some(path) = text("name") else {
        return Err(node.error("expected the name of an attribute, `tag:KEY`, or a dictionary with `name`").into());
    };
    let prefix = text("prefix").map(|prefix| (prefix, text("separator").unwrap_or_else(|| "_".to_owned())));
    Ok(HostName { path, prefix })
}
