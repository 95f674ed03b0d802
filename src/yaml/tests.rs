//! Whole texts through the one door, `load`.

use super::*;
use crate::value::to_json;

fn read(text: &str) -> (Vec<Node>, Vec<String>) {
    let source = Source::named("t", text);
    let mut diagnostics = Diagnostics::new();
    let documents = load(&source, &mut diagnostics);
    let said = diagnostics
        .iter()
        .map(|diagnostic| format!("{} {}", diagnostic.span().map_or_else(String::new, ToString::to_string), diagnostic.message));
    (documents, said.collect())
}

fn check(text: &str, json: &str) {
    let (documents, said) = read(text);
    let shown: Vec<String> = documents.iter().map(|document| to_json(&document.to_value()).to_string()).collect();
    assert_eq!((shown.join(" "), said), (json.to_owned(), vec![]), "{text}");
}

fn check_error(text: &str, expected: &[&str]) {
    assert_eq!(read(text).1, expected, "{text}");
}

#[test]
fn documents_are_read() {
    check("a: [1, yes, ~]\nb:\n- x\n-\n", r#"{"a":[1,true,null],"b":["x",null]}"#);
    check("--- 1\n--- 2\n", "1 2");
    check("", "");
    check("# nothing\n", "");
    check("---\n", "null");
    check("\u{feff}a: ä", r#"{"a":"ä"}"#);
    check("a: |\n  x", r#"{"a":"x"}"#);
    check("a: |\n  x\n  ", r#"{"a":"x\n"}"#);
    check("a: |\n  x\n    ", r#"{"a":"x\n  "}"#);
    check("a: |+\n  x\n  ", r#"{"a":"x\n"}"#);
    check("a: >-\n  x\n  y", r#"{"a":"x y"}"#);
    check("a: |\n  x\n# c", r#"{"a":"x\n"}"#);
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    check("a: &x {p: 1, q: 2}\nb: {<<: *x, r: 3}\nc: *x", r#"{"a":{"p":1,"q":2},"b":{"p":1,"q":2,"r":3},"c":{"p":1,"q":2}}"#);
    check("- &x {p: 1}\n- &y {q: 2}\n- <<: [*x, *y]\n  \"<<\": 5", r#"[{"p":1},{"q":2},{"q":2,"p":1,"<<":5}]"#);
    check_error("a: *x", &["t:1:4 found undefined alias `x`"]);
    check_error("a: &x [*x]", &["t:1:8 alias `x` stands for a collection that it is in"]);
    check_error("a: {<<: 3}", &["t:1:9 found something else than a map, expected a map or a list of maps for merging"]);
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(read(&text).1[0].contains("aliases that stand for more than"));
    assert!(read(&"[".repeat(100_000)).1[0].contains("nested deeper"));
    let mut deep = format!("a0: &a0 {}{}\n", "[".repeat(300), "]".repeat(300));
    deep += &format!("b: {}*a0{}\n", "[".repeat(300), "]".repeat(300));
    assert!(read(&deep).1[0].contains("nested deeper"));
}

#[test]
fn of_duplicate_keys_the_last_wins() {
    let (documents, said) = read("a: 1\nb: 2\na: 3\n1: x\ntrue: y");
    assert_eq!(to_json(&documents[0].to_value()).to_string(), r#"{"a":3,"b":2,"1":"y"}"#);
    assert_eq!(
        said,
        [
            "t:3:1 found duplicate mapping key `a`, using the last defined value only",
            "t:5:1 found duplicate mapping key `true`, using the last defined value only"
        ]
    );
}

#[test]
fn tags_are_ansible_s() {
    check(
        "[!!str 1, !!int \"12\", ! 12, !unsafe 5, !!null x, !!binary aGk=, !!set {b}, !!omap [b: c]]",
        r#"["1",12,12,5,null,"hi",["b"],[["b","c"]]]"#,
    );
    check_error("a: !foo b", &["t:1:4 found unknown tag `!foo`"]);
    check_error("a: !vault [x]\nb: !!int x", &["t:1:11 found a collection, expected a text for `!vault`", "t:2:4 `x` is not an integer"]);
    let (documents, _) = read("a: !vault |\n  x\n  y\nb: !vault-encrypted z");
    let sealed = |name: &str| documents[0].get(name).unwrap().as_text().unwrap().envelope().map(|chars| chars.to_string());
    assert_eq!((sealed("a").as_deref(), sealed("b").as_deref()), (Some("x\ny\n"), Some("z")));
    let (documents, _) = read("a: !unsafe {b: '{{ c }}'}\nd: '{{ e }}'\nf: !unsafe x");
    let trusted = |name: &str| documents[0].get(name).unwrap().as_text().unwrap().is_trusted();
    assert_eq!((trusted("d"), trusted("f")), (true, false));
    assert!(!documents[0].get("a").unwrap().get("b").unwrap().as_text().unwrap().is_trusted());
}

#[test]
fn mistakes_have_a_place() {
    check_error("a: {{ x }}", &["t:1:4 found a map as key, expected a text or a number"]);
    check_error("a: b: c", &["t:1:5 mapping values are not allowed in this context"]);
    check_error("a:\n\tb: c", &["t:2:1 found character that cannot start any token while scanning for the next token"]);
    check_error("a: \"b\n", &["t:1:4 found unexpected end of stream while scanning a quoted scalar"]);
    check_error("a: [1, 2\nb: 3\n", &["t:1:4 did not find expected ',' or ']' while parsing a flow sequence"]);
    check_error("a: {{ x }}/y", &["t:1:11 did not find expected key while parsing a block mapping"]);
    check_error("[!,", &["t:1:1 found a tag without a value"]);
    check_error("a: \u{7}", &["t:1:4 found the control character U+0007"]);
    check_error(
        "? [1]\n: 2\n=: 1\nb: =",
        &["t:1:3 found a list as key, expected a text or a number", "t:4:4 found a lone `=`, which YAML reserves"],
    );
}

#[test]
fn reading_goes_on_at_the_next_document() {
    let (documents, said) = read("a: b: c\n--- 1\n--- 'x\n--- 2");
    assert_eq!(documents.len(), 1, "{said:?}");
    assert_eq!(said.len(), 2);
    let mut diagnostics = Diagnostics::new();
    assert!(load_one(&Source::named("t", "--- 1\n--- 2"), &mut diagnostics).is_none());
    assert!(diagnostics.has_errors());
    assert!(load_one(&Source::named("t", ""), &mut Diagnostics::new()).unwrap().is_null());
}

#[test]
fn spans_are_what_was_written() {
    let (documents, _) = read("a:\n  - &x 'it''s'\n  - {b: c}\nd: 1\n");
    let root = &documents[0];
    assert_eq!(root.span.text(), "a:\n  - &x 'it''s'\n  - {b: c}\nd: 1");
    let list = root.get("a").unwrap().as_sequence().unwrap();
    assert_eq!((list[0].span.text(), list[1].span.text()), ("'it''s'", "{b: c}"));
}

fn check_place(text: &str, piece: &str, expected: &str) {
    let (documents, said) = read(text);
    assert_eq!(said, Vec::<String>::new());
    let node = documents[0].get("a").unwrap();
    let value = node.as_str().unwrap();
    let start = value.find(piece).unwrap_or_else(|| panic!("{piece:?} is not in {value:?}"));
    assert_eq!(scalar_span(&node.span, value, start..start + piece.len()).to_string(), expected, "{text}");
}

#[test]
fn a_piece_of_a_scalar_has_its_place() {
    check_place("a: x {{ foo }}", "foo", "t:1:9");
    check_place("a: x\n  {{ foo }}", "foo", "t:2:6");
    check_place("a: 'it''s {{ foo }}'", "foo", "t:1:14");
    check_place("a: \"\\x41\\n{{ foo }}\"", "foo", "t:1:14");
    check_place("a: \"b \\\n   {{ foo }}\"", "foo", "t:2:7");
    check_place("a: |\n  x\n   y {{ foo }}\n", "foo", "t:3:9");
    check_place("a: >-\n\n  x\n\n\n  y\n    z\n  {{ foo }}\n  {{ bar }}", "bar", "t:9:6");
    check_place("a: |2\n     y {{ foo }}\n", "foo", "t:2:11");
    check_place("a: &x !!str x{{foo}}", "foo", "t:1:16");
}
