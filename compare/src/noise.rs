//! `Noise`: places that differ although nothing has changed.

use std::collections::{HashMap, HashSet};

use crate::{Difference, Place};

/// Places that differ although nothing has changed, by operation. They are learned by running a bundle against its own
/// answers, and not looked at afterwards.
#[derive(Clone, Debug, Default)]
pub struct Noise(HashMap<String, HashSet<Place>>);

/// Those of one operation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places<'n>(Option<&'n HashSet<Place>>);

impl Noise {
    /// Learns that the answers of this operation differ in these places anyway. Returns whether any of them is new.
    pub fn learn(&mut self, operation: Option<&str>, differences: &[Difference]) -> bool {
        if differences.is_empty() {
            return false;
        }
        let places = self.0.entry(operation.unwrap_or_default().to_owned()).or_default();
        let known = places.len();
        places.extend(differences.iter().map(|difference| difference.place.in_each_item()));
        places.len() > known
    }

    pub(crate) fn of(&self, operation: Option<&str>) -> Places<'_> {
        Places(self.0.get(operation.unwrap_or_default()))
    }

    /// Each operation and place, in the order of their names; an item of a list stands for all of them.
    pub fn places(&self) -> Vec<String> {
        let of = |(operation, places): (&String, &HashSet<Place>)| {
            places
                .iter()
                .map(|place| format!("{operation} {place}").trim_start().to_owned())
                .collect::<Vec<_>>()
        };
        let mut all: Vec<String> = self.0.iter().flat_map(of).collect();
        all.sort();
        all
    }
}

impl Places<'_> {
    /// Whether the place, or a part of the body around it, is among them.
    pub(crate) fn cover(self, place: &Place) -> bool {
        let Some(places) = self.0 else { return false };
        match place.in_each_item() {
            Place::Body(mut steps) => loop {
                let around = Place::Body(steps);
                if places.contains(&around) {
                    return true;
                }
                let Place::Body(left) = around else { return false };
                steps = left;
                if steps.pop().is_none() {
                    return false;
                }
            },
            other => places.contains(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn at(steps: &[Step]) -> Place {
        Place::Body(steps.to_vec())
    }

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn what_differed_without_a_reason_is_passed_over_in_every_item_and_within() {
        let mut noise = Noise::default();
        let differs = |place: Place| [Difference { place, expected: None, actual: None }];
        let found = differs(at(&[member("items"), Step::Item(3), member("at")]));
        assert!(noise.learn(Some("list"), &found) && !noise.learn(Some("list"), &found));
        let within = at(&[member("items"), Step::Item(7), member("at"), member("ms")]);
        let beside = at(&[member("items"), Step::Item(3), member("name")]);
        assert!(noise.of(Some("list")).cover(&within) && !noise.of(Some("list")).cover(&beside));
        assert!(!noise.of(Some("get")).cover(&within) && !noise.of(None).cover(&within));
        assert_eq!(noise.places(), ["list body/items/*/at"]);
    }
}
