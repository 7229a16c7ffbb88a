//! Pictures of the book can be read on light pages and on dark ones.
//!
//! Knows as much of SVG and of its style sheets as the generators of the book write: rules of a tag or a class, and one block for dark pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the guidelines for web content (WCAG 2.2, 1.4.3 and 1.4.11) ask for: letters, and marks.
const LETTERS: f64 = 4.5;
const MARKS: f64 = 3.0;

/// Values by selector and property.
type Sheet = BTreeMap<(String, String), String>;

fn pictures(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("a folder of the book")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            pictures(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "svg") {
            all.push(path);
        }
    }
}

fn rules(text: &str, into: &mut Sheet) {
    for rule in text.split('}') {
        let Some((selector, properties)) = rule.split_once('{') else {
            continue;
        };
        for property in properties.split(';') {
            if let Some((name, value)) = property.split_once(':') {
                let key = (selector.trim().to_owned(), name.trim().to_owned());
                into.insert(key, value.trim().to_owned());
            }
        }
    }
}

/// For light pages and for dark ones.
fn sheets(svg: &str) -> [Sheet; 2] {
    let style = between(svg, "<style>", "</style>").unwrap_or_default();
    let dark_pages = "@media(prefers-color-scheme:dark){";
    let (light, dark) = style.split_once(dark_pages).unwrap_or((style, ""));
    let mut of_light = Sheet::new();
    rules(light, &mut of_light);
    let mut of_dark = of_light.clone();
    rules(dark, &mut of_dark);
    [of_light, of_dark]
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(found, _)| found)
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    between(element, &format!(" {name}=\""), "\"")
}

/// What a property is for an element: its own style wins over classes, these over attributes, and these over the tag.
fn value(element: &str, property: &str, sheet: &Sheet) -> Option<String> {
    let of = |selector: String| sheet.get(&(selector, property.to_owned())).cloned();
    let tag = element.split(' ').next().unwrap_or_default();
    let mut own = Sheet::new();
    rules(
        &format!("own{{{}}}", attribute(element, "style").unwrap_or_default()),
        &mut own,
    );
    if let Some(own) = own.remove(&("own".to_owned(), property.to_owned())) {
        return Some(own);
    }
    let classes = attribute(element, "class").unwrap_or_default();
    classes
        .split(' ')
        .filter_map(|class| of(format!(".{class}")))
        .next_back()
        .or_else(|| attribute(element, property).map(str::to_owned))
        .or_else(|| of(tag.to_owned()))
}

/// The colour of a property, if it has one of its own.
fn colour(element: &str, property: &str, sheet: &Sheet) -> Option<[f64; 3]> {
    let mut found = value(element, property, sheet)?;
    if found == "currentColor" {
        found = value(element, "color", sheet).expect("a class with a colour");
    }
    let digits = found.strip_prefix('#')?;
    let wide = digits.len() == 6;
    assert!(wide || digits.len() == 3, "{found} is no colour");
    let part = |at: usize| {
        let digits = if wide {
            digits[2 * at..2 * at + 2].to_owned()
        } else {
            digits[at..=at].repeat(2)
        };
        f64::from(u8::from_str_radix(&digits, 16).expect("digits")) / 255.0
    };
    Some([part(0), part(1), part(2)])
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|part| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

/// What in a picture can hardly be told from what is below it.
fn pale(svg: &str) -> Vec<String> {
    let mut pale = Vec::new();
    let (_, body) = svg.split_once("</style>").unwrap_or(("", svg));
    let elements: Vec<&str> = body
        .split('<')
        .filter_map(|part| part.split('>').next())
        .collect();
    for (page, sheet) in ["light", "dark"].into_iter().zip(sheets(svg)) {
        let of = |tag: &str, property| {
            let elements = elements.iter();
            let mut found: Vec<[f64; 3]> = elements
                .filter(|element| element.split(' ').next() == Some(tag))
                .filter_map(|element| colour(element, property, &sheet))
                .collect();
            found.dedup();
            found
        };
        // The first area is as large as the picture.
        let Some(&ground) = of("rect", "fill").first() else {
            pale.push("it has no ground of its own".to_owned());
            continue;
        };
        let inherited = colour(
            svg.split('>')
                .find(|part| part.contains("<svg "))
                .unwrap_or_default(),
            "fill",
            &sheet,
        );
        let areas = |classes: [&'static str; 2]| {
            elements.iter().filter(move |element| {
                let class = attribute(element, "class").unwrap_or_default();
                element.starts_with("rect ") && classes.contains(&class)
            })
        };
        let boxes = areas(["box", "mine"]);
        let mut below: Vec<[f64; 3]> = boxes
            .filter_map(|element| colour(element, "fill", &sheet))
            .collect();
        below.push(ground);
        // What has a class is a title or the like, and stands in no box.
        let (named, plain): (Vec<&str>, Vec<&str>) = elements
            .iter()
            .filter(|element| element.starts_with("text") || element.starts_with("tspan"))
            .partition(|element| attribute(element, "class").is_some());
        let fills = |of: Vec<&str>| {
            let fills = of.into_iter();
            fills
                .filter_map(|element| colour(element, "fill", &sheet))
                .collect::<Vec<_>>()
        };
        let mut letters = fills(plain);
        letters.extend(inherited);
        let mut marks = of("polyline", "stroke");
        marks.extend(of("circle", "fill"));
        let bars = areas(["good", "bad"]);
        marks.extend(bars.filter_map(|element| colour(element, "fill", &sheet)));
        for (what, colours, below, least) in [
            ("letters", letters, &below[..], LETTERS),
            ("letters", fills(named), &[ground], LETTERS),
            ("marks", marks, &[ground], MARKS),
        ] {
            for (colour, &ground) in colours
                .iter()
                .flat_map(|one| below.iter().map(move |b| (one, b)))
            {
                let found = contrast(*colour, ground);
                if found < least {
                    pale.push(format!(
                        "{what} {colour:.2?} on {ground:.2?} of a {page} page: {found:.1} to 1, at least {least} was expected"
                    ));
                }
            }
        }
    }
    pale.dedup();
    pale
}

#[test]
fn pictures_can_be_read_on_light_pages_and_on_dark_ones() {
    let mut all = Vec::new();
    pictures(&super::book(), &mut all);
    all.sort();
    assert!(all.len() > 10, "{all:?}");
    for path in all {
        let svg = fs::read_to_string(&path).expect("a picture");
        assert!(
            svg.contains("<text"),
            "{}: it has no letters",
            path.display()
        );
        assert_eq!(pale(&svg), Vec::<String>::new(), "{}", path.display());
    }
}

/// So that the test above says something.
#[test]
fn what_cannot_be_read_is_found() {
    let picture = |rules: &str, rest: &str| {
        format!("<svg a=\"b\"><style>{rules}</style><rect class=\"ground\"/>{rest}</svg>")
    };
    let text = "<text class=\"a\">x</text>";
    let light = ".ground{fill:#fff}text{fill:#111}";
    let dark = "@media(prefers-color-scheme:dark){.ground{fill:#000}}";
    assert_eq!(pale(&picture(light, text)), [""; 0]);
    assert_eq!(pale(&picture(&format!("{light}{dark}"), text)).len(), 1);
    assert_eq!(
        pale(&picture(&format!("{light}.a{{fill:#aaa}}"), text)).len(),
        2
    );
    let own = "<text style=\"fill:#aaa\">x</text>";
    assert_eq!(pale(&picture(light, own)).len(), 2);
    let mark = "<circle class=\"b\" fill=\"currentColor\"/>";
    assert_eq!(
        pale(&picture(&format!("{light}.b{{color:#eee}}"), mark)).len(),
        2
    );
    assert_eq!(pale("<svg a=\"b\"><text>x</text></svg>").len(), 1);
}
