//! Diagrams of who sends what to whom, as SVG. Pure: the same routes make the same bytes.
//!
//! Boxes stand in three columns, from who sends to who hears; lines go from left to right. Widths are those of a font in which all
//! letters are equally wide, with something to spare, so that no text is cut off. A diagram has a ground of its own, light or dark as the reader's system
//! is, so that it can be read on any page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::pages::MARK;
use super::routes::Route;

/// Width of a letter in pixels, with something to spare: that of common monospaced fonts of this size is 7.8.
const LETTER: usize = 9;
/// Height of a box.
const HEIGHT: usize = 26;
/// Height of a box with the room below it.
const ROW: usize = 36;
/// Room between columns, in which the lines are.
const GAP: usize = 120;
/// Room around everything.
const MARGIN: usize = 16;
/// Room for the headings of the columns.
const HEADING: usize = 30;

/// Colours by class, light and dark.
const STYLE: &str = "\
.ground{fill:#fff;stroke:#d0d7de}.box{fill:#f6f8fa;stroke:#57606a}.mine{fill:#ddf4ff;stroke:#0969da}\
.request{stroke-dasharray:5 3}.line{fill:none;stroke:#8c959f;stroke-width:1.3}\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}.head{font-weight:bold;fill:#57606a}\
@media(prefers-color-scheme:dark){.ground{fill:#0d1117;stroke:#3d444d}.box{fill:#161b22;stroke:#9198a1}\
.mine{fill:#0c2d6b;stroke:#4493f8}.line{stroke:#656c76}text{fill:#f0f6fc}.head{fill:#9198a1}}";

/// A box.
struct Cell {
    text: String,
    class: &'static str,
}

/// A line: column on the left, index there, index in the column on its right, whether it is about a request.
type Line = (usize, usize, usize, bool);

/// Columns of boxes, and lines between neighbours.
struct Picture {
    title: String,
    headings: [&'static str; 3],
    columns: [Vec<Cell>; 3],
    lines: Vec<Line>,
}

/// All diagrams of an application by file name: one of the whole, and one for each endpoint with messages.
pub(super) fn diagrams(program: &str, routes: &[Route]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert(OVERVIEW.to_owned(), overview(program, routes).draw());
    for route in routes.iter().filter(|route| !route.messages.is_empty()) {
        files.insert(file_of(&route.endpoint), of_endpoint(route).draw());
    }
    files
}

/// Name of the file with the diagram of the whole.
pub(super) const OVERVIEW: &str = "messages.svg";

/// Name of the file with the diagram of an endpoint.
pub(super) fn file_of(endpoint: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let plain: String = endpoint
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect();
    format!("endpoint-{plain}.svg")
}

/// Extensions that define endpoints, the endpoints, extensions that listen at them.
fn overview(program: &str, routes: &[Route]) -> Picture {
    let mut columns: [Vec<Cell>; 3] = Default::default();
    let mut lines = Vec::new();
    for route in routes {
        let endpoint = columns[1].len();
        columns[1].push(Cell {
            text: route.endpoint.clone(),
            class: "mine",
        });
        for sender in senders(route) {
            let index = at(&mut columns[0], &sender);
            lines.push((0, index, endpoint, false));
        }
        let mut listeners: Vec<(&String, bool)> = Vec::new();
        for sent in &route.messages {
            for name in &sent.listeners {
                match listeners.iter_mut().find(|(known, _)| *known == name) {
                    // A line is dashed if there are requests only.
                    Some((_, requests)) => *requests &= sent.is_request,
                    None => listeners.push((name, sent.is_request)),
                }
            }
        }
        for (name, requests) in listeners {
            let index = at(&mut columns[2], name);
            lines.push((1, endpoint, index, requests));
        }
    }
    arrange(&mut columns[2], &mut lines);
    Picture {
        title: format!("Who sends to whom in {program}"),
        headings: ["defined by", "endpoint", "heard by"],
        columns,
        lines,
    }
}

/// Who defines an endpoint, the endpoint's messages, who listens to each.
fn of_endpoint(route: &Route) -> Picture {
    let mut columns: [Vec<Cell>; 3] = Default::default();
    let mut lines = Vec::new();
    columns[0].push(Cell {
        text: route.endpoint.clone(),
        class: "mine",
    });
    for (message, sent) in route.messages.iter().enumerate() {
        columns[1].push(Cell {
            text: sent.name.clone(),
            class: if sent.is_request {
                "box request"
            } else {
                "box"
            },
        });
        lines.push((0, 0, message, sent.is_request));
        for name in &sent.listeners {
            let index = at(&mut columns[2], name);
            lines.push((1, message, index, sent.is_request));
        }
    }
    arrange(&mut columns[2], &mut lines);
    Picture {
        title: format!("Messages of the endpoint {}", route.endpoint),
        headings: ["endpoint", "message (dashed: request)", "heard by"],
        columns,
        lines,
    }
}

fn senders(route: &Route) -> Vec<String> {
    match route.senders.as_slice() {
        [] => vec!["the application".to_owned()],
        senders => senders.to_vec(),
    }
}

/// Index of the box with this text, which is added if it is not there.
fn at(column: &mut Vec<Cell>, text: &str) -> usize {
    let known = column.iter().position(|cell| cell.text == text);
    known.unwrap_or_else(|| {
        column.push(Cell {
            text: text.to_owned(),
            class: "box",
        });
        column.len() - 1
    })
}

/// Puts the boxes of the last column beside those that they have lines to, so that fewer lines cross; then by name.
fn arrange(column: &mut Vec<Cell>, lines: &mut [Line]) {
    let mut order: Vec<(usize, usize)> = Vec::with_capacity(column.len());
    for index in 0..column.len() {
        let from = lines.iter().filter(|line| line.0 == 1 && line.2 == index);
        let (sum, count) = from.fold((0, 0), |(sum, count), line| (sum + line.1, count + 1));
        // In hundredths, so that all is whole numbers.
        order.push((sum * 100 / count.max(1), index));
    }
    order.sort_by(|a, b| (a.0, &column[a.1].text).cmp(&(b.0, &column[b.1].text)));
    let mut places = vec![0; column.len()];
    let mut arranged = Vec::with_capacity(column.len());
    let mut cells: Vec<Option<Cell>> = column.drain(..).map(Some).collect();
    for (place, (_, index)) in order.into_iter().enumerate() {
        places[index] = place;
        arranged.extend(cells[index].take());
    }
    *column = arranged;
    for line in lines.iter_mut().filter(|line| line.0 == 1) {
        line.2 = places[line.2];
    }
}

impl Picture {
    fn draw(&self) -> String {
        let widths = [0, 1, 2].map(|column| self.width(column));
        let lefts = [
            MARGIN,
            MARGIN + widths[0] + GAP,
            MARGIN + widths[0] + widths[1] + 2 * GAP,
        ];
        let rows = self.columns.iter().map(Vec::len).max().unwrap_or(0);
        let title_width = MARGIN * 2 + self.title.chars().count() * LETTER;
        let width = (lefts[2] + widths[2] + MARGIN).max(title_width);
        let height = HEADING + MARGIN + rows * ROW + MARGIN;
        // Shorter columns stand in the middle.
        let top = |column: usize, index: usize| {
            let free = (rows - self.columns[column].len()) * ROW / 2;
            HEADING + MARGIN + free + index * ROW
        };
        let mut svg = format!(
            "{MARK}\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n<rect class=\"ground\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n",
            escaped(&self.title),
            width - 1,
            height - 1
        );
        for (column, heading) in self.headings.iter().enumerate() {
            let (x, y) = (lefts[column], MARGIN + 10);
            let _ = writeln!(
                svg,
                "<text class=\"head\" x=\"{x}\" y=\"{y}\">{heading}</text>"
            );
        }
        for &(column, from, to, is_request) in &self.lines {
            let (x1, x2) = (lefts[column] + widths[column], lefts[column + 1]);
            let (y1, y2) = (
                top(column, from) + HEIGHT / 2,
                top(column + 1, to) + HEIGHT / 2,
            );
            let (a, b) = (x1 + GAP / 2, x2 - GAP / 2);
            let class = if is_request { "line request" } else { "line" };
            let _ = writeln!(
                svg,
                "<path class=\"{class}\" d=\"M{x1} {y1}C{a} {y1} {b} {y2} {x2} {y2}\"/>"
            );
        }
        for (column, cells) in self.columns.iter().enumerate() {
            for (index, cell) in cells.iter().enumerate() {
                let (x, y, w) = (lefts[column], top(column, index), widths[column]);
                let (tx, ty) = (x + w / 2, y + HEIGHT / 2 + 5);
                let _ = writeln!(
                    svg,
                    "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{HEIGHT}\" rx=\"4\"/>\
                     <text x=\"{tx}\" y=\"{ty}\" text-anchor=\"middle\">{}</text>",
                    cell.class,
                    escaped(&cell.text)
                );
            }
        }
        svg + "</svg>\n"
    }

    fn width(&self, column: usize) -> usize {
        let texts = self.columns[column].iter().map(|cell| cell.text.as_str());
        let texts = texts.chain([self.headings[column]]);
        let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
        longest * LETTER + 16
    }
}

/// A text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::routes::Sent;
    use super::*;

    fn route() -> Route {
        let sent = |name: &str, is_request, listeners: &[&str]| Sent {
            name: name.to_owned(),
            is_request,
            listeners: listeners.iter().map(|one| (*one).to_owned()).collect(),
        };
        Route {
            endpoint: "oven<1>".to_owned(),
            senders: Vec::new(),
            messages: vec![
                sent("HEAT", true, &["cook"]),
                sent("READY", false, &["cook", "waiter"]),
                sent("SMOKE", false, &[]),
            ],
        }
    }

    #[test]
    fn a_diagram_has_all_that_is_sent_and_nothing_twice() {
        let files = diagrams("demo", &[route()]);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["endpoint-oven-1-.svg", OVERVIEW]);
        assert_eq!(files, diagrams("demo", &[route()]));
        let svg = &files["endpoint-oven-1-.svg"];
        for (text, count) in [
            (">oven&lt;1&gt;</text>", 1),
            (">HEAT</text>", 1),
            (">cook</text>", 1),
            (">waiter</text>", 1),
            ("<path ", 6),
            ("<path class=\"line request\"", 2),
        ] {
            assert_eq!(svg.matches(text).count(), count, "{text} in {svg}");
        }
        let whole = &files[OVERVIEW];
        assert!(whole.contains(">the application</text>"), "{whole}");
        // Of the two lines to listeners that of the waiter has no request.
        assert_eq!(whole.matches("<path class=\"line\"").count(), 3, "{whole}");
    }

    #[test]
    fn every_text_has_room_in_its_box_and_every_box_in_the_picture() {
        let mut long = route();
        long.messages[0].name = "A_VERY_LONG_NAME_OF_A_MESSAGE_THAT_NEEDS_ROOM".to_owned();
        let svg = of_endpoint(&long).draw();
        let number = |text: &str, name: &str| -> usize {
            let from = text.find(&format!(" {name}=\"")).expect("an attribute") + name.len() + 3;
            let digits = text[from..].split('"').next().expect("a number");
            digits.parse().expect("digits")
        };
        let frame = svg
            .lines()
            .find(|line| line.starts_with("<svg"))
            .expect("a picture");
        let (width, height) = (number(frame, "width"), number(frame, "height"));
        let boxes = svg.lines().filter(|line| line.contains("rx=\"4\""));
        let mut count = 0;
        for line in boxes {
            count += 1;
            let text = line
                .split("text-anchor=\"middle\">")
                .nth(1)
                .expect("a text");
            let text = text.split("</text>").next().expect("an end");
            let letters = text
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .chars()
                .count();
            assert!(number(line, "width") > letters * 8, "{line}");
            assert!(number(line, "x") + number(line, "width") < width, "{line}");
            assert!(number(line, "y") + HEIGHT < height, "{line}");
        }
        assert_eq!(count, 6);
    }
}
