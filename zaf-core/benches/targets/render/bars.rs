//! A chart with one line for each amount, on a logarithmic axis: one work by all, or all targets beside their limits.

use super::canvas::{Canvas, Class, Scale, WIDTH};

/// One amount.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) amount: f64,
    /// What stands beside it.
    pub(crate) label: String,
    pub(crate) colour: Class,
    pub(crate) is_ours: bool,
    /// From where to where the middle half of the rounds were.
    pub(crate) spread: Option<(f64, f64)>,
}

const LEFT: f64 = 335.0;
const RIGHT: f64 = WIDTH - 110.0;
const TOP: f64 = 74.0;
const STEP: f64 = 24.0;

/// Bars grow in both directions from `base`, an amount that has a name. Without one there are dots, because the length of a bar would
/// say nothing on this axis.
pub(crate) fn chart(
    title: &str,
    of_what: &str,
    bars: &[Bar],
    base: Option<(f64, &str)>,
    tick: impl Fn(f64) -> String,
) -> String {
    let bottom = bars.iter().fold(TOP, |bottom, _| bottom + STEP);
    let mut canvas = Canvas::new(title, bottom + 36.0);
    canvas.text(20.0, 48.0, "small", of_what);
    let spreads = bars.iter().filter_map(|bar| bar.spread);
    let amounts = bars
        .iter()
        .map(|bar| bar.amount)
        .chain(spreads.flat_map(|(lower, upper)| [lower, upper]))
        .chain(base.map(|(at, _)| at));
    let scale = Scale::around(amounts, (LEFT, RIGHT));
    for at in scale.ticks() {
        let x = scale.place(at);
        canvas.line((x, TOP - 6.0), (x, bottom), "grid");
        canvas.text(x, bottom + 18.0, "small middle", &tick(at));
    }
    let mut y = TOP;
    for bar in bars {
        let place = scale.place(bar.amount);
        let middle = y + STEP / 2.0 - 2.0;
        let class = if bar.is_ours { "end mine" } else { "end" };
        canvas.text(LEFT - 8.0, y + 14.0, class, &bar.name);
        let mut end = place;
        if let Some((lower, upper)) = bar.spread {
            end = end.max(scale.place(upper));
            let from = (scale.place(lower), middle);
            canvas.stroke(from, (scale.place(upper), middle), bar.colour, 2.0);
        }
        match base {
            Some((at, _)) => {
                let from = scale.place(at);
                end = end.max(from);
                canvas.bar((from, place), y + 2.0, STEP - 8.0, bar.colour);
            }
            None => canvas.dot((place, middle), 6.0, bar.colour),
        }
        canvas.text(end + 8.0, y + 14.0, "small", &bar.label);
        y += STEP;
    }
    if let Some((at, mark)) = base {
        let x = scale.place(at);
        canvas.line((x, TOP - 6.0), (x, bottom), "limit");
        canvas.text(x, TOP - 12.0, "small middle", mark);
    }
    canvas.finish()
}
