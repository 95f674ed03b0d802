//! The global `lipsum`: text that means nothing, to fill a page.

use super::super::filter::chance;
use super::super::{Arguments, Result, TemplateError, Val};
use super::Evaluator;

const WORDS: &str = "a ac accumsan ad adipiscing aenean aliquam amet ante aptent arcu at auctor augue bibendum blandit class commodo \
    condimentum congue consectetuer consequat conubia convallis cras cubilia curae cursus dapibus diam dictum dignissim dis dolor donec dui \
    duis egestas eget eleifend elementum elit enim erat eros est et etiam eu euismod facilisis fames faucibus felis fermentum feugiat \
    fringilla fusce gravida habitant hendrerit iaculis id imperdiet in inceptos integer interdum ipsum justo lacinia lacus laoreet lectus \
    leo libero ligula litora lobortis lorem luctus maecenas magna magnis malesuada massa mattis mauris metus mi molestie mollis montes \
    morbi mus nam nascetur natoque nec neque netus nibh nisi nisl non nonummy nostra nulla nullam nunc odio orci ornare parturient pede";

/// `lipsum(n=5, html=true, min=20, max=100)`: so many paragraphs, each of `min` to `max` words, the last left out.
pub fn lipsum(evaluator: &Evaluator, mut arguments: Arguments) -> Result<Val> {
    let mut given = |name: &str, index: usize| arguments.take(name).or_else(|| arguments.positional.get(index).cloned());
    let html = given("html", 1).map_or(Ok(true), |val| evaluator.truthy(&val))?;
    let mut number = |name: &str, index: usize, default: usize| match given(name, index) {
        None => Ok(default),
        Some(val) => match val.as_int() {
            Some(number) => Ok(usize::try_from(number).unwrap_or(0)),
            None => Err(TemplateError::conversion(format!("'{}' object cannot be interpreted as an integer", val.type_name()))),
        },
    };
    let (count, least, most) = (number("n", 0, 5)?, number("min", 2, 20)?, number("max", 3, 100)?);
    if count > 0 && least >= most {
        return Err(TemplateError::conversion(format!("empty range in randrange({least}, {most})")));
    }
    evaluator.charge(count.saturating_mul(most).saturating_mul(16))?;
    let paragraphs: Vec<String> = (0..count)
        .map(|_| {
            let paragraph = paragraph(least + chance(most - least));
            if html { format!("<p>{paragraph}</p>") } else { paragraph }
        })
        .collect();
    Ok(Val::from(paragraphs.join(if html { "\n" } else { "\n\n" })))
}

fn paragraph(count: usize) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut out = String::new();
    let mut left_in_sentence = 0;
    for place in 0..count {
        let word = words[chance(words.len())];
        let (is_first, is_last) = (left_in_sentence == 0, place + 1 == count);
        if is_first {
            left_in_sentence = 4 + chance(12);
        }
        left_in_sentence -= 1;
        if place > 0 {
            out.push(' ');
        }
        match is_first {
            true => out.extend(word[..1].to_uppercase().chars().chain(word[1..].chars())),
            false => out.push_str(word),
        }
        if is_last || left_in_sentence == 0 {
            out.push('.');
            left_in_sentence = 0;
        }
    }
    out
}
