//! Filters of `community.general` and `ansible.utils` over any data.

use super::jmespath;
use super::{filter, refuse};
use crate::template::filter::Source;
use crate::template::python::version::{Scheme, compare};
use crate::template::{Arguments, Bound, Dict, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::{Key, Value};

use Param::{Optional, Required, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("ansible.utils.index_of", INDEX_OF, index_of),
    filter("ansible.utils.to_paths", &[Optional("prepend"), Optional("wantlist")], |evaluator, value, arguments| {
        let prefix = arguments.text(0)?.map_or("", |prefix| prefix.as_str());
        let mut found = Dict::new();
        paths(evaluator, prefix, value, &mut found)?;
        let found = Val::dict(found);
        Ok(if arguments.flag_or(evaluator, 1, false)? { Val::list(vec![found]) } else { found })
    }),
    filter("community.general.accumulate", &[], accumulate),
    filter("community.general.counter", &[], counter),
    filter("community.general.crc32", &[], crc32),
    filter("community.general.dict", &[], |evaluator, value, _| dict(evaluator, value)),
    filter("community.general.dict_kv", &[Required("key")], |evaluator, value, arguments| {
        Ok(Val::dict(std::iter::once((evaluator.key(arguments.required(0))?, value.clone())).collect()))
    }),
    filter("community.general.groupby_as_dict", &[Required("attribute")], groupby_as_dict),
    filter("community.general.json_query", &[Required("expr")], json_query),
    filter("community.general.random_mac", &[Optional("seed")], random_mac),
    filter("community.general.version_sort", &[Optional("reverse")], version_sort),
];

const INDEX_OF: &[Param] =
    &[Required("test"), Optional("value"), Optional("key"), Optional("wantlist"), Optional("fail_on_missing"), RestNamed];

fn class(val: &Val) -> String {
    format!("<class '{}'>", val.type_name())
}

fn json_query(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let query = evaluator.text(arguments.required(0))?;
    let data = evaluator.value(value)?;
    let found = jmespath::parse(query.as_str()).and_then(|node| jmespath::run(&node, &data));
    found.map(Val::Plain).map_err(|message| TemplateError::plugin(format!("JMESPathError in json_query filter plugin:\n{message}")))
}

fn dict(evaluator: &Evaluator, value: &Val) -> Result<Val> {
    let mut dict = Dict::new();
    for (index, pair) in evaluator.items(value)?.iter().enumerate() {
        match evaluator.items(pair)?.as_slice() {
            [key, val] => dict.insert(evaluator.key(key)?, val.clone()),
            parts => {
                return refuse(format!("dictionary update sequence element #{index} has length {}; 2 is required", parts.len()));
            }
        };
    }
    Ok(Val::dict(dict))
}

fn counter(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if !value.is_list() && value.as_str().is_none() {
        return refuse(format!(
            "Argument for community.general.counter must be a sequence (string or list). {} is {}",
            evaluator.text(value)?.as_str(),
            class(value)
        ));
    }
    let mut counts: Dict = Dict::new();
    for item in evaluator.items(value)? {
        let Ok(key) = evaluator.key(&item) else {
            return refuse(format!(
                "community.general.counter needs a sequence with hashable elements (int, float or str) - unhashable type: '{}'",
                item.type_name()
            ));
        };
        let count = counts.get(&key).and_then(Val::as_int).unwrap_or(0);
        counts.insert(key, Val::from(count + 1));
    }
    Ok(Val::dict(counts))
}

fn crc32(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return refuse(format!("Invalid value type ({}) for crc32 ({})", class(value), evaluator.repr(value)?.as_str()));
    };
    let mut sum = flate2::Crc::new();
    sum.update(text.as_str().as_bytes());
    Ok(Val::from(evaluator.derived(text, format!("{:x}", sum.sum()))))
}

fn accumulate(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if !value.is_list() && value.as_str().is_none() {
        return refuse(format!("Invalid value type ({}) for accumulate ({})", class(value), evaluator.repr(value)?.as_str()));
    }
    let mut sums: Vec<Val> = Vec::new();
    for item in evaluator.items(value)? {
        let sum = match sums.last() {
            Some(last) => evaluator.binary(crate::template::ir::Operator::Add, last, &item)?,
            None => item,
        };
        sums.push(sum);
    }
    Ok(Val::list(sums))
}

fn groupby_as_dict(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if !value.is_list() {
        return refuse("Input is not a sequence");
    }
    let attribute = evaluator.key(arguments.required(0))?;
    let mut groups = Dict::new();
    for (index, item) in evaluator.items(value)?.into_iter().enumerate() {
        if !item.is_mapping() {
            return refuse(format!("Sequence element #{index} is not a mapping"));
        }
        let Some(val) = evaluator.entry(&item, attribute.value())? else {
            return refuse(format!("Attribute not contained in element #{index} of sequence"));
        };
        if groups.insert(evaluator.key(&val)?, item).is_some() {
            return refuse(format!("Multiple sequence entries have attribute value {}", evaluator.repr(&val)?.as_str()));
        }
    }
    Ok(Val::dict(groups))
}

fn version_sort(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let reverse = arguments.flag_or(evaluator, 0, false)?;
    let mut versions = Vec::new();
    for item in evaluator.items(value)? {
        versions.push((evaluator.text(&item)?.as_str().to_owned(), item));
    }
    let mut failed = None;
    versions.sort_by(|(left, _), (right, _)| {
        let order = compare(left, right, Scheme::Loose).unwrap_or_else(|message| {
            failed.get_or_insert(message);
            std::cmp::Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    match failed {
        Some(message) => refuse(message),
        None => Ok(Val::list(versions.into_iter().map(|(_, item)| item).collect())),
    }
}

/// What a device's half of an address is drawn from: ten digits that do not start with 0.
const DEVICES: (u64, usize) = (0x10_0000_0000, 0xff_ffff_ffff - 0x10_0000_0000 + 1);

fn random_mac(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        return refuse(format!("Invalid value type ({}) for random_mac ({})", class(value), evaluator.text(value)?.as_str()));
    };
    let prefix = text.as_str().to_lowercase();
    let wrong = |what: String| refuse(format!("Invalid value ({prefix}) for random_mac: {what}"));
    let parts: Vec<&str> = prefix.split(':').collect();
    if parts.len() > 5 {
        return wrong("5 colon(:) separated items max".to_owned());
    }
    if let Some(part) = parts.iter().find(|part| part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_hexdigit())) {
        return wrong(if part.is_empty() { "empty item".to_owned() } else { format!("{part} not hexa byte") });
    }
    let mut source = Source::new(arguments.get(0).filter(|seed| !seed.is_none()))?;
    let number = DEVICES.0 + u64::try_from(source.index(DEVICES.1)).unwrap_or(0);
    let digits = format!("{number:x}");
    let missing = 6 - parts.len();
    let bytes: String = (0..missing).map(|byte| format!(":{}", &digits[2 * byte..2 * byte + 2])).collect();
    Ok(Val::from(evaluator.derived(text, format!("{prefix}{bytes}"))))
}

/// Every leaf of `val` by its path; empty containers are leaves.
pub(super) fn paths(evaluator: &Evaluator, prefix: &str, val: &Val, found: &mut Dict) -> Result<()> {
    let _depth = evaluator.enter()?;
    let children: Vec<(String, Val)> = if val.is_mapping() {
        let step = |key: &Val| match key.as_str() {
            Some(name) if prefix.is_empty() => name.to_owned(),
            Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => format!("{prefix}.{name}"),
            Some(name) => format!("{prefix}['{name}']"),
            None => evaluator.text(key).map_or_else(|_| prefix.to_owned(), |key| format!("{prefix}[{}]", key.as_str())),
        };
        evaluator.entries(val)?.into_iter().map(|(key, val)| (step(&Val::Plain(key.value().clone())), val)).collect()
    } else if val.is_list() {
        evaluator.items(val)?.into_iter().enumerate().map(|(index, val)| (format!("{prefix}[{index}]"), val)).collect()
    } else {
        Vec::new()
    };
    if children.is_empty() {
        found.insert(Key::from(prefix), val.clone());
    }
    for (path, child) in children {
        paths(evaluator, &path, &child, found)?;
    }
    Ok(())
}

fn index_of(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let test = evaluator.text(arguments.required(0))?;
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let wantlist = arguments.flag_or(evaluator, 3, false)?;
    let missing_fails = arguments.flag_or(evaluator, 4, false)?;
    if let Err(error) = evaluator.find_test(test.as_str()) {
        return refuse(format!("Error when using plugin 'index_of': {}", error.message()));
    }
    let mut found = Vec::new();
    for (index, item) in if value.is_list() { evaluator.items(value)? } else { vec![value.clone()] }.into_iter().enumerate() {
        let tested = match given(2) {
            None => item.clone(),
            Some(key) => match if item.is_mapping() { evaluator.entry(&item, evaluator.key(key)?.value())? } else { None } {
                Some(val) => val,
                None if missing_fails => {
                    return refuse(format!(
                        "Error when using plugin 'index_of':  and {} was not found in '{}' at [{index}]. fail_on_missing=True",
                        evaluator.repr(key)?.as_str(),
                        evaluator.text(&item)?.as_str()
                    ));
                }
                None => continue,
            },
        };
        let others = given(1).cloned().into_iter().collect();
        if evaluator.call_test(test.as_str(), &tested, Arguments::of(others))? {
            found.push(Val::Plain(Value::from(index)));
        }
    }
    Ok(match found.as_slice() {
        [one] if !wantlist => one.clone(),
        _ => Val::list(found),
    })
}
