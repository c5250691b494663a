//! Which pool grows for a Func.

use wire::Labels;

use crate::Pool;

/// Of the pools whose runners have all that the placement asks for, the cheapest; of those the one with
/// the fewest labels, so that what is special is kept for those who ask; then the first by name.
pub fn home<'a>(placement: &Labels, pools: &'a [Pool]) -> Option<&'a Pool> {
    let able = pools.iter().filter(|pool| pool.config().labels.include(placement));
    able.min_by(|a, b| {
        let (a, b) = (a.config(), b.config());
        (a.cost_per_hour.total_cmp(&b.cost_per_hour))
            .then_with(|| a.labels.len().cmp(&b.labels.len()))
            .then_with(|| a.name.cmp(&b.name))
    })
}

#[cfg(test)]
mod tests {
    use wire::PoolName;

    use super::*;
    use crate::PoolConfig;

    fn pool(name: &str, labels: &str, cost_per_hour: f64) -> Pool {
        let name = PoolName::parse(name).unwrap();
        let labels = labels.parse().unwrap();
        Pool::new(PoolConfig { labels, cost_per_hour, ..PoolConfig::new(name) }).unwrap()
    }

    #[test]
    fn the_cheapest_that_can_is_home_then_the_plainest_then_the_first_by_name() {
        let pools = [
            pool("gpu", "gpu=true", 2.0),
            pool("spot", "gpu=true,spot=true", 1.0),
            pool("zone", "zone=a", 0.1),
            pool("b", "", 0.1),
            pool("a", "", 0.1),
        ];
        for (placement, expected) in
            [("", Some("a")), ("zone=a", Some("zone")), ("gpu=true", Some("spot")), ("gpu=true,zone=a", None)]
        {
            let found = home(&placement.parse().unwrap(), &pools).map(|pool| pool.name().as_str());
            assert_eq!(found, expected, "{placement:?}");
        }
    }
}
