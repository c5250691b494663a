//! `Framing`: reads along with hyper and refuses what hyper would settle in silence.
//!
//! hyper drops one of two equal lengths, drops a length beside a transfer encoding, and takes bare line
//! feeds, all before a handler could see it: each is a way to smuggle a request past another parser.

use super::Limits;
use crate::ProblemKind;

/// What a client's bytes are, request by request. Requests are counted from 1.
pub(super) struct Framing {
    bytes_max: usize,
    target_bytes_max: usize,
    headers_max: usize,
    state: State,
    head: Head,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Requests whose head has begun.
    begun: u64,
    /// Requests that were handed on.
    served: u64,
    refused: Option<(u64, Refusal)>,
}

enum State {
    Head,
    Body {
        left: u64,
    },
    /// No longer followed: the connection closes after this request.
    Last,
}

#[derive(Default)]
struct Head {
    bytes: usize,
    has_begun: bool,
    headers: usize,
    length: Option<u64>,
    is_chunked: bool,
}

/// Why a request is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    HeadTooLarge,
    TooManyHeaders,
    TargetTooLong,
    BareLineFeed,
    Length,
    LengthAndEncoding,
    Encoding,
}

impl Refusal {
    pub(super) fn problem(self) -> (ProblemKind, &'static str) {
        match self {
            Self::HeadTooLarge => (ProblemKind::HeadTooLarge, "the head is over the limit"),
            Self::TooManyHeaders => (ProblemKind::HeadTooLarge, "there are too many headers"),
            Self::TargetTooLong => (ProblemKind::TargetTooLong, "the target is over the limit"),
            Self::BareLineFeed => (ProblemKind::InvalidRequest, "a line of the head ends without CR"),
            Self::Length => (ProblemKind::InvalidRequest, "content-length is not one number"),
            Self::LengthAndEncoding => {
                (ProblemKind::InvalidRequest, "content-length and transfer-encoding exclude each other")
            }
            Self::Encoding => {
                (ProblemKind::NotImplemented, "the only transfer-encoding that is understood is chunked")
            }
        }
    }
}

impl Framing {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            bytes_max: limits.head_bytes_max,
            target_bytes_max: limits.target_bytes_max,
            headers_max: limits.headers_max,
            state: State::Head,
            head: Head::default(),
            line: Vec::new(),
            begun: 0,
            served: 0,
            refused: None,
        }
    }

    /// Follows the next bytes of the client.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Head => self.feed_head(bytes),
                State::Body { left } => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= here as u64;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                    bytes.get(here..).unwrap_or_default()
                }
                State::Last => return,
            }
        }
    }

    /// Whether a head has begun and not ended.
    pub(super) fn is_head_open(&self) -> bool {
        matches!(self.state, State::Head) && (self.head.has_begun || !self.line.is_empty())
    }

    /// Counts a request that hyper hands on, and says whether to refuse it.
    pub(super) fn next_request(&mut self) -> (u64, Option<Refusal>) {
        self.served += 1;
        let refusal = self.refused.filter(|(number, _)| *number == self.served).map(|(_, refusal)| refusal);
        (self.served, refusal)
    }

    /// Whether part of this request has not been received, so that nothing can follow its response.
    pub(super) fn is_body_open(&self, number: u64) -> bool {
        self.begun == number && !matches!(self.state, State::Head)
    }

    /// Takes one line or what there is of it; gives back the rest.
    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.head.bytes += part.len();
        let outcome = if self.head.bytes > self.bytes_max {
            Err(if self.head.has_begun { Refusal::HeadTooLarge } else { Refusal::TargetTooLong })
        } else if end.is_none() {
            self.line.extend_from_slice(part);
            Ok(())
        } else if self.line.is_empty() {
            self.end_line(part)
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(part);
            let outcome = self.end_line(&line);
            line.clear();
            self.line = line;
            outcome
        };
        if let Err(refusal) = outcome {
            self.refuse(refusal);
        }
        rest
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let line = line.strip_suffix(b"\r\n").ok_or(Refusal::BareLineFeed)?;
        match (self.head.has_begun, line.is_empty()) {
            // An empty line before a request is left over from the one before (RFC 9112, 2.2).
            (false, true) => self.head = Head::default(),
            (false, false) => self.begin(line)?,
            (true, false) => self.header(line)?,
            (true, true) => self.end_head(),
        }
        Ok(())
    }

    fn begin(&mut self, request_line: &[u8]) -> Result<(), Refusal> {
        self.head.has_begun = true;
        self.begun += 1;
        let target = request_line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if target.len() > self.target_bytes_max { Err(Refusal::TargetTooLong) } else { Ok(()) }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.head.headers += 1;
        if self.head.headers > self.headers_max {
            return Err(Refusal::TooManyHeaders);
        }
        if let Some(value) = value_of(line, b"content-length") {
            let length = parse_length(value).filter(|_| self.head.length.is_none());
            self.head.length = Some(length.ok_or(Refusal::Length)?);
        } else if let Some(value) = value_of(line, b"transfer-encoding") {
            if self.head.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Encoding);
            }
            self.head.is_chunked = true;
        }
        if self.head.is_chunked && self.head.length.is_some() {
            return Err(Refusal::LengthAndEncoding);
        }
        Ok(())
    }

    fn end_head(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.state = match head.length {
            // Following chunks would take a second parser that may differ from hyper's: safer to end here.
            _ if head.is_chunked => State::Last,
            None | Some(0) => State::Head,
            Some(left) => State::Body { left },
        };
    }

    fn refuse(&mut self, refusal: Refusal) {
        if !self.head.has_begun {
            self.begun += 1;
        }
        self.refused = Some((self.begun, refusal));
        self.state = State::Last;
    }
}

/// The value of a header line if it has this name.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, value) = line.split_at_checked(name.len())?;
    let value = value.strip_prefix(b":")?;
    head.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing() -> Framing {
        Framing::new(&Limits {
            head_bytes_max: 200,
            target_bytes_max: 40,
            headers_max: 4,
            ..Limits::default()
        })
    }

    fn refusal(input: &str) -> Option<(u64, Refusal)> {
        let mut framing = framing();
        framing.feed(input.as_bytes());
        framing.refused
    }

    #[test]
    fn ambiguous_framing_is_refused() {
        for (headers, expected) in [
            ("Content-Length: 3\r\nTransfer-Encoding: chunked", Refusal::LengthAndEncoding),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3", Refusal::LengthAndEncoding),
            ("Content-Length: 3\r\ncontent-length: 3", Refusal::Length),
            ("Content-Length: 3, 3", Refusal::Length),
            ("Content-Length: +3", Refusal::Length),
            ("Content-Length:", Refusal::Length),
            ("Content-Length: 99999999999999999999", Refusal::Length),
            ("Transfer-Encoding: gzip, chunked", Refusal::Encoding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Refusal::Encoding),
            ("Transfer-Encoding: \"chunked\"", Refusal::Encoding),
            ("a: b\nc: d", Refusal::BareLineFeed),
        ] {
            let input = format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
            assert_eq!(refusal(&input), Some((1, expected)), "{headers}");
        }
    }

    #[test]
    fn heads_over_a_limit_are_refused_before_they_end() {
        assert_eq!(
            refusal(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(40))),
            Some((1, Refusal::TargetTooLong))
        );
        assert_eq!(refusal(&format!("GET /{}", "a".repeat(200))), Some((1, Refusal::TargetTooLong)));
        let long = format!("GET / HTTP/1.1\r\na: {}", "a".repeat(200));
        assert_eq!(refusal(&long), Some((1, Refusal::HeadTooLarge)));
        let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(5));
        assert_eq!(refusal(&many), Some((1, Refusal::TooManyHeaders)));
    }

    #[test]
    fn the_request_at_fault_is_named_behind_others() {
        let clean = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(refusal(clean), None);
        assert_eq!(refusal(&format!("{clean}GET / HTTP/1.1\n")), Some((3, Refusal::BareLineFeed)));
    }

    #[test]
    fn a_body_is_open_until_its_last_byte() {
        let mut framing = framing();
        framing.feed(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc");
        assert!(framing.is_body_open(1) && !framing.is_head_open());
        framing.feed(b"d");
        assert!(!framing.is_body_open(1) && !framing.is_head_open());
        framing.feed(b"G");
        assert!(!framing.is_body_open(1) && framing.is_head_open());
    }

    proptest! {
        #[test]
        fn where_the_reads_are_cut_makes_no_difference(
            input in "(POST /a HTTP/1.1\r?\n(content-length: [0-4]\r\n|transfer-encoding: chunked\r\n|x: y\r\n){0,3}\r\n[a\r\n]{0,4}){1,4}",
            cut in 1_usize..20,
        ) {
            let mut pieces = framing();
            input.as_bytes().chunks(cut).for_each(|piece| pieces.feed(piece));
            let mut whole = framing();
            whole.feed(input.as_bytes());
            prop_assert_eq!(pieces.refused, whole.refused);
            prop_assert_eq!(pieces.begun, whole.begun);
            prop_assert_eq!(pieces.is_head_open(), whole.is_head_open());
        }
    }
}
