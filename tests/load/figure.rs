//! One run of a measurement, and the spread of several runs.

use std::time::Duration;

use hdrhistogram::Histogram;

/// A histogram of nanoseconds with three significant digits.
pub fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

/// One run.
pub struct Run {
    /// The duration of each request, in nanoseconds.
    pub times: Histogram<u64>,
    /// The duration of the run.
    pub span: Duration,
    /// CPU time of the server.
    pub cpu: Duration,
    /// CPU time of the platform, if it is a separate process.
    pub platform: Duration,
    /// The server's memory at the end, in bytes.
    pub memory: u64,
    /// The share of the machine that neither server nor client used.
    pub others: f64,
}

impl Run {
    pub fn p50(&self) -> f64 {
        self.times.value_at_quantile(0.5) as f64 / 1e3
    }

    pub fn p99(&self) -> f64 {
        self.times.value_at_quantile(0.99) as f64 / 1e3
    }

    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.span.as_secs_f64()
    }

    /// Microseconds of the server's CPU for each.
    pub fn cpu_each(&self) -> f64 {
        self.each(self.cpu)
    }

    /// Microseconds of the platform's CPU for each.
    pub fn platform_each(&self) -> f64 {
        self.each(self.platform)
    }

    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.times.len().max(1) as f64
    }
}

/// Minimum, median and maximum.
pub struct Spread([f64; 3]);

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self([at(0), at(values.len() / 2), at(values.len().saturating_sub(1))])
    }

    pub fn median(&self) -> f64 {
        self.0[1]
    }

    pub fn show(&self, digits: usize) -> String {
        let [min, median, max] = self.0;
        format!("{min:.digits$} / {median:.digits$} / {max:.digits$}")
    }
}

/// Prints the results of all runs of a measurement.
pub fn show(name: &str, runs: &[Run]) {
    let spread = |of: fn(&Run) -> f64| Spread::of(runs.iter().map(of));
    println!("  {name}");
    println!(
        "    p50 {}   p99 {}   a second {}",
        spread(Run::p50).show(0),
        spread(Run::p99).show(0),
        spread(Run::rate).show(0)
    );
    if runs.iter().any(|run| run.memory > 0) {
        println!(
            "    server CPU each {} us   RSS {} MB   others' CPU {} %",
            spread(Run::cpu_each).show(0),
            spread(|run| run.memory as f64 / 1e6).show(1),
            spread(|run| run.others * 100.0).show(0)
        );
    }
    if runs.iter().any(|run| !run.platform.is_zero()) {
        println!("    the fake platform's CPU each {} us", spread(Run::platform_each).show(0));
    }
}

/// Prints the ratio of each run to the raw limit of the same run.
pub fn ratio(name: &str, runs: &[Run], raw: &[Run], of: fn(&Run) -> f64) {
    let spread = Spread::of(runs.iter().zip(raw).map(|(run, raw)| of(run) / of(raw)));
    println!("    {name}: {}", spread.show(2));
}
