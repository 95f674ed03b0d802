//! `inventory --list`, `--graph`, `--host` against what the real ansible-inventory printed (`tests/inventory/record`).

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use driftless::inventory::{HostPattern, Inventory, SourceOptions, load};
use driftless::source::{Diagnostics, render};
use driftless::template::{Context, Engine, NoWorld};
use driftless::value::Map;
use driftless::vars::{GraphVars, InventoryReport, Kind, Layer, Precedence, RunVars, VarRules, VarWorld};

fn world(file: &str) -> Arc<VarWorld> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory");
    let mut diagnostics = Diagnostics::new();
    let inventory = load(&[file.to_owned()], &folder, &SourceOptions::default(), &mut diagnostics);
    let extra = Layer::new(Precedence::Extra, "none", Map::new());
    let world = VarWorld::new(Arc::new(inventory), extra, RunVars::default(), VarRules::default(), &Arc::default(), &mut diagnostics);
    let said: String = diagnostics.iter().map(|diagnostic| render(diagnostic, &|_, text| text.to_owned())).collect();
    assert_eq!(said, "");
    Arc::new(world)
}

fn printed(world: &Arc<VarWorld>, what: &str) -> Option<String> {
    let merged = InventoryReport::new(world, Kind::Merged);
    let export = InventoryReport::new(world, Kind::Export);
    Some(match what {
        "list" => merged.list_json(),
        "list-export" => export.list_json(),
        "list-limit" => {
            let hosts = HostPattern::parse("a,y").resolve(world.inventory(), &mut Diagnostics::new()).unwrap();
            merged.limited_to(hosts).list_json()
        }
        "yaml" => merged.list_yaml().unwrap(),
        "yaml-export" => export.list_yaml().unwrap(),
        "graph" => merged.graph("all", GraphVars::Hide).ok()??,
        "graph-vars" => merged.graph("all", GraphVars::Show).ok()??,
        host => merged.host_json(world.inventory().host_named(host.strip_prefix("host-")?)?),
    })
}

#[test]
fn reports_are_those_of_ansible_inventory() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory/expected");
    let mut wrong = String::new();
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() > 30);
    for name in names {
        let (file, what) = name.rsplit_once('.').unwrap();
        let expected = std::fs::read_to_string(folder.join(&name)).unwrap();
        let found = printed(&world(file), what).map(|text| text + "\n").unwrap_or_default();
        if found != expected {
            wrong += &format!("== {name}\n-- expected\n{expected}-- found\n{found}");
        }
    }
    assert_eq!(wrong, "");
}

fn options() -> SourceOptions {
    let context = Context::of_playbook(std::env::temp_dir(), Arc::new(NoWorld));
    SourceOptions { templates: Some((Arc::new(Engine::new()), Arc::new(context))), ..SourceOptions::default() }
}

/// What is wrong with a source is the golden where it cannot be read. `GOLDEN=write` makes them.
#[test]
fn terraform_s_states_are_inventories() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory/terraform");
    let sources = ["clouds.tfstate", "provider.tfstate", "show.json", "plan.json", "old.tfstate", "encrypted.tfstate"];
    let files = ["own.yml", "state.yml", "provider.yml", "remote.yml", "missing.yml", "unknown.yml"];
    for name in sources.into_iter().chain(files) {
        let mut diagnostics = Diagnostics::new();
        let inventory = load(&[name.to_owned()], &folder, &options(), &mut diagnostics);
        let extra = Layer::new(Precedence::Extra, "none", Map::new());
        let world =
            Arc::new(VarWorld::new(Arc::new(inventory), extra, RunVars::default(), VarRules::default(), &Arc::default(), &mut diagnostics));
        let said: String = diagnostics.iter().map(|diagnostic| render(diagnostic, &|_, text| text.to_owned())).collect();
        let found = said + &InventoryReport::new(&world, Kind::Merged).list_json() + "\n";
        let found = found.replace(&format!("{}/", folder.display()), "");
        let golden = folder.join("expected").join(name);
        if std::env::var_os("GOLDEN").is_some() {
            std::fs::write(&golden, &found).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&golden).unwrap(), found, "{name}");
    }
}

#[test]
fn implicit_localhost_is_in_no_list() {
    let world = world("groups.ini");
    assert!(world.inventory().host_named("localhost").is_some());
    assert!(world.inventory().hosts_of(Inventory::ALL).iter().all(|id| !world.inventory().host(*id).is_implicit()));
}

#[test]
fn examples_load_without_a_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-examples");
    let hosts = |source: &str| {
        let mut diagnostics = Diagnostics::new();
        let inventory = load(&[source.to_owned()], &folder, &options(), &mut diagnostics);
        let extra = Layer::new(Precedence::Extra, "none", Map::new());
        let world =
            Arc::new(VarWorld::new(Arc::new(inventory), extra, RunVars::default(), VarRules::default(), &Arc::default(), &mut diagnostics));
        assert!(diagnostics.is_empty(), "{source}");
        world
    };
    let shown = |world: &Arc<VarWorld>, name: &str| {
        InventoryReport::new(world, Kind::Merged).host_json(world.inventory().host_named(name).unwrap())
    };
    assert!(shown(&hosts("local.yml"), "localhost").contains("local"));
    assert!(shown(&hosts("ranges.ini"), "web02.example.org").contains("ntp.example.org"));
    assert!(shown(&hosts("terraform/site.yml"), "web2").contains("198.51.100.11"));
    assert!(shown(&hosts("site"), "web2.example.org").contains("8081"));
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !["local.yml", "ranges.ini", "site"].contains(&name.as_str()));
    names.into_iter().for_each(|name| assert!(hosts(&name).inventory().host_count() > 0));
}
