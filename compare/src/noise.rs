//! `Noise`: places that differ although nothing has changed.

use std::collections::{HashMap, HashSet};

use crate::{Difference, Place, Step};

/// Places that differ although nothing has changed, by operation. They are learned by running a bundle against its own
/// answers, and not looked at afterwards.
#[derive(Clone, Debug, Default)]
pub struct Noise(HashMap<String, HashSet<Place>>);

impl Noise {
    /// Learns that the answers of this operation differ in these places anyway.
    pub fn learn(&mut self, operation: Option<&str>, differences: &[Difference]) {
        if !differences.is_empty() {
            let places = self.0.entry(operation.unwrap_or_default().to_owned()).or_default();
            places.extend(differences.iter().map(|difference| of_any_item(&difference.place)));
        }
    }

    /// The differences in places that do not differ anyway.
    pub fn without(&self, operation: Option<&str>, differences: Vec<Difference>) -> Vec<Difference> {
        let Some(places) = self.0.get(operation.unwrap_or_default()) else { return differences };
        differences.into_iter().filter(|difference| !is_noisy(places, &difference.place)).collect()
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

/// What differs in one item of a list may in each.
fn of_any_item(place: &Place) -> Place {
    match place {
        Place::Body(steps) => Place::Body(
            steps
                .iter()
                .map(|step| if let Step::Item(_) = step { Step::Item(0) } else { step.clone() })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Whether the place, or a part of the body around it, is noise.
fn is_noisy(places: &HashSet<Place>, place: &Place) -> bool {
    match of_any_item(place) {
        Place::Body(mut steps) => loop {
            if places.contains(&Place::Body(steps.clone())) {
                return true;
            }
            if steps.pop().is_none() {
                return false;
            }
        },
        other => places.contains(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(steps: &[Step]) -> Difference {
        Difference { place: Place::Body(steps.to_vec()), expected: None, actual: None }
    }

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn what_differed_without_a_reason_is_passed_over_in_every_item_and_within() {
        let mut noise = Noise::default();
        noise.learn(Some("list"), &[at(&[member("items"), Step::Item(3), member("at")])]);
        let within = at(&[member("items"), Step::Item(7), member("at"), member("ms")]);
        let beside = at(&[member("items"), Step::Item(3), member("name")]);
        let found = vec![within, beside.clone()];
        assert_eq!(noise.without(Some("list"), found.clone()), [beside]);
        assert_eq!(noise.without(Some("get"), found.clone()), found);
        assert_eq!(noise.without(None, found.clone()), found);
        assert_eq!(noise.places(), ["list body/items/0/at"]);
    }
}
