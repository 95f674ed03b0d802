//! Whole inventories through `load`.

use super::*;
use crate::value::{Value, to_json};

/// Groups with their hosts, hosts with their variables, and what was said.
fn read(files: &[(&str, &str)], sources: &[&str]) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut diagnostics = Diagnostics::new();
    let sources: Vec<String> = sources.iter().map(|source| (*source).to_owned()).collect();
    let inventory = load(&sources, folder.path(), &SourceOptions::default(), &mut diagnostics);
    let mut shown = to_json(inventory.groups_variable()).to_string();
    for id in inventory.group_ids().filter(|id| !inventory.group(*id).vars().is_empty()) {
        let group = inventory.group(id);
        shown += &format!(" {}:{}", group.name(), to_json(&Value::Map(Arc::clone(group.vars()))));
    }
    for id in inventory.host_ids() {
        let host = inventory.host(id);
        if !host.vars().is_empty() && !host.is_implicit() {
            shown += &format!(" {}={}", host.name(), to_json(&Value::Map(Arc::clone(host.vars()))));
        }
    }
    let root = folder.path().to_string_lossy().into_owned();
    let place = |diagnostic: &Diagnostic| diagnostic.span().map_or_else(String::new, |span| format!("{span} "));
    let said = diagnostics.iter().map(|diagnostic| format!("{}{}", place(diagnostic), diagnostic.message).replace(&format!("{root}/"), ""));
    (shown, said.collect())
}

fn check(name: &str, text: &str, expected: &str) {
    assert_eq!(read(&[(name, text)], &[name]), (expected.to_owned(), vec![]), "{text}");
}

fn check_warning(name: &str, text: &str, expected: &str) {
    assert_eq!(read(&[(name, text)], &[name]).1[0], expected, "{text}");
}

#[test]
fn ini_is_read_as_ansible_reads_it() {
    check(
        "hosts",
        "z # c\n; c\n[web:children]\nlater\n[later:vars]\np = 8 # x\n[later]\na:22 x=5 y=\"a b\" q=a#b\nb[1:2] m=\"[1, 'x']\"\n[web:vars]\nv='5'\n",
        r#"{"all":["z","a","b1","b2"],"ungrouped":["z"],"web":["a","b1","b2"],"later":["a","b1","b2"]} web:{"v":"5"} later:{"p":8} a={"ansible_port":22,"x":5,"y":"a b","q":"a"} b1={"m":[1,"x"]} b2={"m":[1,"x"]}"#,
    );
}

#[test]
fn wrong_ini_lines_have_their_place() {
    check_warning("h.ini", "a\n[g:vars]\nx=1\n", "h.ini:2:1 section `[g:vars]` is not valid for the undefined group `g`");
    check_warning("h.ini", "[g:children]\nh\n", "h.ini:2:1 section `[g:children]` includes the undefined group `h`");
    check_warning("h.ini", "[g x]\n", "h.ini:1:1 invalid section entry `[g x]`");
    check_warning("h.ini", "a b=c d\n", "h.ini:1:7 expected key=value host variable assignment, got `d`");
    check_warning("h.ini", "a \"b\n", "h.ini:1:1 failed to parse host definition `a \"b`: no closing quotation");
    check_warning("h.ini", "[g:foo]\n", "h.ini:1:1 section `[g:foo]` has unknown type `foo`, expected `hosts`, `children` or `vars`");
    check_warning("h.ini", "[a]\n[b]\n[a:children]\nb\n[b:children]\na\n", "h.ini:6:1 adding group `a` as child of `b` makes a loop");
}

#[test]
fn what_stood_before_a_mistake_stays() {
    let (shown, said) = read(&[("h.ini", "a\nb c\n")], &["h.ini"]);
    assert_eq!(shown, r#"{"all":["a"],"ungrouped":["a"]}"#);
    assert_eq!(
        said[1..],
        ["Unable to parse h.ini as an inventory source", "No inventory was parsed, only implicit localhost is available"]
    );
}

#[test]
fn yaml_is_read_as_ansible_reads_it() {
    check(
        "h.yml",
        "all:\n  vars: {x: 1}\n  hosts: {a: {y: '{{ x }}'}, 'b[1:2]:22':}\n  children:\n    web:\n      hosts: c\n    db:\n",
        r#"{"all":["a","b1","b2","c"],"ungrouped":["a","b1","b2"],"web":["c"],"db":[]} all:{"x":1} a={"y":"{{ x }}"} b1={"ansible_port":22} b2={"ansible_port":22}"#,
    );
    check_warning(
        "h.yml",
        "all: {foo: 1}",
        "h.yml:1:7 skipping unexpected key `foo` in group `all`, only `vars`, `children` and `hosts` are valid",
    );
    check_warning(
        "h.yml",
        "all: {hosts: [a]}",
        "h.yml:1:14 invalid `hosts` entry for `all` group, requires a dictionary, found `list` instead",
    );
    check_warning("h.yml", "- a", "h.yml:1:1 YAML inventory has invalid structure, it should be a dictionary, got `list`");
    check_warning("h.yml", "a: b: c", "h.yml:1:5 mapping values are not allowed in this context");
    check_warning("h.yml", "plugin: x", "h.yml:1:9 inventory config 'h.yml' specifies unknown plugin 'x'");
}

#[test]
fn lists_folders_and_several_sources_add_up() {
    let files = [("d/b.ini", "[g]\nx v=1"), ("d/a.yml", "g: {hosts: {x: {v: 2}, y: }}"), ("d/group_vars/g", "a: 1"), ("d/x.bak", "[[")];
    assert_eq!(
        read(&files, &["d", "p,q:22,r[1:2]"]).0,
        r#"{"all":["p","q","r[1:2]","x","y"],"ungrouped":["p","q","r[1:2]"],"g":["x","y"]} x={"v":1} q={"ansible_port":22}"#
    );
    let (_, said) = read(&[("g", "[a]\na\n[b-c]\n")], &["g", "nope"]);
    assert!(said[0].starts_with("Unable to parse nope "), "{said:?}");
    assert_eq!(
        said[1..],
        ["found both group and host with same name: `a`", "invalid characters were found in group names but not replaced"]
    );
}

#[test]
fn ten_thousand_hosts_load_fast() {
    let mut text = String::from("[web]\n");
    for index in 0..10_000 {
        text += &format!("host{index}.example.org ansible_host=10.0.0.1 rack={}\n", index % 40);
    }
    for group in 0..200 {
        text += &format!("[g{group}]\n");
        (0..50).for_each(|index| text += &format!("host{}.example.org\n", group * 50 + index));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("h.ini"), text).unwrap();
    let started = std::time::Instant::now();
    let inventory = load(&["h.ini".to_owned()], folder.path(), &SourceOptions::default(), &mut Diagnostics::new());
    assert_eq!(inventory.hosts_of(Inventory::ALL).len(), 10_000);
    assert!(started.elapsed().as_secs_f64() < 5.0, "{:?}", started.elapsed());
}
