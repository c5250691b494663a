//! `Format`: how metrics are written, as whoever asks wants them.

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, 0.0.4, which everybody reads.
    Prometheus,
    /// OpenMetrics 1.0, which has exemplars.
    OpenMetrics,
}

impl Format {
    /// What an `accept` header asks for. OpenMetrics has to be named, since not everybody reads it.
    pub fn accepted(accept: Option<&str>) -> Self {
        let (mut plain, mut open) = (0.0, 0.0);
        for range in accept.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f64>);
            let weight = weight.unwrap_or(0.0);
            if kind.eq_ignore_ascii_case("application/openmetrics-text") {
                open = f64::max(open, weight);
            } else if ["text/plain", "text/*", "*/*"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
                plain = f64::max(plain, weight);
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// What it is called in HTTP.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;\
            version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3";
        for accept in
            [prometheus, "application/openmetrics-text", "text/plain;q=0.5, application/OpenMetrics-Text"]
        {
            assert_eq!(Format::accepted(Some(accept)), Format::OpenMetrics, "{accept}");
        }
        for accept in
            ["", "*/*", "text/plain, application/openmetrics-text;q=0.9", "application/openmetrics-text;q=0"]
        {
            assert_eq!(Format::accepted(Some(accept)), Format::Prometheus, "{accept}");
        }
        assert_eq!(Format::accepted(None), Format::Prometheus);
    }
}
