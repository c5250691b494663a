//! Numbers as people read them: three digits at most, with their unit.

/// A number of things, in a second or at all.
pub(super) fn count(number: f64) -> String {
    match number {
        number if number <= 0.0 => "0".to_owned(),
        number if number < 0.05 => "<0.1".to_owned(),
        number => scaled(number, &[("", 1e3), ("k", 1e3), ("M", 1e3), ("G", f64::INFINITY)]),
    }
}

/// A time of so many milliseconds.
pub(super) fn time(millis: f64) -> String {
    match millis {
        millis if millis <= 0.0 => "0 ms".to_owned(),
        millis if millis < 0.05 => "<0.1 ms".to_owned(),
        millis => scaled(millis, &[(" ms", 1e3), (" s", 60.0), (" min", 60.0), (" h", f64::INFINITY)]),
    }
}

/// What something costs.
pub(super) fn money(amount: f64) -> String {
    match amount {
        amount if amount <= 0.0 => "0".to_owned(),
        amount if amount < 0.005 => "<0.01".to_owned(),
        amount if amount < 100.0 => format!("{amount:.2}"),
        amount => count(amount),
    }
}

/// The number in the first unit that it is small enough for; each says how many of it the next one is.
fn scaled(mut number: f64, units: &[(&str, f64)]) -> String {
    for (unit, next) in units {
        let digits = rounded(number);
        // What is rounded up to the next unit is one of that.
        if digits.parse::<f64>().is_ok_and(|rounded| rounded < *next) {
            return format!("{digits}{unit}");
        }
        number /= next;
    }
    // Only what is no number is in none of them.
    "-".to_owned()
}

/// One decimal while that says something.
fn rounded(number: f64) -> String {
    let digits = format!("{number:.1}");
    let keeps = number < 9.95 && !digits.ends_with(".0");
    if keeps { digits } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits() {
        let numbers = [0.0, 0.01, 0.5, 1.0, 9.96, 12.3, 999.4, 999.6, 1_234.0, 12_345.0, 1.5e6, 1e20];
        let texts = numbers.map(count);
        assert_eq!(
            texts,
            ["0", "<0.1", "0.5", "1", "10", "12", "999", "1k", "1.2k", "12k", "1.5M", "100000000000G"]
        );
        assert_eq!([f64::NAN, f64::INFINITY].map(count), ["-", "-"]);
    }

    #[test]
    fn times_and_prices_have_units_and_cents() {
        let times = [0.0, 0.01, 0.4, 12.34, 999.9, 1_250.0, 59_990.0, 90_000.0, 7_200_000.0].map(time);
        assert_eq!(times, ["0 ms", "<0.1 ms", "0.4 ms", "12 ms", "1 s", "1.2 s", "1 min", "1.5 min", "2 h"]);
        assert_eq!([0.0, 0.001, 0.419, 12.0, 1_234.0].map(money), ["0", "<0.01", "0.42", "12.00", "1.2k"]);
    }
}
