//! A picture in the making, with a logarithmic scale.

use std::fmt::Write;

/// Width of every picture.
pub(crate) const WIDTH: f64 = 800.0;

/// Text and lines in SVG. Has a ground of its own, light or dark as the page wants it, so that it can be read on pages of any colour.
pub(crate) struct Canvas {
    body: String,
    height: f64,
    title: String,
}

/// What a line, an area or a text looks like: a class of the style sheet below. A class with a `color` is that of a mark.
pub(crate) type Class = &'static str;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}\
.title{font-size:16px;font-weight:600}\
.small{font-size:12px;fill:#57606a}\
.mine{font-weight:700}\
.end{text-anchor:end}\
.middle{text-anchor:middle}\
.ground{fill:#fff;stroke:#d0d7de}\
.grid{stroke:#d8dee4;stroke-width:1}\
.limit{stroke:#24292f;stroke-width:1.5;stroke-dasharray:5 3}\
.ours{color:#0b4f9e}.floor{color:#6e7781}.peer{color:#bf7600}.good{color:#1f883d}.bad{color:#cf222e}\
.one{color:#d55e00}.two{color:#008f68}.three{color:#b85f8f}.four{color:#a67c00}.five{color:#7a5fb5}.six{color:#8c564b}\
@media(prefers-color-scheme:dark){\
text{fill:#f0f6fc}\
.small{fill:#9198a1}\
.ground{fill:#0d1117;stroke:#3d444d}\
.grid{stroke:#2a3038}\
.limit{stroke:#f0f6fc}\
.ours{color:#58a6ff}.floor{color:#9198a1}.peer{color:#e0a030}.good{color:#3fb950}.bad{color:#f85149}\
.one{color:#f0883e}.two{color:#2fbf93}.three{color:#e09ac0}.four{color:#d3a625}.five{color:#b9a3ee}.six{color:#c49a8f}}";

impl Canvas {
    pub(crate) fn new(title: &str, height: f64) -> Self {
        let mut canvas = Self {
            body: String::new(),
            height,
            title: escaped(title),
        };
        canvas.text(20.0, 30.0, "title", title);
        canvas
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, class: Class, text: &str) {
        let text = escaped(text);
        self.push(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>"
        ));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: Class) {
        self.push(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line in the colour of a mark.
    pub(crate) fn stroke(&mut self, from: (f64, f64), to: (f64, f64), colour: Class, width: f64) {
        self.push(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{colour}\" stroke=\"currentColor\" stroke-width=\"{width}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub(crate) fn path(&mut self, points: &[(f64, f64)], colour: Class, width: f64, dashed: bool) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let pattern = if dashed {
            " stroke-dasharray=\"6 4\""
        } else {
            ""
        };
        self.push(&format!(
            "<polyline points=\"{}\" class=\"{colour}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"{width}\"{pattern}/>",
            points.join(" ")
        ));
    }

    pub(crate) fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: Class) {
        self.push(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" class=\"{colour}\" fill=\"currentColor\"/>"
        ));
    }

    pub(crate) fn bar(&mut self, x: (f64, f64), y: f64, height: f64, colour: Class) {
        let (from, to) = (x.0.min(x.1), x.0.max(x.1));
        self.push(&format!(
            "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" class=\"{colour}\" fill=\"currentColor\"/>",
            to - from
        ));
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The file.
    pub(crate) fn finish(self) -> String {
        let mut text = String::new();
        let (title, height) = (&self.title, self.height);
        // Into a string nothing can fail.
        let _written = write!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n{}</svg>\n",
            WIDTH - 1.0,
            height - 1.0,
            self.body,
        );
        text
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// From amounts to places, by their logarithms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    amounts: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    /// Reaches from the least to the most of the amounts, with a little room on both sides.
    pub(crate) fn around(amounts: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for amount in amounts {
            least = least.min(amount);
            most = most.max(amount);
        }
        Self {
            amounts: (least / 1.3, most * 1.3),
            places,
        }
    }

    pub(crate) fn place(&self, amount: f64) -> f64 {
        let (from, to) = (self.amounts.0.ln(), self.amounts.1.ln());
        let share = (amount.ln() - from) / (to - from);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// Where lines of the grid are: at powers of ten, and between them if there are few.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let (from, to) = self.amounts;
        let steps: &[f64] = if to / from > 300.0 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let mut ticks = Vec::new();
        let mut power = 10_f64.powf(from.log10().floor());
        while power <= to {
            ticks.extend(
                steps
                    .iter()
                    .map(|step| step * power)
                    .filter(|tick| (from..=to).contains(tick)),
            );
            power *= 10.0;
        }
        ticks
    }
}
