//! The median: what most say, whatever few claim.

/// The number in the middle; none of none.
pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    // Of two in the middle the smaller: half of the runners that are mistaken are not enough to raise it.
    let middle = numbers.len().checked_sub(1)? / 2;
    Some(*numbers.select_nth_unstable_by(middle, f64::total_cmp).1)
}
