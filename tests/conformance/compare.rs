//! Lays a run beside its golden and says in lines what differs.
//!
//! Plays and tasks come in one order; within a task each host's results come in one order, and hosts in any.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::case::{Case, Kind, Run};
use crate::normal::ANY;

/// Keys that driftless may add to a result: Ansible's registered results have them, and its callbacks get them as the status.
const MAY_ADD: [&str; 3] = ["diff", "failed", "skipped"];
/// Actions whose failure's `msg` is the user's own text. Other texts of errors are ours.
const MSG_OF_THE_USER: [&str; 2] = ["assert", "fail"];
/// So many lines tell enough.
const AT_MOST: usize = 40;

/// What differs; nothing if the run is as the golden.
pub fn differences(case: &Case, run: &Run) -> Vec<String> {
    let mut report = Report { lines: Vec::new() };
    let expected = &case.expected;
    if case.compares_refusal() && run.exit == 4 && run.stdout.is_empty() && expected["exit"] != 0 {
        return Vec::new();
    }
    if expected["exit"] != run.exit {
        report.add(format!("exit: wanted {}, found {}", expected["exit"], run.exit));
    }
    match case.kind {
        Kind::Playbook => events(case, expected, run, &mut report),
        Kind::Inventory if !case.compares_stdout() && run.exit == 0 => inventory(expected, run, &mut report),
        Kind::Inventory | Kind::Adhoc | Kind::Config | Kind::Script => {}
    }
    if case.compares_stdout() {
        let found: Vec<Value> = run.stdout.lines().map(Value::from).collect();
        let wanted = expected["stdout"].as_array().cloned().unwrap_or_default();
        lines_of_text(&wanted, &found, &mut report);
    }
    for (name, wanted) in expected["files"].as_object().into_iter().flatten() {
        let found = run.files.get(name).unwrap_or(&Value::Null);
        values(&format!("file {name}"), wanted, found, &mut report);
    }
    if !report.lines.is_empty() && !run.stderr.trim().is_empty() {
        let stderr: Vec<_> = run.stderr.lines().take(15).collect();
        report.lines.push(format!("stderr:\n    {}", stderr.join("\n    ")));
    }
    report.lines
}

struct Report {
    lines: Vec<String>,
}

impl Report {
    fn add(&mut self, line: String) {
        if self.lines.len() < AT_MOST {
            let short: String = line.chars().take(1500).collect();
            self.lines.push(short);
        }
    }
}

/// A play or a task, and what came until the next one.
#[derive(Default)]
struct Step<'a> {
    head: String,
    action: &'a str,
    answers: BTreeMap<&'a str, Vec<&'a Value>>,
    includes: Vec<String>,
}

fn events(case: &Case, expected: &Value, run: &Run, report: &mut Report) {
    let none = Vec::new();
    let wanted = expected["events"].as_array().unwrap_or(&none);
    let (wanted_steps, found_steps) = (steps(wanted, case.per_host()), steps(&run.events, case.per_host()));
    for (index, pair) in wanted_steps.iter().zip(&found_steps).enumerate() {
        let (wanted, found) = pair;
        if wanted.head != found.head {
            report.add(format!("step {index}: wanted {}, found {}", wanted.head, found.head));
            let next = |steps: &[Step]| steps.iter().skip(index + 1).take(3).map(|step| step.head.clone()).collect::<Vec<_>>().join(", ");
            report.add(format!("  then wanted: {}", next(&wanted_steps)));
            report.add(format!("  then found:  {}", next(&found_steps)));
            break;
        }
        step(case, index, wanted, found, report);
    }
    if wanted_steps.len() != found_steps.len() && wanted_steps.iter().zip(&found_steps).all(|(a, b)| a.head == b.head) {
        let (less, more, what) = if wanted_steps.len() > found_steps.len() {
            (found_steps.len(), &wanted_steps, "missing")
        } else {
            (wanted_steps.len(), &found_steps, "too much")
        };
        for step in &more[less..] {
            report.add(format!("{what}: {}", step.head));
        }
    }
    let stats = |events: &[Value]| events.iter().find(|event| event["event"] == "stats").cloned();
    match (stats(wanted), stats(&run.events)) {
        (Some(wanted), Some(found)) => {
            values("stats", &wanted["hosts"], &found["hosts"], report);
            values("custom stats", &wanted["custom"], found.get("custom").unwrap_or(&serde_json::json!({})), report);
        }
        (Some(_), None) => report.add("no stats".to_owned()),
        (None, Some(_)) => report.add("stats, where Ansible runs nothing".to_owned()),
        (None, None) => {}
    }
}

fn steps(events: &[Value], per_host: bool) -> Vec<Step<'_>> {
    let mut steps: Vec<Step> = vec![Step { head: "start".to_owned(), ..Step::default() }];
    let mut in_meta = false;
    for event in events {
        let text = |key: &str| event[key].as_str().unwrap_or("");
        match text("event") {
            "play_start" => {
                in_meta = false;
                steps.push(Step { head: format!("PLAY [{}]", text("play")), ..Step::default() });
            }
            "task_start" => {
                in_meta = text("action").ends_with(".meta");
                if in_meta || per_host {
                    continue;
                }
                let kind = if event["handler"] == true { "HANDLER" } else { "TASK" };
                let head = format!("{kind} [{}] {}", text("task"), text("action"));
                steps.push(Step { head, action: text("action"), ..Step::default() });
            }
            "no_hosts" => steps.push(Step { head: "no hosts".to_owned(), ..Step::default() }),
            "item" | "result" if !in_meta => {
                let step = steps.last_mut().expect("there is a first step");
                step.answers.entry(text("host")).or_default().push(event);
            }
            "include" => {
                let mut hosts: Vec<_> = event["hosts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                hosts.sort_unstable();
                let step = steps.last_mut().expect("there is a first step");
                step.includes.push(format!("{} for {}", text("file"), hosts.join(",")));
            }
            _ => {}
        }
    }
    steps
}

fn step(case: &Case, index: usize, wanted: &Step, found: &Step, report: &mut Report) {
    let place = format!("{index} {}", wanted.head);
    if wanted.includes != found.includes {
        report.add(format!("{place}: wanted includes {:?}, found {:?}", wanted.includes, found.includes));
    }
    for host in wanted.answers.keys().chain(found.answers.keys().filter(|host| !wanted.answers.contains_key(*host))) {
        let none = Vec::new();
        let of = |step: &Step<'_>| step.answers.get(host).unwrap_or(&none).iter().map(|event| short(event)).collect::<Vec<_>>();
        let (a, b) = (wanted.answers.get(host).unwrap_or(&none), found.answers.get(host).unwrap_or(&none));
        if a.len() != b.len() {
            report.add(format!("{place}, {host}: wanted {}, found {}", of(wanted).join(" "), of(found).join(" ")));
            if let [only] = b[..] {
                report.add(format!("    {}", only["result"]));
            }
            continue;
        }
        for (number, (a, b)) in a.iter().zip(b).enumerate() {
            answer(case, &format!("{place}, {host} #{number}"), wanted.action, a, b, report);
        }
    }
}

fn short(event: &Value) -> String {
    // Ansible says of a whole loop whether its failure is ignored, and not of an item.
    let ignored = if event["ignored"] == true && event["event"] == "result" { "+ignored" } else { "" };
    format!("{}:{}{ignored}", event["event"].as_str().unwrap_or("?"), event["status"].as_str().unwrap_or("?"))
}

fn answer(case: &Case, place: &str, action: &str, wanted: &Value, found: &Value, report: &mut Report) {
    if short(wanted) != short(found) {
        report.add(format!("{place}: wanted {}, found {}", short(wanted), short(found)));
        report.add(format!("    wanted {}", wanted["result"]));
        report.add(format!("    found  {}", found["result"]));
        return;
    }
    let empty = Map::new();
    let result = |event: &Value| event["result"].as_object().unwrap_or(&empty).clone();
    let (mut a, mut b) = (result(wanted), result(found));
    let name = action.rsplit('.').next().unwrap_or(action);
    if !case.compares_diff() {
        a.remove("diff");
        b.remove("diff");
    }
    let of_the_user = MSG_OF_THE_USER.contains(&name) && (name != "assert" || a.contains_key("assertion"));
    if ["failed", "unreachable"].contains(&wanted["status"].as_str().unwrap_or("")) && !of_the_user {
        for key in ["msg", "message"] {
            a.remove(key);
            b.remove(key);
        }
    }
    if ["setup", "gather_facts"].contains(&name) {
        b.remove("ansible_facts");
    }
    // The items are events of their own.
    b.remove("results");
    // A copy's temporary source is a detail of Ansible's way to ship it.
    if name != "get_url" && a.get("src").is_some_and(|src| src == ANY) {
        a.remove("src");
        b.remove("src");
    }
    b.retain(|key, value| a.contains_key(key) || !(MAY_ADD.contains(&key.as_str()) || value.is_null()));
    values(place, &Value::Object(a), &Value::Object(b), report);
}

fn values(place: &str, wanted: &Value, found: &Value, report: &mut Report) {
    match (wanted, found) {
        (Value::String(any), _) if any == ANY => {}
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => values(&format!("{place}.{key}"), value, other, report),
                    None => report.add(format!("{place}.{key}: missing, wanted {value}")),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                report.add(format!("{place}.{key}: not in Ansible's, found {value}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                values(&format!("{place}[{index}]"), a, b, report);
            }
        }
        (Value::Number(a), Value::Number(b)) if same_number(&a.to_string(), &b.to_string()) => {}
        _ if wanted == found => {}
        _ => report.add(format!("{place}:\n      wanted {wanted}\n      found  {found}")),
    }
}

/// Numbers are the same if they are both ints or both floats, and equal.
fn same_number(a: &str, b: &str) -> bool {
    let is_float = |text: &str| text.contains(['.', 'e', 'E']);
    a == b || (is_float(a) && is_float(b) && a.parse::<f64>().ok() == b.parse::<f64>().ok())
}

fn inventory(expected: &Value, run: &Run, report: &mut Report) {
    match serde_json::from_str::<Value>(&run.stdout) {
        Ok(found) => {
            let mut found = run.normal.value(found);
            let mut wanted = expected["json"].clone();
            // Names a serialisation of Ansible's own.
            for value in [&mut wanted, &mut found] {
                value["_meta"].as_object_mut().map(|meta| meta.remove("profile"));
            }
            values("inventory", &wanted, &found, report);
        }
        Err(error) => report.add(format!("stdout is no JSON: {error}: {}", run.stdout)),
    }
}

fn lines_of_text(wanted: &[Value], found: &[Value], report: &mut Report) {
    for index in 0..wanted.len().max(found.len()) {
        let line = |lines: &[Value]| lines.get(index).and_then(Value::as_str).map(str::to_owned);
        let (a, b) = (line(wanted), line(found));
        if a != b {
            let say = |line: Option<String>| line.map_or("nothing".to_owned(), |line| format!("{line:?}"));
            report.add(format!("line {} of stdout:\n      wanted {}\n      found  {}", index + 1, say(a), say(b)));
            return;
        }
    }
}
