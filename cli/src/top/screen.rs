//! `Screen`: a terminal that is drawn on in place, and left as it was.

use std::fmt::Write;
use std::io;

use super::view::{Room, View};
use crate::output;

/// To a second screen, without a cursor; and back.
const OPEN: &[u8] = b"\x1b[?1049h\x1b[?25l";
const CLOSE: &[u8] = b"\x1b[?25h\x1b[?1049l";
/// The first corner; what is left of a line, and of the screen, is made blank after something is written
/// there: cleared first, it would flicker.
const HOME: &str = "\x1b[H";
const BLANK_LINE: &str = "\x1b[K";
const BLANK_REST: &str = "\x1b[J";

/// What terminals have that do not say.
const WIDTH: usize = 80;
const HEIGHT: usize = 24;

/// A terminal that is drawn on. Dropping it shows what was there before.
pub(super) struct Screen(());

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        output::bytes(OPEN)?;
        Ok(Self(()))
    }

    /// Replaces what is shown, at once.
    pub(super) fn draw(&mut self, view: &View<'_>) -> io::Result<()> {
        let mut frame = HOME.to_owned();
        for (number, line) in view.lines(room()).iter().enumerate() {
            let between = if number == 0 { "" } else { "\r\n" };
            // A text takes all that is written into it.
            let _written = write!(frame, "{between}{line}{BLANK_LINE}");
        }
        frame.push_str(BLANK_REST);
        output::bytes(frame.as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone, and nobody looks at it then.
        let _gone = output::bytes(CLOSE);
    }
}

/// The size of the terminal, which people change.
fn room() -> Room {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let known = |size: u16, default| if size == 0 { default } else { usize::from(size) };
    Room::Screen {
        width: size.map_or(WIDTH, |size| known(size.ws_col, WIDTH)),
        height: size.map_or(HEIGHT, |size| known(size.ws_row, HEIGHT)),
    }
}
