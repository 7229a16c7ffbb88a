//! Works that take turns: what else the machine does meets all of them.

use std::time::Instant;

/// Figures of one work, one for each round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// The figures at one, two and three quarters of the way from the least to the most.
    pub(crate) fn quartiles(&self) -> [f64; 3] {
        let mut figures = self.0.clone();
        figures.sort_by(f64::total_cmp);
        let last = figures.len().saturating_sub(1);
        [1, 2, 3].map(|quarter| figures.get(last * quarter / 4).copied().unwrap_or(f64::NAN))
    }

    pub(crate) fn median(&self) -> f64 {
        self.quartiles()[1]
    }

    /// How many times the figure of the other work of the same round each is.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(own, other)| own / other)
                .collect(),
        )
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

/// One work: each call is a round of it and returns `N` figures.
pub(crate) type Work<'a, const N: usize = 1> = &'a mut dyn FnMut() -> [f64; N];

/// Runs the works by turns, each round beginning with another one, after a round that warms up.
///
/// Returns the figures in the order of the works.
pub(crate) fn by_turns<const N: usize>(
    rounds: usize,
    works: &mut [Work<'_, N>],
) -> Vec<[Series; N]> {
    let mut series: Vec<[Series; N]> = works
        .iter()
        .map(|_| std::array::from_fn(|_| Series::default()))
        .collect();
    for round in 0..=rounds {
        for turn in 0..works.len() {
            let at = (round + turn) % works.len();
            let figures = works[at]();
            if round > 0 {
                for (series, figure) in series[at].iter_mut().zip(figures) {
                    series.0.push(figure);
                }
            }
        }
    }
    series
}

/// Nanoseconds for each of `repetitions` calls.
pub(crate) fn nanoseconds(repetitions: u32, mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..repetitions {
        work();
    }
    since(begin, repetitions)
}

/// Nanoseconds since `begin`, for each of `count` things.
pub(crate) fn since(begin: Instant, count: u32) -> f64 {
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

/// Two works by turns.
pub(crate) fn duel<const N: usize>(
    rounds: usize,
    mut own: impl FnMut() -> [f64; N],
    mut other: impl FnMut() -> [f64; N],
) -> [[Series; N]; 2] {
    let series = by_turns(rounds, &mut [&mut own, &mut other]);
    series.try_into().expect("two works have two series")
}
